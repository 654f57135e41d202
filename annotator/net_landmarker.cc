#include "annotator/net_landmarker.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include "annotator/landmark_look.h"
#include "annotator/internal/headed_net.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/installed.h"
#include "features/align.h"

namespace auforge::annotator {
namespace {

using features::kLandmarkCount;
using features::Landmarks68;
using features::Point2;

constexpr std::size_t kFirstOutputs = 2 * kLandmarkCount, kSecondOutputs = 4 * kLandmarkCount;
constexpr HeadedNetsFile kFile{"AUFMARK1", "landmarker", kFirstOutputs, kSecondOutputs};
constexpr float kMostOfAnswer = 8;         // inter-ocular distances from the mean face; farther is no face
constexpr float kLeastOverlap = 0.1F;      // of the box and the box about the first look's points
constexpr std::size_t kPiece = 32;         // faces on their way together
constexpr std::size_t kWays = 2;           // as it is and mirrored

float Bounded(float offset) { return std::clamp(offset, -kMostOfAnswer, kMostOfAnswer); }

// Points in the crop, the mean of both ways. answer: kWays rows of `outputs`, offsets first.
Landmarks68 PointsOf(const LandmarkLook& look, const float* answer, std::size_t outputs) {
  Landmarks68 points;
  const auto side = static_cast<float>(look.side);
  for (std::size_t i = 0; i < kLandmarkCount; ++i) {
    const std::size_t m = features::MirrorLandmark(i);
    const float* other = answer + outputs;
    const Point2 plain = look.PointOf(i, {Bounded(answer[2 * i]), Bounded(answer[2 * i + 1])});
    const Point2 turned = look.PointOf(m, {Bounded(other[2 * m]), Bounded(other[2 * m + 1])});
    points[i] = features::Midpoint(plain, {side - turned.x, turned.y});
  }
  return points;
}

}  // namespace

struct NetLandmarker::Impl {
  HeadedNet first, second;
  std::vector<std::uint8_t> bytes;
  std::string digest;

  Impl(HeadedNet one, HeadedNet two)
      : first(std::move(one)), second(std::move(two)), bytes(HeadedNetBytes(kFile.magic, first, second)) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    digest = datasets::storage::Sha256Hex(text).substr(0, 16);
  }

  std::vector<Landmarks68> FirstPoints(std::span<const FaceInImage> faces) const {
    const int side = first.net.crop_size();
    const LandmarkLook look = FirstLook(side);
    std::vector<cv::Mat> crops;
    std::vector<features::Similarity> places;
    for (const FaceInImage& face : faces) {
      places.push_back(LookAtBox(face.box, side));
      crops.push_back(features::Warp(*face.image, places.back(), side, side));
    }
    std::vector<float> answers;
    first.Run(crops, Ways::kBoth, answers);
    std::vector<Landmarks68> points;
    for (std::size_t f = 0; f < faces.size(); ++f) {
      const Landmarks68 found = PointsOf(look, answers.data() + f * kWays * kFirstOutputs, kFirstOutputs);
      points.push_back(features::Transform(places[f].Inverse(), found));
      // Points that have nothing to do with the box: the mean face in the box, then.
      if (features::Overlap(BoxAround(points.back()), faces[f].box) > kLeastOverlap) continue;
      for (std::size_t i = 0; i < kLandmarkCount; ++i) points.back()[i] = places[f].Inverse()(look.PointOf(i, {}));
    }
    return points;
  }

  void SecondPoints(std::span<const FaceInImage> faces, std::span<const Landmarks68> rough,
                    std::vector<FoundLandmarks>& found) const {
    const int side = second.net.crop_size();
    const LandmarkLook look = SecondLook(side);
    std::vector<cv::Mat> crops;
    std::vector<features::Similarity> places;
    for (std::size_t f = 0; f < faces.size(); ++f) {
      places.push_back(LookAtPoints(rough[f], {}, side));
      crops.push_back(features::Warp(*faces[f].image, places.back(), side, side));
    }
    std::vector<float> answers;
    second.Run(crops, Ways::kBoth, answers);
    for (std::size_t f = 0; f < faces.size(); ++f) {
      const float* answer = answers.data() + f * kWays * kSecondOutputs;
      FoundLandmarks face;
      const features::Similarity image_from_crop = places[f].Inverse();
      face.points = features::Transform(image_from_crop, PointsOf(look, answer, kSecondOutputs));
      const float unit = look.unit * image_from_crop.Scale();  // pixels of the image
      const float* spread = answer + 2 * kLandmarkCount;
      const float* seen = spread + kLandmarkCount;
      for (std::size_t i = 0; i < kLandmarkCount; ++i) {
        const std::size_t other = kSecondOutputs + features::MirrorLandmark(i);
        // The mean distance under the density exp(-r / s) / s^2 of the plane is 2 s.
        face.spread[i] = 2 * unit * std::exp(std::clamp((spread[i] + spread[other]) / 2, -10.0F, 2.0F));
        face.seen[i] = 1 / (1 + std::exp(-std::clamp((seen[i] + seen[other]) / 2, -30.0F, 30.0F)));
      }
      found.push_back(face);
    }
  }
};

NetLandmarker::NetLandmarker(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
NetLandmarker::NetLandmarker(NetLandmarker&&) noexcept = default;
NetLandmarker& NetLandmarker::operator=(NetLandmarker&&) noexcept = default;
NetLandmarker::~NetLandmarker() = default;

NetLandmarker NetLandmarker::FromWeights(const LandmarkNets& nets, features::Registers registers) {
  try {
    return NetLandmarker(std::make_unique<const Impl>(HeadedNet::FromWeights(nets.first, kFirstOutputs, registers),
                                                      HeadedNet::FromWeights(nets.second, kSecondOutputs, registers)));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(std::string("landmarker: ") + error.what());
  }
}

NetLandmarker NetLandmarker::Parse(std::span<const std::uint8_t> bytes, const std::string& name) {
  auto [first, second] = ParseHeadedNets(bytes, kFile, name);
  return NetLandmarker(std::make_unique<const Impl>(std::move(first), std::move(second)));
}

NetLandmarker NetLandmarker::Load(const std::string& path) {
  const std::string text = datasets::storage::ReadFile(path);
  return Parse({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, path);
}

std::vector<std::uint8_t> NetLandmarker::Serialise() const { return impl_->bytes; }
const std::string& NetLandmarker::digest() const { return impl_->digest; }
std::size_t NetLandmarker::weight_count() const {
  return impl_->first.weight_count() + impl_->second.weight_count();
}
std::size_t NetLandmarker::multiply_adds() const {
  return kWays * (impl_->first.multiply_adds() + impl_->second.multiply_adds());
}

std::vector<FoundLandmarks> NetLandmarker::Find(std::span<const FaceInImage> faces,
                                                std::span<const Landmarks68> first) const {
  if (!first.empty() && first.size() != faces.size())
    throw std::invalid_argument("Landmarker: points for another number of faces");
  std::vector<FoundLandmarks> found;
  found.reserve(faces.size());
  for (std::size_t begin = 0; begin < faces.size(); begin += kPiece) {
    const auto piece = faces.subspan(begin, std::min(kPiece, faces.size() - begin));
    if (first.empty()) {
      impl_->SecondPoints(piece, impl_->FirstPoints(piece), found);
    } else {
      impl_->SecondPoints(piece, first.subspan(begin, piece.size()), found);
    }
  }
  return found;
}

std::string DefaultNetLandmarkerPath() {
  const std::string installed = datasets::storage::InstalledFile("landmarks.net");
  return installed.empty() ? AUFORGE_LANDMARK_NET : installed;
}

bool IsNetLandmarker(std::span<const std::uint8_t> bytes) {
  return BeginsWith(bytes, kFile.magic);
}

}  // namespace auforge::annotator
