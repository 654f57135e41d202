// The generator's first convolution: an image beside planes that are constant, one for each AU. What the
// planes contribute depends on a pixel only where the kernel reaches over the border, so that it is a sum of
// weights rather than a convolution.
#pragma once

#include <torch/torch.h>

namespace auforge::gan {

// The image with its planes: [N,3+A,H,W].
torch::Tensor WithPlanes(const torch::Tensor& image, const torch::Tensor& aus);

// image: [N,3,H,W]; aus: [N,A]; weight: [C,3+A,k,k], k odd; stride 1, padding k/2; H, W >= k. Returns
// [N,C,H,W]. Differentiable once in image and weight. The forward pass sums in the library's own order; the
// backward pass takes the planes' part as sums of the gradient.
torch::Tensor FirstConvolution(const torch::Tensor& image, const torch::Tensor& aus,
                               const torch::Tensor& weight);

// The same without a graph and less a number for each channel of each image, which the instance norm that
// follows takes out again: a convolution of three channels and a correction of the border.
torch::Tensor FirstConvolutionUpToShift(const torch::Tensor& image, const torch::Tensor& aus,
                                        const torch::Tensor& weight);

}  // namespace auforge::gan
