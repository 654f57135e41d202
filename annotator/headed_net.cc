#include "annotator/internal/headed_net.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "features/half_float.h"

namespace auforge::annotator {
namespace {

// magic, then for either net: u64 bytes of the net, the net, u32 outputs, outputs x D halves, outputs floats; the first
// 8 bytes of the SHA-256 of all that (docs/landmarks.md).
constexpr std::size_t kMagicSize = 8, kSumSize = 8;
constexpr std::uint64_t kMostOfNet = std::uint64_t{64} << 20U;
constexpr std::size_t kMostOfEmbedding = std::size_t{1} << 16U;
constexpr float kMostOfHalf = 65504, kMostOfBias = 1e6F;

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

HeadedNet ReadOne(Reader& reader, std::size_t outputs, const std::string& name) {
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

}  // namespace

HeadedNet::HeadedNet(features::LearntNet of, std::size_t count, std::vector<std::uint16_t> halves, std::vector<float> biases)
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

HeadedNet HeadedNet::FromWeights(const LandmarkNetWeights& weights, std::size_t outputs, features::Registers registers) {
  if (weights.net.pooling != features::Pooling::kNone) Fail("needs a net that keeps its last map");
  RequireFinite("head", weights.weight, kMostOfHalf);
  std::vector<std::uint16_t> halves(weights.weight.size());
  features::HalvesFromFloats(weights.weight, halves);
  return {features::LearntNet::FromWeights(weights.net, registers), outputs, std::move(halves), weights.bias};
}

void HeadedNet::Run(std::span<const cv::Mat> crops, Ways ways, std::vector<float>& answers) const {
  const std::size_t size = net.embedding_size(), each = ways == Ways::kBoth ? 2 : 1;
  std::vector<float> embeddings(crops.size() * each * size);
  for (std::size_t i = 0; i < crops.size(); ++i) {
    const std::span<float> to = std::span(embeddings).subspan(i * each * size, each * size);
    if (ways == Ways::kBoth) {
      net.EmbedWithMirror(crops[i], to);
    } else {
      net.Embed(crops[i], to);
    }
  }
  answers.resize(crops.size() * each * outputs);
  head.Multiply(embeddings.data(), answers.data(), crops.size() * each);
  for (std::size_t i = 0; i < answers.size(); ++i) answers[i] += bias[i % outputs];
}

std::size_t HeadedNet::weight_count() const { return net.weight_count() + weight.size() + bias.size(); }
std::size_t HeadedNet::multiply_adds() const { return net.multiply_adds() + weight.size(); }

std::vector<std::uint8_t> HeadedNetBytes(const char* magic, const HeadedNet& first, const HeadedNet& second) {
  Writer writer;
  writer.Add<char>({magic, kMagicSize});
  for (const HeadedNet* each : {&first, &second}) {
    const std::vector<std::uint8_t> net = each->net.Serialise();
    const std::uint64_t size = net.size();
    const auto outputs = static_cast<std::uint32_t>(each->outputs);
    writer.Add<std::uint64_t>({&size, 1});
    writer.Add<std::uint8_t>(net);
    writer.Add<std::uint32_t>({&outputs, 1});
    writer.Add<std::uint16_t>(each->weight);
    writer.Add<float>(each->bias);
  }
  const std::vector<std::uint8_t> sum = SumOf(writer.bytes());
  writer.Add<std::uint8_t>(sum);
  return std::move(writer.bytes());
}

bool BeginsWith(std::span<const std::uint8_t> bytes, const char* magic) {
  return bytes.size() >= kMagicSize && std::memcmp(bytes.data(), magic, kMagicSize) == 0;
}

std::pair<HeadedNet, HeadedNet> ParseHeadedNets(std::span<const std::uint8_t> bytes, const HeadedNetsFile& file, const std::string& name) {
  try {
    if (!BeginsWith(bytes, file.magic)) Fail(std::string("does not begin with ") + file.magic);
    if (bytes.size() < kMagicSize + kSumSize) Fail("is cut off");
    const auto content = bytes.first(bytes.size() - kSumSize);
    const std::vector<std::uint8_t> sum = SumOf(content);
    if (!std::equal(sum.begin(), sum.end(), bytes.begin() + static_cast<std::ptrdiff_t>(content.size())))
      Fail("its content does not match its checksum");
    Reader reader(content.subspan(kMagicSize));
    HeadedNet first = ReadOne(reader, file.first_outputs, name);
    HeadedNet second = ReadOne(reader, file.second_outputs, name);
    if (!reader.empty()) Fail("goes on behind its last net");
    return {std::move(first), std::move(second)};
  } catch (const std::invalid_argument& error) {
    throw datasets::storage::BadContent(name + ": damaged " + file.what + ": " + error.what() + "; fetch or train it again");
  } catch (const datasets::storage::BadContent&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw datasets::storage::BadContent(error.what());
  }
}

}  // namespace auforge::annotator
