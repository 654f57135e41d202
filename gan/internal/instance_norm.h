// Affine instance norm (epsilon 1e-5, no running statistics), fused with what follows it in the generator.
#pragma once

#include <torch/torch.h>

namespace auforge::gan {

// relu(norm(x)), or skip + norm(x) when relu is false and skip is defined. x: [N,C,H,W]; scale, shift: [C].
// Differentiable once. bfloat16 on the CPU is taken channels-last and done in one pass each way with sums in
// fp32; channels-last on a GPU goes to NormInAnyLayout; everything else to the library's group norm with a group for
// each channel, which there is three to four times faster than its instance norm.
torch::Tensor InstanceNorm(const torch::Tensor& x, const torch::Tensor& scale, const torch::Tensor& shift,
                           bool relu, const torch::Tensor& skip = {});

// The same on any device in whatever layout x has, where the library's norms first copy it into planes. Sums in fp32, or in
// double of double.
torch::Tensor NormInAnyLayout(const torch::Tensor& x, const torch::Tensor& scale, const torch::Tensor& shift, bool relu,
                              const torch::Tensor& skip = {});

}  // namespace auforge::gan
