#include "gan/internal/adam.h"

#include <ATen/Parallel.h>

#include <cmath>

namespace auforge::gan {
namespace {

template <typename T>
void UpdateRange(T* value, const T* gradient, T* mean, T* square, std::int64_t begin, std::int64_t end, T beta1, T beta2,
                 T rate, T inverse_root, T epsilon) {
  for (std::int64_t i = begin; i < end; ++i) {
    mean[i] += (1 - beta1) * (gradient[i] - mean[i]);
    square[i] = beta2 * square[i] + (1 - beta2) * gradient[i] * gradient[i];
    value[i] -= rate * mean[i] / (std::sqrt(square[i]) * inverse_root + epsilon);
  }
}

template <typename T>
void Update(torch::Tensor value, const torch::Tensor& gradient, torch::Tensor mean, torch::Tensor square,
            const AdamOptions& o, double rate, double inverse_root) {
  const torch::Tensor g = gradient.contiguous();
  T* v = value.data_ptr<T>();
  T* m = mean.data_ptr<T>();
  T* s = square.data_ptr<T>();
  const T* gp = g.data_ptr<T>();
  constexpr std::int64_t kGrain = 1 << 16;
  at::parallel_for(0, value.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    UpdateRange<T>(v, gp, m, s, begin, end, static_cast<T>(o.beta1), static_cast<T>(o.beta2), static_cast<T>(rate),
                   static_cast<T>(inverse_root), static_cast<T>(o.epsilon));
  });
}

}  // namespace

AdamState MakeAdamState(const Parameters& p) {
  AdamState state;
  for (const auto& [name, value] : p.entries()) {
    state.mean.push_back(torch::zeros_like(value));
    state.square.push_back(torch::zeros_like(value));
  }
  return state;
}

void AdamStep(const Parameters& p, const std::vector<torch::Tensor>& gradients, const AdamOptions& options,
              AdamState& state) {
  const torch::NoGradGuard no_grad;
  ++state.step;
  const auto t = static_cast<double>(state.step);
  const double rate = options.rate / (1 - std::pow(options.beta1, t));
  const double inverse_root = 1 / std::sqrt(1 - std::pow(options.beta2, t));
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    torch::Tensor value = p.entries()[i].second;
    torch::Tensor& m = state.mean[i];
    torch::Tensor& s = state.square[i];
    const torch::Tensor& g = gradients[i];
    if (!g.defined()) continue;
    if (value.device().is_cpu() && value.is_contiguous() && value.scalar_type() == torch::kFloat32) {
      Update<float>(value, g, m, s, options, rate, inverse_root);
    } else if (value.device().is_cpu() && value.is_contiguous() && value.scalar_type() == torch::kFloat64) {
      Update<double>(value, g, m, s, options, rate, inverse_root);
    } else {
      m.add_(g - m, 1 - options.beta1);
      s.mul_(options.beta2).addcmul_(g, g, 1 - options.beta2);
      value.addcdiv_(m, s.sqrt().mul_(inverse_root).add_(options.epsilon), -rate);
    }
  }
}

}  // namespace auforge::gan
