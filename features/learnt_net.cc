#include "features/learnt_net.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "features/internal/convolution.h"
#include "features/internal/learnt_net_file.h"
#include "features/tiles.h"

namespace auforge::features {
namespace {

using internal::Convolution;
using internal::MapShape;

struct Block {
  Convolution first;
  Convolution second;  // adds the shortcut
};

}  // namespace

struct LearntNet::Impl {
  std::vector<std::uint8_t> bytes;  // what Serialise gives
  std::string digest;
  MapShape picture;
  std::vector<Convolution> stem;  // one
  std::vector<Block> blocks;
  std::vector<int> opinion_aus;
  std::vector<float> opinion_weight, opinion_bias;
  Pooling pooling = Pooling::kMean;
  std::size_t channels = 0;  // of the last map
  std::size_t embedding_size = 0, weight_count = 0, multiply_adds = 0;
  std::size_t largest_map = 0;  // floats

  Impl(std::vector<std::uint8_t> net_bytes, Registers registers);
  void Count(const MapShape& target, const ConvWeights& conv) {
    weight_count += conv.weight.size() + conv.bias.size();
    multiply_adds += conv.weight.size() * static_cast<std::size_t>(target.width * target.height);
    largest_map = std::max(largest_map, target.Size());
  }
  void Run(const cv::Mat& crop, int pictures, std::span<float> out) const;
  // map: the last one of one picture; embedding: its numbers.
  void Pool(const float* map, float* embedding) const;
};

LearntNet::Impl::Impl(std::vector<std::uint8_t> net_bytes, Registers registers)
    : bytes(std::move(net_bytes)) {
  const NetDescription net = internal::NetFromBytes(bytes);
  digest = internal::NetDigest(bytes);
  picture = {net.crop_size, net.crop_size, internal::kPictureChannels};
  largest_map = picture.Size();
  stem.emplace_back(picture, net.stem, nullptr, nullptr, registers);
  Count(stem[0].target(), net.stem);
  MapShape source = stem[0].target();
  for (const NetDescription::Block& block : net.blocks) {
    Convolution first(source, block.first, nullptr, nullptr, registers);
    Convolution second(first.target(), block.second, &source, &block.shortcut, registers);
    Count(first.target(), block.first);
    Count(second.target(), block.second);
    Count(second.target(), block.shortcut);
    source = second.target();
    blocks.push_back({std::move(first), std::move(second)});
  }
  pooling = net.pooling;
  channels = static_cast<std::size_t>(net.blocks.back().second.out);
  embedding_size = internal::EmbeddingSize(net);
  opinion_aus = net.opinion_aus;
  opinion_weight = net.opinion_weight;
  opinion_bias = net.opinion_bias;
}

// out: pictures x D.
void LearntNet::Impl::Run(const cv::Mat& crop, int pictures, std::span<float> out) const {
  if (crop.rows != picture.height || crop.cols != picture.width ||
      (crop.type() != CV_8UC3 && crop.type() != CV_8UC1)) {
    throw std::invalid_argument("learnt net: needs a crop of " + std::to_string(picture.width) + " x " +
                                std::to_string(picture.height) + " pixels of type CV_8UC3 or CV_8UC1");
  }
  const auto count = static_cast<std::size_t>(pictures);
  if (out.size() != count * embedding_size) {
    throw std::invalid_argument("learnt net: room for " + std::to_string(out.size()) + " values; needs " +
                                std::to_string(count * embedding_size));
  }
  // A block's source, what is between its two layers, and its result take turns.
  thread_local std::array<std::vector<float>, 3> scratch;
  std::array<float*, 3> maps{};
  for (std::size_t i = 0; i < maps.size(); ++i) {
    if (scratch[i].size() < count * largest_map) scratch[i].resize(count * largest_map);
    maps[i] = scratch[i].data();
  }
  internal::ClearBorder(picture, maps[1], pictures);
  internal::Normalise(crop, picture, maps[1]);
  if (pictures > 1) internal::MirrorPicture(picture, maps[1], maps[1] + picture.Size());
  internal::ClearBorder(stem[0].target(), maps[0], pictures);
  stem[0].Run(maps[1], nullptr, maps[0], pictures);
  for (const Block& block : blocks) {
    internal::ClearBorder(block.first.target(), maps[1], pictures);
    block.first.Run(maps[0], nullptr, maps[1], pictures);
    internal::ClearBorder(block.second.target(), maps[2], pictures);
    block.second.Run(maps[1], maps[0], maps[2], pictures);
    std::swap(maps[0], maps[2]);
  }
  for (std::size_t p = 0; p < count; ++p)
    Pool(maps[0] + p * blocks.back().second.target().Size(), out.data() + p * embedding_size);
}

void LearntNet::Impl::Pool(const float* map, float* embedding) const {
  const MapShape& last = blocks.back().second.target();
  if (pooling == Pooling::kNone) {
    for (int y = 0; y < last.height; ++y) {
      for (int x = 0; x < last.width; ++x) embedding = std::copy_n(map + last.At(x, y), channels, embedding);
    }
    return;
  }
  std::fill_n(embedding, channels, 0.0F);
  for (int y = 0; y < last.height; ++y) {
    for (int x = 0; x < last.width; ++x) {
      const float* pixel = map + last.At(x, y);
      for (std::size_t d = 0; d < channels; ++d) embedding[d] += pixel[d];
    }
  }
  const float share = 1 / static_cast<float>(last.width * last.height);
  for (std::size_t d = 0; d < channels; ++d) embedding[d] *= share;
  if (pooling != Pooling::kHalves) return;
  // The column in the middle is of neither half.
  float* difference = embedding + channels;
  std::fill_n(difference, channels, 0.0F);
  for (int y = 0; y < last.height; ++y) {
    for (int x = 0; x < last.width / 2; ++x) {
      const float *left = map + last.At(x, y), *right = map + last.At(last.width - 1 - x, y);
      for (std::size_t d = 0; d < channels; ++d) difference[d] += left[d] - right[d];
    }
  }
  for (std::size_t d = 0; d < channels; ++d) difference[d] *= share;
}

bool HasWideRegisters() { return WideTiles() != nullptr; }

LearntNet::LearntNet(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
LearntNet::LearntNet(LearntNet&&) noexcept = default;
LearntNet& LearntNet::operator=(LearntNet&&) noexcept = default;
LearntNet::~LearntNet() = default;

const std::vector<int>& LearntNet::opinion_aus() const { return impl_->opinion_aus; }

void LearntNet::Opinions(std::span<const float> means, std::span<float> out) const {
  const std::size_t size = impl_->channels;
  if (means.size() != size || out.size() != impl_->opinion_bias.size())
    throw std::invalid_argument("learnt net: opinions of another size than the net's");
  for (std::size_t i = 0; i < out.size(); ++i) {
    float sum = impl_->opinion_bias[i];
    const float* weight = impl_->opinion_weight.data() + i * size;
    for (std::size_t d = 0; d < size; ++d) sum = std::fma(weight[d], means[d], sum);
    out[i] = sum;
  }
}

LearntNet LearntNet::FromWeights(const NetDescription& description, Registers registers) {
  try {
    internal::ValidateNet(description);
    return LearntNet(std::make_unique<const Impl>(internal::NetBytes(description), registers));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(std::string("learnt net: ") + error.what());
  }
}

LearntNet LearntNet::Parse(std::span<const std::uint8_t> bytes, const std::string& name) {
  try {
    return LearntNet(std::make_unique<const Impl>(std::vector<std::uint8_t>(bytes.begin(), bytes.end()),
                                                  Registers::kWidest));
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(name + ": damaged learnt net: " + error.what() + "; fetch or train it again");
  }
}

std::vector<std::uint8_t> LearntNet::Serialise() const { return impl_->bytes; }
NetDescription LearntNet::Description() const { return internal::NetFromBytes(impl_->bytes); }
const std::string& LearntNet::digest() const { return impl_->digest; }
int LearntNet::crop_size() const { return impl_->picture.width; }
Pooling LearntNet::pooling() const { return impl_->pooling; }
std::size_t LearntNet::embedding_size() const { return impl_->embedding_size; }
std::size_t LearntNet::channels() const { return impl_->channels; }
std::size_t LearntNet::weight_count() const { return impl_->weight_count; }
std::size_t LearntNet::multiply_adds() const { return impl_->multiply_adds; }

void LearntNet::Embed(const cv::Mat& crop, std::span<float> embedding) const {
  impl_->Run(crop, 1, embedding);
}
void LearntNet::EmbedWithMirror(const cv::Mat& crop, std::span<float> embeddings) const {
  impl_->Run(crop, internal::kMostPictures, embeddings);
}

}  // namespace auforge::features
