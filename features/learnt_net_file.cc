#include "features/internal/learnt_net_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "features/half_float.h"

namespace auforge::features::internal {
namespace {

static_assert(std::endian::native == std::endian::little, "net files are copied as they lie in memory");

constexpr char kMeanMagic[kNetMagicSize + 1] = "AUFLNET1", kMapMagic[kNetMagicSize + 1] = "AUFLNET2",
               kHalvesMagic[kNetMagicSize + 1] = "AUFLNET3";
constexpr int kLeastCrop = 16, kMostCrop = 512;
constexpr int kMostChannels = 1024, kMostBlocks = 16;
constexpr int kMostAus = 64;
constexpr int kPictureChannels = 3;
// Of one picture: what a thread's memory and time can stand, 50 times the usual net and more.
constexpr std::int64_t kMostOfMap = std::int64_t{1} << 22, kMostMultiplyAdds = std::int64_t{1} << 32;
constexpr float kMostOfHalf = 65504;

[[noreturn]] void Fail(const std::string& text) { throw std::invalid_argument(text); }

std::int64_t SideAfter(std::int64_t side, int stride) { return (side - 1) / stride + 1; }

// What the maps of a net hold and cost, checked layer by layer.
class Extent {
 public:
  explicit Extent(int side) : side_(side) {}
  void Add(const ConvWeights& conv, int stride) {
    side_ = SideAfter(side_, stride);
    const std::int64_t pixels = std::int64_t{side_} * side_;
    multiply_adds_ += pixels * static_cast<std::int64_t>(conv.weight.size());
    RequireRange("numbers of a map", pixels * conv.out, 1, kMostOfMap);
    RequireRange("multiply-adds", multiply_adds_, 1, kMostMultiplyAdds);
  }

 private:
  std::int64_t side_, multiply_adds_ = 0;
};

}  // namespace

void RequireRange(const std::string& name, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value < least || value > most) {
    Fail(name + " = " + std::to_string(value) + "; must be in " + std::to_string(least) + ".." +
         std::to_string(most));
  }
}
void RequireEqual(const std::string& name, std::int64_t value, std::int64_t wanted) {
  if (value != wanted) Fail(name + " = " + std::to_string(value) + "; must be " + std::to_string(wanted));
}
void RequireBelow(const std::string& name, const std::vector<float>& values, float most) {
  for (const float v : values) {
    if (!(std::abs(v) <= most))
      Fail(name + " holds a number that is not finite, or beyond " + std::to_string(most));
  }
}

void ValidateConv(const std::string& name, const ConvWeights& conv, int in, int kernel, int most_channels) {
  RequireEqual(name + ".in", conv.in, in);
  RequireRange(name + ".out", conv.out, 1, most_channels);
  RequireEqual(name + ".kernel", conv.kernel, kernel);
  RequireRange(name + ".stride", conv.stride, 1, 2);
  RequireEqual(name + ".weight.size", static_cast<std::int64_t>(conv.weight.size()),
               std::int64_t{conv.out} * conv.in * kernel * kernel);
  RequireEqual(name + ".bias.size", static_cast<std::int64_t>(conv.bias.size()), conv.out);
  RequireBelow(name + ".weight", conv.weight, kMostOfHalf);
  RequireBelow(name + ".bias", conv.bias, kMostOfBias);
}

void NetWriter::AddSize(std::int64_t value) {
  const auto narrow = static_cast<std::uint32_t>(value);
  Add<std::uint32_t>({&narrow, 1});
}

void NetWriter::AddConv(const ConvWeights& conv) {
  for (const int size : {conv.in, conv.out, conv.kernel, conv.stride}) AddSize(size);
  std::vector<std::uint16_t> halves(conv.weight.size());
  HalvesFromFloats(conv.weight, halves);
  Add<std::uint16_t>(halves);
  Add<float>(conv.bias);
}

std::vector<std::uint8_t> NetWriter::Finish() {
  const std::uint64_t sum = NetChecksum(bytes_);
  Add<std::uint64_t>({&sum, 1});
  return std::move(bytes_);
}

template <typename T>
std::vector<T> NetReader::Take(std::size_t count) {
  if (count > bytes_.size() / sizeof(T)) Fail("ends within the weights");
  std::vector<T> values(count);
  if (count == 0) return values;  // memcpy takes no null pointers, not even for nothing
  std::memcpy(values.data(), bytes_.data(), count * sizeof(T));
  bytes_ = bytes_.subspan(count * sizeof(T));
  return values;
}

std::vector<float> NetReader::TakeFloats(std::size_t count) { return Take<float>(count); }

int NetReader::TakeSize(const char* name, int most) {
  const std::uint32_t value = Take<std::uint32_t>(1)[0];
  RequireRange(name, value, 0, most);
  return static_cast<int>(value);
}

ConvWeights NetReader::TakeConv() {
  ConvWeights conv;
  conv.in = TakeSize("in", kMostChannels);
  conv.out = TakeSize("out", kMostChannels);
  conv.kernel = TakeSize("kernel", 3);
  conv.stride = TakeSize("stride", 2);
  const auto out = static_cast<std::size_t>(conv.out);
  const auto halves =
      Take<std::uint16_t>(out * static_cast<std::size_t>(conv.in * conv.kernel * conv.kernel));
  conv.weight.resize(halves.size());
  FloatsFromHalves(halves, conv.weight);
  conv.bias = Take<float>(out);
  return conv;
}

std::span<const std::uint8_t> NetContent(std::span<const std::uint8_t> bytes, std::span<const char* const> magics) {
  constexpr std::size_t kSumSize = sizeof(std::uint64_t);
  const bool known = bytes.size() >= kNetMagicSize + kSumSize &&
                     std::any_of(magics.begin(), magics.end(), [&](const char* magic) {
                       return std::memcmp(bytes.data(), magic, kNetMagicSize) == 0;
                     });
  if (!known) {
    std::string names = magics.front();
    for (std::size_t i = 1; i < magics.size(); ++i) names += (i + 1 < magics.size() ? ", " : " and ") + std::string(magics[i]);
    Fail("is not a learnt net (it " + std::string(magics.size() > 1 ? "begins with none of " : "does not begin with ") + names + ")");
  }
  const auto content = bytes.first(bytes.size() - kSumSize);
  std::uint64_t sum = 0;
  std::memcpy(&sum, bytes.data() + content.size(), kSumSize);
  if (sum != NetChecksum(content)) Fail("its content does not match its checksum");
  return content.subspan(kNetMagicSize);
}

std::uint64_t NetChecksum(std::span<const std::uint8_t> content) {
  std::uint64_t sum = 14695981039346656037U;
  for (const std::uint8_t b : content) sum = (sum ^ b) * 1099511628211U;
  return sum;
}

void ValidateNet(const NetDescription& net) {
  RequireRange("crop_size", net.crop_size, kLeastCrop, kMostCrop);
  RequireRange("number of blocks", static_cast<std::int64_t>(net.blocks.size()), 1, kMostBlocks);
  ValidateConv("stem", net.stem, kPictureChannels, 3, kMostChannels);
  Extent extent(net.crop_size);
  extent.Add(net.stem, net.stem.stride);
  int channels = net.stem.out;
  for (std::size_t b = 0; b < net.blocks.size(); ++b) {
    const std::string name = "block " + std::to_string(b) + ": ";
    const NetDescription::Block& block = net.blocks[b];
    ValidateConv(name + "first", block.first, channels, 3, kMostChannels);
    ValidateConv(name + "second", block.second, block.first.out, 3, kMostChannels);
    ValidateConv(name + "shortcut", block.shortcut, channels, 1, kMostChannels);
    RequireEqual(name + "second.stride", block.second.stride, 1);
    RequireEqual(name + "shortcut.stride", block.shortcut.stride, block.first.stride);
    RequireEqual(name + "shortcut.out", block.shortcut.out, block.second.out);
    extent.Add(block.first, block.first.stride);
    for (const ConvWeights* conv : {&block.second, &block.shortcut}) extent.Add(*conv, 1);
    channels = block.second.out;
  }
  const auto opinions = static_cast<std::int64_t>(net.opinion_aus.size());
  RequireRange("number of AUs", opinions, 0, net.pooling == Pooling::kNone ? 0 : kMostAus);
  for (const int au : net.opinion_aus) RequireRange("AU", au, 1, 99);
  RequireEqual("opinion_weight.size", static_cast<std::int64_t>(net.opinion_weight.size()), 2 * opinions * channels);
  RequireEqual("opinion_bias.size", static_cast<std::int64_t>(net.opinion_bias.size()), 2 * opinions);
  RequireBelow("opinion_weight", net.opinion_weight, kMostOfBias);
  RequireBelow("opinion_bias", net.opinion_bias, kMostOfBias);
}

std::size_t EmbeddingSize(const NetDescription& net) {
  const auto channels = static_cast<std::size_t>(net.blocks.back().second.out);
  if (net.pooling == Pooling::kMean) return channels;
  if (net.pooling == Pooling::kHalves) return 2 * channels;
  std::int64_t side = SideAfter(net.crop_size, net.stem.stride);
  for (const NetDescription::Block& block : net.blocks) side = SideAfter(side, block.first.stride);
  return static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * channels;
}

namespace {

const char* MagicOf(Pooling pooling) {
  switch (pooling) {
    case Pooling::kMean: return kMeanMagic;
    case Pooling::kNone: return kMapMagic;
    case Pooling::kHalves: break;
  }
  return kHalvesMagic;
}

}  // namespace

std::vector<std::uint8_t> NetBytes(const NetDescription& net) {
  NetWriter writer;
  writer.Add<char>({MagicOf(net.pooling), kNetMagicSize});
  writer.AddSize(net.crop_size);
  writer.AddSize(static_cast<std::int64_t>(net.blocks.size()));
  writer.AddConv(net.stem);
  for (const NetDescription::Block& block : net.blocks) {
    for (const ConvWeights* conv : {&block.first, &block.second, &block.shortcut}) writer.AddConv(*conv);
  }
  writer.AddSize(static_cast<std::int64_t>(net.opinion_aus.size()));
  for (const int au : net.opinion_aus) writer.AddSize(au);
  writer.Add<float>(net.opinion_weight);
  writer.Add<float>(net.opinion_bias);
  return writer.Finish();
}

NetDescription NetFromBytes(std::span<const std::uint8_t> bytes) {
  static constexpr const char* kMagics[]{kMeanMagic, kMapMagic, kHalvesMagic};
  NetReader reader(NetContent(bytes, kMagics));
  const auto begins_with = [bytes](const char* magic) { return std::memcmp(bytes.data(), magic, kNetMagicSize) == 0; };
  NetDescription net;
  net.pooling = begins_with(kMeanMagic) ? Pooling::kMean : begins_with(kMapMagic) ? Pooling::kNone : Pooling::kHalves;
  net.crop_size = reader.TakeSize("crop_size", kMostCrop);
  net.blocks.resize(static_cast<std::size_t>(reader.TakeSize("number of blocks", kMostBlocks)));
  net.stem = reader.TakeConv();
  for (NetDescription::Block& block : net.blocks) {
    for (ConvWeights* conv : {&block.first, &block.second, &block.shortcut}) *conv = reader.TakeConv();
  }
  const int aus = reader.TakeSize("number of AUs", kMostAus);
  for (int i = 0; i < aus; ++i) net.opinion_aus.push_back(reader.TakeSize("AU", 99));
  const auto rows = 2 * static_cast<std::size_t>(aus);
  net.opinion_weight = reader.TakeFloats(rows * static_cast<std::size_t>(net.blocks.empty() ? 0 : net.blocks.back().second.out));
  net.opinion_bias = reader.TakeFloats(rows);
  if (!reader.empty()) Fail("goes on behind its last layer");
  ValidateNet(net);
  return net;
}

std::string NetDigest(std::span<const std::uint8_t> bytes) {
  std::uint64_t sum = 0;
  std::memcpy(&sum, bytes.data() + bytes.size() - sizeof(sum), sizeof(sum));
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(sum));
  return text;
}

}  // namespace auforge::features::internal
