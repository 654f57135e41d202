#include <stdexcept>

#include "gan/internal/convolution.h"
#include "gan/internal/first_layer.h"
#include "gan/internal/instance_norm.h"
#include "gan/internal/networks.h"

namespace auforge::gan {
namespace {

constexpr double kInitDeviation = 0.02;
constexpr ConvolutionShape kHalve{2, 1};
constexpr const char* kFlowHead = "flow_reg.0.weight";

torch::Tensor Normal(std::vector<std::int64_t> shape, torch::Generator& generator) {
  return torch::empty(shape).normal_(0, kInitDeviation, generator);
}

void AddNorm(Parameters& p, const std::string& name, std::int64_t channels) {
  p.Add(name + ".weight", torch::ones({channels}));
  p.Add(name + ".bias", torch::zeros({channels}));
}

std::string Main(int index) { return "main." + std::to_string(index); }

torch::Tensor Normed(const Parameters& p, int index, const torch::Tensor& x) {
  return InstanceNorm(x, p[Main(index) + ".weight"], p[Main(index) + ".bias"], true);
}

torch::Tensor Residual(const Parameters& p, const std::string& name, const torch::Tensor& x) {
  torch::Tensor y = ConvolveWithGraph(x, p[name + ".main.0.weight"], {}, {1, 1});
  y = InstanceNorm(y, p[name + ".main.1.weight"], p[name + ".main.1.bias"], true);
  y = ConvolveWithGraph(y, p[name + ".main.3.weight"], {}, {1, 1});
  return InstanceNorm(y, p[name + ".main.4.weight"], p[name + ".main.4.bias"], false, x);
}

// To the type and layout that the network computes in.
torch::Tensor ToNetwork(const torch::Tensor& x, const Parameters& p) {
  const torch::Tensor& weight = p.entries().front().second;
  return x.to(weight.scalar_type()).contiguous(weight.suggest_memory_format());
}

// Where sums in place of the AU planes' convolution pay: tensor cores and bfloat16 take the planes along for nothing.
bool SumsPlanes(const torch::Tensor& weight) {
  return weight.device().is_cpu() && weight.scalar_type() != torch::kBFloat16;
}

// The first convolution, before its norm.
torch::Tensor FirstLayerOf(const Parameters& p, const torch::Tensor& image, const torch::Tensor& aus) {
  const torch::Tensor& weight = p[Main(0) + ".weight"];
  if (SumsPlanes(weight)) return FirstConvolution(image, aus, weight);
  return ConvolveWithGraph(ToNetwork(WithPlanes(image, aus), p), weight, {}, {1, 3});
}

// first: [N,conv_dim,S,S].
GeneratorOutput AfterFirstLayer(const Parameters& p, const NetworkOptions& options,
                                const torch::Tensor& image, const torch::Tensor& first) {
  torch::Tensor x = Normed(p, 1, first);
  int index = 3;
  for (int i = 0; i < 2; ++i, index += 3) {
    x = Normed(p, index + 1, ConvolveWithGraph(x, p[Main(index) + ".weight"], {}, kHalve));
  }
  for (int i = 0; i < options.generator_blocks; ++i, ++index) x = Residual(p, Main(index), x);
  for (int i = 0; i < 2; ++i, index += 3) {
    x = Normed(p, index + 1, TransposedConvolveWithGraph(x, p[Main(index) + ".weight"]));
  }
  // The heads read the same features: one convolution with four channels costs half of two.
  std::vector<torch::Tensor> weights{p["img_reg.0.weight"], p["attetion_reg.0.weight"]};
  if (options.flow) weights.push_back(p[kFlowHead]);
  const torch::Tensor heads = ConvolveWithGraph(x, torch::cat(weights, 0), {}, {1, 3})
                                  .to(image.scalar_type(), false, false, at::MemoryFormat::Contiguous);
  GeneratorOutput output{torch::tanh(heads.narrow(1, 0, 3)), torch::sigmoid(heads.narrow(1, 3, 1)), {}};
  if (options.flow) output.flow = kFlowReach * torch::tanh(heads.narrow(1, 4, 2));
  return output;
}

// The large convolutions; norms, biases and the critic's heads stay exact.
bool IsReduced(const std::string& name, const torch::Tensor& value) {
  return value.dim() == 4 && name != "conv1.weight" && name != "conv2.weight";
}

}  // namespace

void NetworkOptions::Validate() const {
  const auto check = [](bool good, const char* field, int value, const char* constraint) {
    if (!good) {
      throw std::invalid_argument(std::string("network.") + field + " = " + std::to_string(value) +
                                  "; must be " + constraint);
    }
  };
  check(image_size >= 32 && image_size <= 512 && (image_size & (image_size - 1)) == 0, "image_size",
        image_size, "a power of two in 32..512");
  check(conv_dim >= 4 && conv_dim <= 256, "conv_dim", conv_dim, "4..256");
  check(aus >= 1 && aus <= 64, "aus", aus, "1..64");
  check(generator_blocks >= 1 && generator_blocks <= 16, "generator_blocks", generator_blocks, "1..16");
  check(critic_layers >= 2 && (image_size >> critic_layers) >= 1, "critic_layers", critic_layers,
        "at least 2 and at most log2(image_size)");
}

const torch::Tensor& Parameters::operator[](const std::string& name) const {
  for (const auto& [key, value] : entries_) {
    if (key == name) return value;
  }
  throw std::out_of_range("network has no parameter " + name);
}

std::vector<torch::Tensor> Parameters::Tensors() const {
  std::vector<torch::Tensor> tensors;
  for (const auto& [name, value] : entries_) tensors.push_back(value);
  return tensors;
}

Parameters Parameters::Clone(torch::ScalarType type) const {
  Parameters copy;
  for (const auto& [name, value] : entries_) copy.Add(name, value.detach().to(type).clone());
  return copy;
}

Parameters Parameters::ReducedCopy() const {
  Parameters copy;
  for (const auto& [name, value] : entries_) {
    copy.Add(name, IsReduced(name, value)
                       ? value.detach().to(torch::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast)
                       : value.detach().clone());
  }
  return copy;
}

void Parameters::RequireGrad(bool on) const {
  for (const auto& [name, value] : entries_) value.requires_grad_(on);
}

std::int64_t Parameters::Count() const {
  std::int64_t count = 0;
  for (const auto& [name, value] : entries_) count += value.numel();
  return count;
}

Parameters InitGenerator(const NetworkOptions& options, std::uint64_t seed) {
  options.Validate();
  torch::Generator random = at::detail::createCPUGenerator(seed);
  Parameters p;
  std::int64_t channels = options.conv_dim;
  p.Add(Main(0) + ".weight", Normal({channels, 3 + options.aus, 7, 7}, random));
  AddNorm(p, Main(1), channels);
  int index = 3;
  for (int i = 0; i < 2; ++i, index += 3) {
    p.Add(Main(index) + ".weight", Normal({2 * channels, channels, 4, 4}, random));
    AddNorm(p, Main(index + 1), 2 * channels);
    channels *= 2;
  }
  for (int i = 0; i < options.generator_blocks; ++i, ++index) {
    p.Add(Main(index) + ".main.0.weight", Normal({channels, channels, 3, 3}, random));
    AddNorm(p, Main(index) + ".main.1", channels);
    p.Add(Main(index) + ".main.3.weight", Normal({channels, channels, 3, 3}, random));
    AddNorm(p, Main(index) + ".main.4", channels);
  }
  for (int i = 0; i < 2; ++i, index += 3) {
    p.Add(Main(index) + ".weight", Normal({channels, channels / 2, 4, 4}, random));
    AddNorm(p, Main(index + 1), channels / 2);
    channels /= 2;
  }
  p.Add("img_reg.0.weight", Normal({3, channels, 7, 7}, random));
  p.Add("attetion_reg.0.weight", Normal({1, channels, 7, 7}, random));
  // At rest, so that the face begins unmoved, and the published network's numbers are drawn as without it.
  if (options.flow) p.Add(kFlowHead, torch::zeros({2, channels, 7, 7}));
  return p;
}

Parameters InitDiscriminator(const NetworkOptions& options, std::uint64_t seed) {
  options.Validate();
  torch::Generator random = at::detail::createCPUGenerator(seed);
  Parameters p;
  std::int64_t in = 3;
  std::int64_t out = options.conv_dim;
  for (int i = 0; i < options.critic_layers; ++i) {
    p.Add(Main(2 * i) + ".weight", Normal({out, in, 4, 4}, random));
    p.Add(Main(2 * i) + ".bias", torch::zeros({out}));
    in = out;
    out *= 2;
  }
  const std::int64_t k = options.image_size >> options.critic_layers;
  p.Add("conv1.weight", Normal({1, in, 3, 3}, random));
  p.Add("conv2.weight", Normal({options.aus, in, k, k}, random));
  return p;
}

GeneratorOutput RunGenerator(const Parameters& p, const NetworkOptions& options, const torch::Tensor& image,
                             const torch::Tensor& aus) {
  return AfterFirstLayer(p, options, image, FirstLayerOf(p, image, aus));
}

GeneratorOutput RunGeneratorForCritic(const Parameters& p, const NetworkOptions& options,
                                      const torch::Tensor& image, const torch::Tensor& aus) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor& weight = p[Main(0) + ".weight"];
  if (!SumsPlanes(weight)) return RunGenerator(p, options, image, aus);
  return AfterFirstLayer(p, options, image, FirstConvolutionUpToShift(image, aus, weight));
}

torch::Tensor Move(const GeneratorOutput& output, const torch::Tensor& input) {
  if (!output.flow.defined()) return input;
  const auto grid = [&output](std::int64_t size) {  // -1 and 1 are the picture's edges, pixel centres half a pixel inside
    return (torch::arange(size, output.flow.options()) * 2 + 1) / static_cast<double>(size) - 1;
  };
  const torch::Tensor x = output.flow.select(1, 0) * 2 + grid(input.size(3));
  const torch::Tensor y = output.flow.select(1, 1) * 2 + grid(input.size(2)).unsqueeze(1);
  namespace F = torch::nn::functional;
  return F::grid_sample(input, torch::stack({x, y}, 3),
                        F::GridSampleFuncOptions().mode(torch::kBilinear).padding_mode(torch::kBorder).align_corners(false));
}

torch::Tensor ComposeMoved(const GeneratorOutput& output, const torch::Tensor& moved) {
  return output.attention * moved + (1 - output.attention) * output.colour;
}

torch::Tensor Compose(const GeneratorOutput& output, const torch::Tensor& input) { return ComposeMoved(output, Move(output, input)); }

DiscriminatorOutput RunDiscriminator(const Parameters& p, const NetworkOptions& options, const torch::Tensor& image,
                                     std::vector<torch::Tensor>* activations) {
  torch::Tensor x = ToNetwork(image, p);
  for (int i = 0; i < options.critic_layers; ++i) {
    const torch::Tensor bias = p[Main(2 * i) + ".bias"].to(x.scalar_type());
    const torch::Tensor y = ConvolveWithGraph(x, p[Main(2 * i) + ".weight"], bias, kHalve);
    x = torch::leaky_relu(y, kCriticLeak);
    if (activations != nullptr) activations->push_back(x);
  }
  x = x.to(image.scalar_type());
  const torch::Tensor score = torch::conv2d(x, p["conv1.weight"], {}, 1, 1);
  const torch::Tensor aus = torch::conv2d(x, p["conv2.weight"]);
  return {score.squeeze(1), aus.flatten(1)};
}

}  // namespace auforge::gan
