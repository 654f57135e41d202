#include "annotator/net_landmarker.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "annotator/landmark_look.h"
#include "annotator/internal/matrix_product.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/installed.h"
#include "features/align.h"
#include "features/half_float.h"

namespace auforge::annotator {
namespace {

using features::kLandmarkCount;
using features::Landmarks68;
using features::Point2;

// magic, then for either net: u64 bytes of the net, the net, u32 outputs, outputs x D halves, outputs floats; the first
// 8 bytes of the SHA-256 of all that (docs/landmarks.md).
constexpr std::size_t kMagicSize = 8, kSumSize = 8;
constexpr char kMagic[kMagicSize + 1] = "AUFMARK1";
constexpr std::size_t kFirstOutputs = 2 * kLandmarkCount, kSecondOutputs = 4 * kLandmarkCount;
constexpr std::uint64_t kMostOfNet = std::uint64_t{64} << 20U;
constexpr std::size_t kMostOfEmbedding = std::size_t{1} << 16U;
constexpr float kMostOfHalf = 65504, kMostOfBias = 1e6F;
constexpr float kMostOfAnswer = 8;         // inter-ocular distances from the mean face; farther is no face
constexpr float kLeastOverlap = 0.1F;      // of the box and the box about the first look's points
constexpr std::size_t kPiece = 32;         // faces on their way together
constexpr std::size_t kWays = 2;           // as it is and mirrored

[[noreturn]] void Fail(const std::string& text) { throw std::invalid_argument(text); }

class Writer {
 public:
  template <typename T>
  void Add(std::span<const T> values) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
    bytes_.insert(bytes_.end(), bytes, bytes + values.size_bytes());
  }
  std::vector<std::uint8_t>& bytes() { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::span<const std::uint8_t> Bytes(std::uint64_t count) {
    if (count > bytes_.size()) Fail("ends within its weights");
    const auto taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }
  template <typename T>
  std::vector<T> Take(std::size_t count) {
    std::vector<T> values(count);
    const auto taken = Bytes(count * sizeof(T));
    if (count > 0) std::memcpy(values.data(), taken.data(), taken.size());
    return values;
  }
  bool empty() const { return bytes_.empty(); }

 private:
  std::span<const std::uint8_t> bytes_;
};

std::vector<std::uint8_t> SumOf(std::span<const std::uint8_t> content) {
  const std::array<std::uint8_t, 32> sum = datasets::storage::Sha256(content);
  return {sum.begin(), sum.begin() + kSumSize};
}

void RequireFinite(const char* name, std::span<const float> values, float most) {
  for (const float v : values) {
    if (!(std::abs(v) <= most)) Fail(std::string(name) + " holds a number that is not finite, or too large");
  }
}

// One net with its head, ready to run.
struct Stage {
  features::LearntNet net;
  std::size_t outputs;
  std::vector<std::uint16_t> weight;  // outputs x D, halves
  std::vector<float> bias;
  PackedMatrix head;                  // D x outputs

  Stage(features::LearntNet of, std::size_t count, std::vector<std::uint16_t> halves, std::vector<float> biases)
      : net(std::move(of)), outputs(count), weight(std::move(halves)), bias(std::move(biases)) {
    const std::size_t size = net.embedding_size();
    if (weight.size() != outputs * size || bias.size() != outputs) Fail("has a head that does not fit its net");
    std::vector<float> rows(weight.size()), columns(weight.size());
    features::FloatsFromHalves(weight, rows);
    RequireFinite("head", rows, kMostOfHalf);
    RequireFinite("bias", bias, kMostOfBias);
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t d = 0; d < size; ++d) columns[d * outputs + o] = rows[o * size + d];
    }
    head = PackedMatrix(columns.data(), size, outputs);
  }

  // answers: crops x kWays x outputs, overwritten.
  void Run(std::span<const cv::Mat> crops, std::vector<float>& answers) const {
    const std::size_t size = net.embedding_size();
    std::vector<float> embeddings(crops.size() * kWays * size);
    for (std::size_t i = 0; i < crops.size(); ++i)
      net.EmbedWithMirror(crops[i], std::span(embeddings).subspan(i * kWays * size, kWays * size));
    answers.resize(crops.size() * kWays * outputs);
    head.Multiply(embeddings.data(), answers.data(), crops.size() * kWays);
    for (std::size_t i = 0; i < answers.size(); ++i) answers[i] += bias[i % outputs];
  }
};

Stage MakeStage(const LandmarkNetWeights& weights, std::size_t outputs, features::Registers registers) {
  if (weights.net.pooling != features::Pooling::kNone) Fail("needs a net that keeps its last map");
  RequireFinite("head", weights.weight, kMostOfHalf);
  std::vector<std::uint16_t> halves(weights.weight.size());
  features::HalvesFromFloats(weights.weight, halves);
  return {features::LearntNet::FromWeights(weights.net, registers), outputs, std::move(halves), weights.bias};
}

Stage ReadStage(Reader& reader, std::size_t outputs, const std::string& name) {
  const std::uint64_t size = reader.Take<std::uint64_t>(1)[0];
  if (size > kMostOfNet) Fail("has a net of " + std::to_string(size) + " bytes");
  features::LearntNet net = features::LearntNet::Parse(reader.Bytes(size), name);
  if (net.embedding_size() > kMostOfEmbedding) Fail("has a net with too large a map");
  if (net.pooling() != features::Pooling::kNone) Fail("has a net that does not keep its last map");
  const std::uint32_t count = reader.Take<std::uint32_t>(1)[0];
  if (count != outputs) Fail("answers with " + std::to_string(count) + " numbers; must be " + std::to_string(outputs));
  std::vector<std::uint16_t> halves = reader.Take<std::uint16_t>(outputs * net.embedding_size());
  return {std::move(net), outputs, std::move(halves), reader.Take<float>(outputs)};
}

void WriteStage(const Stage& stage, Writer& writer) {
  const std::vector<std::uint8_t> net = stage.net.Serialise();
  const std::uint64_t size = net.size();
  const auto outputs = static_cast<std::uint32_t>(stage.outputs);
  writer.Add<std::uint64_t>({&size, 1});
  writer.Add<std::uint8_t>(net);
  writer.Add<std::uint32_t>({&outputs, 1});
  writer.Add<std::uint16_t>(stage.weight);
  writer.Add<float>(stage.bias);
}

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
  Stage first, second;
  std::vector<std::uint8_t> bytes;
  std::string digest;

  Impl(Stage one, Stage two) : first(std::move(one)), second(std::move(two)) {
    Writer writer;
    writer.Add<char>({kMagic, kMagicSize});
    WriteStage(first, writer);
    WriteStage(second, writer);
    const std::vector<std::uint8_t> sum = SumOf(writer.bytes());
    writer.Add<std::uint8_t>(sum);
    bytes = std::move(writer.bytes());
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
    first.Run(crops, answers);
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
    second.Run(crops, answers);
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
    return NetLandmarker(std::make_unique<const Impl>(MakeStage(nets.first, kFirstOutputs, registers),
                                                      MakeStage(nets.second, kSecondOutputs, registers)));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(std::string("landmarker: ") + error.what());
  }
}

NetLandmarker NetLandmarker::Parse(std::span<const std::uint8_t> bytes, const std::string& name) {
  try {
    if (!IsNetLandmarker(bytes)) Fail(std::string("does not begin with ") + kMagic);
    if (bytes.size() < kMagicSize + kSumSize) Fail("is cut off");
    const auto content = bytes.first(bytes.size() - kSumSize);
    const std::vector<std::uint8_t> sum = SumOf(content);
    if (!std::equal(sum.begin(), sum.end(), bytes.begin() + static_cast<std::ptrdiff_t>(content.size())))
      Fail("its content does not match its checksum");
    Reader reader(content.subspan(kMagicSize));
    Stage first = ReadStage(reader, kFirstOutputs, name);
    Stage second = ReadStage(reader, kSecondOutputs, name);
    if (!reader.empty()) Fail("goes on behind its last net");
    return NetLandmarker(std::make_unique<const Impl>(std::move(first), std::move(second)));
  } catch (const std::invalid_argument& error) {
    throw datasets::storage::BadContent(name + ": damaged landmarker: " + error.what() + "; fetch or train it again");
  } catch (const datasets::storage::BadContent&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw datasets::storage::BadContent(error.what());
  }
}

NetLandmarker NetLandmarker::Load(const std::string& path) {
  const std::string text = datasets::storage::ReadFile(path);
  return Parse({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, path);
}

std::vector<std::uint8_t> NetLandmarker::Serialise() const { return impl_->bytes; }
const std::string& NetLandmarker::digest() const { return impl_->digest; }
std::size_t NetLandmarker::weight_count() const {
  std::size_t count = 0;
  for (const Stage* stage : {&impl_->first, &impl_->second})
    count += stage->net.weight_count() + stage->weight.size() + stage->bias.size();
  return count;
}
std::size_t NetLandmarker::multiply_adds() const {
  std::size_t count = 0;
  for (const Stage* stage : {&impl_->first, &impl_->second})
    count += kWays * (stage->net.multiply_adds() + stage->weight.size());
  return count;
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
  return bytes.size() >= kMagicSize && std::memcmp(bytes.data(), kMagic, kMagicSize) == 0;
}

}  // namespace auforge::annotator
