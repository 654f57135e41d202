#include "gan/internal/convolution.h"

#include "gan/internal/torch_api.h"

namespace auforge::gan {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

constexpr std::int64_t kKernel = 4;

// [Co, 4*4*Ci] in the order of Patches. No copy when the weight is stored channels-last.
torch::Tensor WeightMatrix(const torch::Tensor& weight) {
  return weight.permute({0, 2, 3, 1}).reshape({weight.size(0), -1});
}

// The 4 x 4 patches that a stride-2, padding-1 convolution looks at: [N*h*w, 4*4*Ci].
torch::Tensor Patches(const torch::Tensor& x) {
  const std::int64_t n = x.size(0), c = x.size(1), height = x.size(2) + 2, width = x.size(3) + 2;
  torch::Tensor padded = torch::zeros({n, height, width, c}, x.options());
  padded.narrow(1, 1, x.size(2)).narrow(2, 1, x.size(3)).copy_(x.permute({0, 2, 3, 1}));
  const std::int64_t row = width * c;
  return padded
      .as_strided({n, x.size(2) / 2, x.size(3) / 2, kKernel, kKernel * c},
                  {height * row, 2 * row, 2 * c, row, 1})
      .reshape({-1, kKernel * kKernel * c});
}

// The transpose of Patches: adds every patch where it came from.
torch::Tensor Scatter(const torch::Tensor& patches, std::int64_t n, std::int64_t c, std::int64_t height,
                      std::int64_t width) {
  torch::Tensor padded = torch::zeros({n, height + 2, width + 2, c}, patches.options());
  const torch::Tensor p = patches.view({n, height / 2, width / 2, kKernel, kKernel, c});
  const std::int64_t row = (width + 2) * c;
  for (std::int64_t y = 0; y < kKernel; ++y) {
    for (std::int64_t x = 0; x < kKernel; ++x) {
      padded
          .as_strided({n, height / 2, width / 2, c}, {(height + 2) * row, 2 * row, 2 * c, 1}, y * row + x * c)
          .add_(p.select(3, y).select(3, x));
    }
  }
  return padded.narrow(1, 1, height).narrow(2, 1, width).permute({0, 3, 1, 2});
}

// [N*h*w, Co] of a gradient.
torch::Tensor Rows(const torch::Tensor& grad) {
  return grad.permute({0, 2, 3, 1}).reshape({-1, grad.size(1)});
}

struct Convolution : torch::autograd::Function<Convolution> {
  static Variable forward(AutogradContext* context, const Variable& x, const Variable& weight,
                          const OptionalTensor& bias, std::int64_t stride, std::int64_t padding) {
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    context->saved_data["bias"] = bias.has_value() && bias->requires_grad();
    return Convolve(x, weight, bias.value_or(Variable()), {stride, padding});
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto saved = context->get_saved_variables();
    const ConvolutionShape shape{context->saved_data["stride"].toInt(),
                                 context->saved_data["padding"].toInt()};
    const Variable &x = saved[0], &weight = saved[1], &g = grads[0];
    Variable dx, dw, db;
    if (x.requires_grad()) dx = ConvolutionInputGradient(g, weight, x.size(2), x.size(3), shape);
    if (weight.requires_grad()) dw = ConvolutionWeightGradient(g, x, weight, shape);
    if (context->saved_data["bias"].toBool()) db = g.sum(torch::IntArrayRef({0, 2, 3}));
    return {dx, dw, db, Variable(), Variable()};
  }
};

struct TransposedConvolution : torch::autograd::Function<TransposedConvolution> {
  static constexpr ConvolutionShape kShape{2, 1};
  static Variable forward(AutogradContext* context, const Variable& x, const Variable& weight) {
    context->save_for_backward({x, weight});
    return ConvolutionInputGradient(x, weight, 2 * x.size(2), 2 * x.size(3), kShape);
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto saved = context->get_saved_variables();
    const Variable &x = saved[0], &weight = saved[1], &g = grads[0];
    Variable dx, dw;
    if (x.requires_grad()) dx = Convolve(g, weight, {}, kShape);
    if (weight.requires_grad()) dw = ConvolutionWeightGradient(x, g, weight, kShape);
    return {dx, dw};
  }
};

}  // namespace

bool RunsAsMatrixProduct(const torch::Tensor& weight, std::int64_t height, std::int64_t width,
                         ConvolutionShape shape) {
  return weight.device().is_cpu() && shape.stride == 2 && shape.padding == 1 && weight.size(2) == kKernel &&
         weight.size(3) == kKernel && height % 2 == 0 && width % 2 == 0 && height <= 8 && width <= 8;
}

torch::Tensor Convolve(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                       ConvolutionShape shape) {
  if (!RunsAsMatrixProduct(weight, x.size(2), x.size(3), shape)) {
    return torch::conv2d(x, weight, bias, shape.stride, shape.padding);
  }
  const torch::Tensor matrix = WeightMatrix(weight).t();
  const torch::Tensor patches = Patches(x);
  const torch::Tensor y = bias.defined() ? torch::addmm(bias, patches, matrix) : torch::mm(patches, matrix);
  return y.view({x.size(0), x.size(2) / 2, x.size(3) / 2, weight.size(0)}).permute({0, 3, 1, 2});
}

torch::Tensor ConvolutionInputGradient(const torch::Tensor& grad, const torch::Tensor& weight,
                                       std::int64_t height, std::int64_t width, ConvolutionShape shape) {
  if (RunsAsMatrixProduct(weight, height, width, shape)) {
    return Scatter(torch::mm(Rows(grad), WeightMatrix(weight)), grad.size(0), weight.size(1), height, width);
  }
  // Of the input only shape and layout matter here.
  const torch::Tensor like = torch::empty({grad.size(0), weight.size(1), height, width},
                                          grad.options().memory_format(grad.suggest_memory_format()));
  return std::get<0>(at::convolution_backward(grad, like, weight, {}, {shape.stride, shape.stride},
                                              {shape.padding, shape.padding}, {1, 1}, false, {0, 0}, 1,
                                              {true, false, false}));
}

torch::Tensor ConvolutionWeightGradient(const torch::Tensor& grad, const torch::Tensor& x,
                                        const torch::Tensor& weight, ConvolutionShape shape) {
  if (RunsAsMatrixProduct(weight, x.size(2), x.size(3), shape)) {
    return torch::mm(Rows(grad).t(), Patches(x))
        .view({weight.size(0), weight.size(2), weight.size(3), weight.size(1)})
        .permute({0, 3, 1, 2});
  }
  return std::get<1>(at::convolution_backward(grad, x, weight, {}, {shape.stride, shape.stride},
                                              {shape.padding, shape.padding}, {1, 1}, false, {0, 0}, 1,
                                              {false, true, false}));
}

torch::Tensor ConvolveWithGraph(const torch::Tensor& x, const torch::Tensor& weight,
                                const torch::Tensor& bias, ConvolutionShape shape) {
  const OptionalTensor given = bias.defined() ? OptionalTensor(bias) : OptionalTensor();
  return Convolution::apply(x, weight, given, shape.stride, shape.padding);
}

torch::Tensor TransposedConvolveWithGraph(const torch::Tensor& x, const torch::Tensor& weight) {
  return TransposedConvolution::apply(x, weight);
}

}  // namespace auforge::gan
