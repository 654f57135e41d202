#include "annotator/dense_landmarker.h"

#include <algorithm>
#include <array>
#include <opencv2/core.hpp>
#include <stdexcept>
#include <string_view>

#include "annotator/dense_look.h"
#include "annotator/internal/headed_net.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/installed.h"
#include "features/align.h"

namespace auforge::annotator {
namespace {

using features::DensePoints;
using features::Point2;

constexpr std::size_t kEyeOutputs = 2 * features::kDenseEye, kMouthOutputs = 2 * features::kDenseMouth;
constexpr HeadedNetsFile kFile{"AUFDENS1", "net of dense points", kEyeOutputs, kMouthOutputs};
constexpr float kMostOfAnswer = 4;  // inter-ocular distances from the crop's middle; farther is no face

float Bounded(float answer) { return std::clamp(answer, -kMostOfAnswer, kMostOfAnswer); }

Point2 InCrop(const float* answer, std::size_t point, float unit, int side) {
  const float half = static_cast<float>(side) / 2;
  return {half + unit * Bounded(answer[2 * point]), half + unit * Bounded(answer[2 * point + 1])};
}

}  // namespace

struct DenseLandmarker::Impl {
  HeadedNet eye, mouth;
  std::vector<std::uint8_t> bytes;
  std::string digest;

  Impl(HeadedNet of_eyes, HeadedNet of_mouths)
      : eye(std::move(of_eyes)), mouth(std::move(of_mouths)), bytes(HeadedNetBytes(kFile.magic, eye, mouth)) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    digest = datasets::storage::Sha256Hex(text).substr(0, 16);
  }

  void FindEyes(const cv::Mat& image, const features::Landmarks68& landmarks, const DenseFrame& frame, DensePoints& points) const {
    const int side = eye.net.crop_size();
    const std::array<features::Similarity, 2> places{LookAtPart(landmarks, frame, DensePart::kRightEye, side),
                                                     LookAtPart(landmarks, frame, DensePart::kLeftEye, side)};
    std::array<cv::Mat, 2> crops;
    for (std::size_t e = 0; e < crops.size(); ++e) crops[e] = features::Warp(image, places[e], side, side);
    cv::flip(crops[0], crops[0], 1);
    std::vector<float> answers;
    eye.Run(crops, Ways::kPlain, answers);
    for (std::size_t e = 0; e < crops.size(); ++e) {
      const features::Similarity image_from_crop = places[e].Inverse();
      for (std::size_t i = 0; i < features::kDenseEye; ++i) {
        Point2 p = InCrop(answers.data() + e * kEyeOutputs, i, DenseUnit(DensePart::kLeftEye, side), side);
        if (e == 0) p.x = static_cast<float>(side) - p.x;
        points[e * features::kDenseEye + i] = image_from_crop(p);
      }
    }
  }

  void FindMouth(const cv::Mat& image, const features::Landmarks68& landmarks, const DenseFrame& frame, DensePoints& points) const {
    const int side = mouth.net.crop_size();
    const features::Similarity place = LookAtPart(landmarks, frame, DensePart::kMouth, side),
                               image_from_crop = place.Inverse();
    const cv::Mat crop = features::Warp(image, place, side, side);
    std::vector<float> answers;
    mouth.Run(std::span(&crop, 1), Ways::kBoth, answers);
    const float unit = DenseUnit(DensePart::kMouth, side);
    for (std::size_t i = 0; i < features::kDenseMouth; ++i) {
      const Point2 plain = InCrop(answers.data(), i, unit, side),
                   turned = InCrop(answers.data() + kMouthOutputs, features::MirrorLip(i), unit, side);
      points[2 * features::kDenseEye + i] =
          image_from_crop(features::Midpoint(plain, {static_cast<float>(side) - turned.x, turned.y}));
    }
  }
};

DenseLandmarker::DenseLandmarker(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
DenseLandmarker::DenseLandmarker(DenseLandmarker&&) noexcept = default;
DenseLandmarker& DenseLandmarker::operator=(DenseLandmarker&&) noexcept = default;
DenseLandmarker::~DenseLandmarker() = default;

DenseLandmarker DenseLandmarker::FromWeights(const DenseNets& nets, features::Registers registers) {
  try {
    return DenseLandmarker(std::make_unique<const Impl>(HeadedNet::FromWeights(nets.eye, kEyeOutputs, registers),
                                                        HeadedNet::FromWeights(nets.mouth, kMouthOutputs, registers)));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(std::string("dense points: ") + error.what());
  }
}

DenseLandmarker DenseLandmarker::Parse(std::span<const std::uint8_t> bytes, const std::string& name) {
  auto [eye, mouth] = ParseHeadedNets(bytes, kFile, name);
  return DenseLandmarker(std::make_unique<const Impl>(std::move(eye), std::move(mouth)));
}

DenseLandmarker DenseLandmarker::Load(const std::string& path) {
  const std::string text = datasets::storage::ReadFile(path);
  return Parse({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, path);
}

std::vector<std::uint8_t> DenseLandmarker::Serialise() const { return impl_->bytes; }
const std::string& DenseLandmarker::digest() const { return impl_->digest; }
std::size_t DenseLandmarker::weight_count() const { return impl_->eye.weight_count() + impl_->mouth.weight_count(); }
std::size_t DenseLandmarker::multiply_adds() const {
  return 2 * (impl_->eye.multiply_adds() + impl_->mouth.multiply_adds());
}

DensePoints DenseLandmarker::Find(const cv::Mat& image, const features::Landmarks68& landmarks) const {
  DensePoints points;
  const DenseFrame frame = FrameOf(landmarks, {});
  impl_->FindEyes(image, landmarks, frame, points);
  impl_->FindMouth(image, landmarks, frame, points);
  return points;
}

std::string DefaultDenseNetPath() {
  const std::string installed = datasets::storage::InstalledFile("dense.net");
  return installed.empty() ? AUFORGE_DENSE_NET : installed;
}

}  // namespace auforge::annotator
