#include "annotator/net_training/internal/trunk.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace auforge::annotator {
namespace {

constexpr double kNormEpsilon = 1e-5;

}  // namespace

std::vector<float> Values(const torch::Tensor& tensor) {
  const torch::Tensor t = tensor.contiguous().to(torch::kCPU, torch::kFloat);
  return {t.data_ptr<float>(), t.data_ptr<float>() + t.numel()};
}

NormedConvolutionImpl::NormedConvolutionImpl(int in_channels, int out_channels, int size, int step)
    : in(in_channels), out(out_channels), kernel(size), stride(step) {
  convolution = register_module(
      "convolution",
      torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false)));
  norm = register_module("norm", torch::nn::BatchNorm2d(torch::nn::BatchNorm2dOptions(out).eps(kNormEpsilon)));
}

torch::Tensor NormedConvolutionImpl::forward(const torch::Tensor& x) { return norm(convolution(x)); }

features::ConvWeights NormedConvolutionImpl::Folded() const {
  const torch::NoGradGuard no_grad;
  const torch::Tensor scale = norm->weight / (norm->running_var + kNormEpsilon).sqrt();
  return {in, out, kernel, stride, Values(convolution->weight * scale.view({-1, 1, 1, 1})),
          Values(norm->bias - norm->running_mean * scale)};
}

torch::Tensor NormedConvolutionImpl::TakeFolded(const features::ConvWeights& weights, const torch::Tensor& x) {
  if (weights.in != in || weights.out != out || weights.kernel != kernel || weights.stride != stride) {
    const auto text = [](int from, int to, int size, int step) {
      const std::string side = std::to_string(size);
      return std::to_string(from) + " -> " + std::to_string(to) + " channels, " + side + "x" + side + ", stride " + std::to_string(step);
    };
    throw std::invalid_argument("has a layer of " + text(weights.in, weights.out, weights.kernel, weights.stride) + " where this net has " +
                                text(in, out, kernel, stride) + "; give this training the sizes of that net");
  }
  const torch::NoGradGuard no_grad;
  convolution->weight.copy_(torch::tensor(weights.weight).view({out, in, kernel, kernel}));
  const torch::Tensor map = convolution(x), bias = torch::tensor(weights.bias);
  const torch::Tensor mean = map.mean({0, 2, 3}), variance = map.var({0, 2, 3}, /*unbiased=*/false);
  norm->running_mean.copy_(mean);
  norm->running_var.copy_(variance);
  norm->weight.copy_((variance + kNormEpsilon).sqrt());
  norm->bias.copy_(bias + mean);
  return map + bias.view({-1, 1, 1});
}

int TrunkShape::EmbeddingSize() const {
  const int channels = ChannelsBehind(blocks.size() - 1);
  if (pooling == features::Pooling::kMean) return channels;
  if (pooling == features::Pooling::kHalves) return 2 * channels;
  int side = (crop_size - 1) / 2 + 1;
  for (std::size_t i = 0; i < blocks.size(); ++i) side = (side - 1) / StrideOf(i) + 1;
  return side * side * channels;
}

int TrunkShape::StrideOf(std::size_t block) const { return block + static_cast<std::size_t>(fine) < blocks.size() ? 2 : 1; }

int TrunkShape::ChannelsBehind(std::size_t block) const { return kept > 0 && block + 1 == blocks.size() ? kept : blocks[block]; }

TrunkImpl::TrunkImpl(const TrunkShape& of, int outputs, double drop, Sides of_sides) : shape(of), sides(of_sides) {
  stem = register_module("stem", NormedConvolution(3, shape.stem, 3, 2));
  int in = shape.stem;
  for (std::size_t i = 0; i < shape.blocks.size(); ++i) {
    const int between = shape.blocks[i], out = shape.ChannelsBehind(i), stride = shape.StrideOf(i);
    const std::string name = "block" + std::to_string(i);
    blocks.push_back({register_module(name + "_first", NormedConvolution(in, between, 3, stride)),
                      register_module(name + "_second", NormedConvolution(between, out, 3, 1)),
                      register_module(name + "_shortcut", NormedConvolution(in, out, 1, stride))});
    in = out;
  }
  dropout = register_module("dropout", torch::nn::Dropout(drop));
  const bool halves = shape.pooling == features::Pooling::kHalves;
  head = register_module("head", torch::nn::Linear(halves ? in : shape.EmbeddingSize(), outputs));
  if (halves) side_head = register_module("side_head", torch::nn::Linear(shape.EmbeddingSize(), sides.count));
}

torch::Tensor TrunkImpl::Embed(torch::Tensor x) {
  x = torch::relu(stem(x));
  for (Block& block : blocks) {
    const torch::Tensor inner = torch::relu(block.first(x));
    x = torch::relu(block.second(inner) + block.shortcut(x));
  }
  x = x.to(torch::kFloat);
  if (shape.pooling == features::Pooling::kNone) return x.permute({0, 2, 3, 1}).flatten(1);
  const torch::Tensor mean = x.mean({2, 3});
  if (shape.pooling == features::Pooling::kMean) return mean;
  const std::int64_t side = x.size(3), half = side / 2;
  const torch::Tensor columns = x.sum(2);
  const torch::Tensor difference =
      (columns.slice(2, 0, half).sum(2) - columns.slice(2, side - half).sum(2)) / static_cast<double>(side * side);
  return torch::cat({mean, difference}, 1);
}

torch::Tensor TrunkImpl::forward(const torch::Tensor& x) {
  const torch::Tensor embedding = dropout(Embed(x));
  if (side_head.is_empty()) return head(embedding);
  const torch::Tensor all = head(embedding.slice(1, 0, shape.ChannelsBehind(blocks.size() - 1)));
  return torch::cat({all.slice(1, 0, sides.begin), side_head(embedding), all.slice(1, sides.begin + sides.count)}, 1);
}

features::NetDescription TrunkImpl::Description() const {
  features::NetDescription description;
  description.crop_size = shape.crop_size;
  description.pooling = shape.pooling;
  description.stem = stem->Folded();
  for (const Block& block : blocks)
    description.blocks.push_back({block.first->Folded(), block.second->Folded(), block.shortcut->Folded()});
  return description;
}

void TrunkImpl::TakeFolded(const features::NetDescription& net, const std::vector<int>& aus, const torch::Tensor& pictures) {
  const auto require = [](bool condition, const std::string& text) {
    if (!condition) throw std::invalid_argument(text);
  };
  const std::string remedy = "; give this training the sizes of that net";
  require(net.pooling == shape.pooling, "is of another kind, which does not tell the halves of the face apart, and cannot be gone on with");
  require(net.crop_size == shape.crop_size,
          "reads crops of " + std::to_string(net.crop_size) + " pixels where this net reads " + std::to_string(shape.crop_size) + remedy);
  require(net.blocks.size() == blocks.size(),
          "has " + std::to_string(net.blocks.size()) + " blocks where this net has " + std::to_string(blocks.size()) + remedy);
  const torch::NoGradGuard no_grad;
  torch::Tensor x = torch::relu(stem->TakeFolded(net.stem, pictures));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const torch::Tensor inner = torch::relu(blocks[i].first->TakeFolded(net.blocks[i].first, x));
    x = torch::relu(blocks[i].second->TakeFolded(net.blocks[i].second, inner) + blocks[i].shortcut->TakeFolded(net.blocks[i].shortcut, x));
  }
  head->weight.zero_();
  head->bias.zero_();
  if (!side_head.is_empty()) {
    side_head->weight.zero_();
    side_head->bias.zero_();
  }
  const auto theirs = static_cast<std::int64_t>(net.opinion_aus.size()), ours = static_cast<std::int64_t>(aus.size());
  if (theirs == 0) return;
  const torch::Tensor weight = torch::tensor(net.opinion_weight).view({2 * theirs, -1}), bias = torch::tensor(net.opinion_bias);
  for (std::int64_t j = 0; j < ours; ++j) {
    const auto found = std::find(net.opinion_aus.begin(), net.opinion_aus.end(), aus[static_cast<std::size_t>(j)]);
    if (found == net.opinion_aus.end()) continue;
    const std::int64_t from = found - net.opinion_aus.begin();
    for (const auto& [to_row, from_row] : {std::pair{j, from}, {ours + j, theirs + from}}) {
      head->weight[to_row].copy_(weight[from_row]);
      head->bias[to_row].copy_(bias[from_row]);
    }
  }
}

features::LearntNet TrunkImpl::Folded(const std::vector<int>& aus) const {
  features::NetDescription description = Description();
  const torch::NoGradGuard no_grad;
  const auto rows = static_cast<std::int64_t>(2 * aus.size());
  description.opinion_aus = aus;
  description.opinion_weight = Values(head->weight.slice(0, 0, rows));
  description.opinion_bias = Values(head->bias.slice(0, 0, rows));
  return features::LearntNet::FromWeights(description);
}

}  // namespace auforge::annotator
