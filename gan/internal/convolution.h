// Convolutions with their two gradients as plain functions, so that losses can be written out by hand, and a
// transposed convolution that runs as another convolution's data gradient (the library's own is slower). Any
// device and type. Where the picture has shrunk to a few pixels and the weights are large, the product is
// done as a matrix product over gathered patches: the library's weight gradient is several times slower
// there.
#pragma once

#include <torch/torch.h>

namespace auforge::gan {

struct ConvolutionShape {
  std::int64_t stride = 1, padding = 0;
};

// x: [N,Ci,H,W]; weight: [Co,Ci,k,k]; bias: [Co] or undefined.
torch::Tensor Convolve(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                       ConvolutionShape shape);
// grad: of the output, [N,Co,h,w]; height, width: of the input.
torch::Tensor ConvolutionInputGradient(const torch::Tensor& grad, const torch::Tensor& weight,
                                       std::int64_t height, std::int64_t width, ConvolutionShape shape);
torch::Tensor ConvolutionWeightGradient(const torch::Tensor& grad, const torch::Tensor& x,
                                        const torch::Tensor& weight, ConvolutionShape shape);

// The three above, differentiable once.
torch::Tensor ConvolveWithGraph(const torch::Tensor& x, const torch::Tensor& weight,
                                const torch::Tensor& bias, ConvolutionShape shape);
// 4 x 4, stride 2, padding 1, twice the size. weight: [Ci,Co,4,4].
torch::Tensor TransposedConvolveWithGraph(const torch::Tensor& x, const torch::Tensor& weight);

// True where the matrix product is the faster way: 4 x 4 kernels with stride 2 onto at most 4 x 4 pixels.
bool RunsAsMatrixProduct(const torch::Tensor& weight, std::int64_t height, std::int64_t width,
                         ConvolutionShape shape);

}  // namespace auforge::gan
