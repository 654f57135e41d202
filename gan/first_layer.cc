#include "gan/internal/first_layer.h"

#include "gan/internal/convolution.h"

namespace auforge::gan {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

constexpr std::int64_t kColours = 3;

ConvolutionShape ShapeOf(const torch::Tensor& weight) { return {1, weight.size(2) / 2}; }

// Rows of pixels (and likewise columns) fall into k classes by the taps that stay inside: the first k/2 rows,
// all in between, the last k/2. [k classes, k taps], 1 where the tap is inside.
torch::Tensor TapsInside(std::int64_t k, const torch::TensorOptions& options) {
  const std::int64_t reach = k / 2;
  torch::Tensor inside = torch::ones({k, k});
  for (std::int64_t c = 0; c < reach; ++c) {
    inside[c].narrow(0, 0, reach - c).zero_();
    inside[k - 1 - c].narrow(0, k - (reach - c), reach - c).zero_();
  }
  return inside.to(options);
}

// Sums of g over the pixels of each class of row and column: [N,C,k,k].
torch::Tensor SumByClass(const torch::Tensor& g, std::int64_t k) {
  const std::int64_t reach = k / 2, height = g.size(2), width = g.size(3);
  const torch::Tensor columns =
      torch::cat({g.narrow(3, 0, reach), g.narrow(3, reach, width - 2 * reach).sum(3, true),
                  g.narrow(3, width - reach, reach)},
                 3);
  return torch::cat({columns.narrow(2, 0, reach), columns.narrow(2, reach, height - 2 * reach).sum(2, true),
                     columns.narrow(2, height - reach, reach)},
                    2);
}

// [C,A,k,k]: of the planes' weights, for each AU and tap, sum over images of AU times the gradient that the
// tap meets.
torch::Tensor PlanesGradient(const torch::Tensor& g, const torch::Tensor& aus, std::int64_t k) {
  const torch::Tensor inside = TapsInside(k, g.options());
  const torch::Tensor met = torch::matmul(torch::matmul(inside.t(), SumByClass(g, k)), inside);
  return torch::mm(aus.t(), met.flatten(1)).view({aus.size(1), g.size(1), k, k}).transpose(0, 1);
}

struct FirstLayer : torch::autograd::Function<FirstLayer> {
  static Variable forward(AutogradContext* context, const Variable& image, const Variable& aus,
                          const Variable& weight) {
    context->save_for_backward({image, aus, weight});
    return Convolve(WithPlanes(image, aus), weight, {}, ShapeOf(weight));
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto saved = context->get_saved_variables();
    const Variable &image = saved[0], &aus = saved[1], &weight = saved[2], &g = grads[0];
    const torch::Tensor colours = weight.narrow(1, 0, kColours).contiguous();
    Variable dimage, dweight;
    if (image.requires_grad()) {
      dimage = ConvolutionInputGradient(g, colours, image.size(2), image.size(3), ShapeOf(weight));
    }
    if (weight.requires_grad()) {
      dweight = torch::cat({ConvolutionWeightGradient(g, image, colours, ShapeOf(weight)),
                            PlanesGradient(g, aus, weight.size(2))},
                           1);
    }
    return {dimage, Variable(), dweight};
  }
};

}  // namespace

torch::Tensor WithPlanes(const torch::Tensor& image, const torch::Tensor& aus) {
  const torch::Tensor planes =
      aus.unsqueeze(2).unsqueeze(3).expand({aus.size(0), aus.size(1), image.size(2), image.size(3)});
  return torch::cat({image, planes}, 1);
}

torch::Tensor FirstConvolution(const torch::Tensor& image, const torch::Tensor& aus,
                               const torch::Tensor& weight) {
  return FirstLayer::apply(image, aus, weight);
}

torch::Tensor FirstConvolutionUpToShift(const torch::Tensor& image, const torch::Tensor& aus,
                                        const torch::Tensor& weight) {
  const std::int64_t k = weight.size(2), reach = k / 2, height = image.size(2), width = image.size(3);
  torch::Tensor y = Convolve(image, weight.narrow(1, 0, kColours).contiguous(), {}, ShapeOf(weight));
  // What the planes add in each class of pixel, less what they add inside. In double: it is a small sum, and
  // what is left of its rounding would be seen as an edge.
  const torch::Tensor w = weight.narrow(1, kColours, aus.size(1)).to(torch::kFloat64);
  const torch::Tensor inside = TapsInside(k, w.options());
  const torch::Tensor of_class = torch::matmul(torch::matmul(inside, w), inside.t());  // [C,A,k,k]
  torch::Tensor planes = torch::mm(aus.to(torch::kFloat64), of_class.transpose(0, 1).flatten(1))
                             .view({aus.size(0), weight.size(0), k, k});
  planes = (planes - planes.narrow(2, reach, 1).narrow(3, reach, 1)).to(y.scalar_type());
  torch::Tensor columns = torch::full({width}, reach, aus.options().dtype(torch::kLong));
  columns.narrow(0, 0, reach).copy_(torch::arange(reach));
  columns.narrow(0, width - reach, reach).copy_(torch::arange(reach + 1, k));
  const torch::Tensor rows = planes.index_select(3, columns);
  y.narrow(2, 0, reach).add_(rows.narrow(2, 0, reach));
  y.narrow(2, height - reach, reach).add_(rows.narrow(2, reach + 1, reach));
  const torch::Tensor between = y.narrow(2, reach, height - 2 * reach), side = planes.narrow(2, reach, 1);
  between.narrow(3, 0, reach).add_(side.narrow(3, 0, reach));
  between.narrow(3, width - reach, reach).add_(side.narrow(3, reach + 1, reach));
  return y;
}

}  // namespace auforge::gan
