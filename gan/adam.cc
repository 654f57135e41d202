#include "gan/internal/adam.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

namespace auforge::gan {
namespace {

// Everything lies in memory in the same order. T: float or double; G: T or bfloat16; R: bfloat16, or T for
// "no copy".
template <typename T, typename G, typename R>
struct Pass {
  T* value;
  const G* gradient;
  T* mean;
  T* square;
  R* reduced;  // null: none
  T beta1, beta2, rate, inverse_root, epsilon;

  void operator()(std::int64_t begin, std::int64_t end) const {
    for (std::int64_t i = begin; i < end; ++i) {
      const T g = static_cast<T>(gradient[i]);
      mean[i] += (1 - beta1) * (g - mean[i]);
      square[i] = beta2 * square[i] + (1 - beta2) * g * g;
      value[i] -= rate * mean[i] / (std::sqrt(square[i]) * inverse_root + epsilon);
    }
    if (reduced == nullptr) return;
    for (std::int64_t i = begin; i < end; ++i) reduced[i] = static_cast<R>(static_cast<float>(value[i]));
  }
};

struct Scalars {
  double beta1, beta2, rate, inverse_root, epsilon;
};

template <typename T, typename G, typename R>
void Update(const torch::Tensor& value, const torch::Tensor& gradient, const torch::Tensor& mean,
            const torch::Tensor& square, R* reduced, const Scalars& o) {
  const Pass<T, G, R> pass{value.data_ptr<T>(),
                           gradient.data_ptr<G>(),
                           mean.data_ptr<T>(),
                           square.data_ptr<T>(),
                           reduced,
                           static_cast<T>(o.beta1),
                           static_cast<T>(o.beta2),
                           static_cast<T>(o.rate),
                           static_cast<T>(o.inverse_root),
                           static_cast<T>(o.epsilon)};
  constexpr std::int64_t kGrain = 1 << 16,
                         kBlock = 1 << 12;  // a block stays in the cache for its second loop
  at::parallel_for(0, value.numel(), kGrain, [&pass](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; at += kBlock) pass(at, std::min(end, at + kBlock));
  });
}

bool SameLayout(const torch::Tensor& a, const torch::Tensor& b) {
  return a.sizes() == b.sizes() && a.strides() == b.strides();
}

torch::Tensor Arranged(const torch::Tensor& t, const torch::Tensor& like) {
  return SameLayout(t, like) ? t : torch::empty_like(like, like.options().dtype(t.scalar_type())).copy_(t);
}

void UpdateOnCpu(const torch::Tensor& value, const torch::Tensor& given, const torch::Tensor& mean,
                 const torch::Tensor& square, const torch::Tensor& reduced, const Scalars& o) {
  const bool narrow = given.scalar_type() == torch::kBFloat16;
  const torch::Tensor g = Arranged(narrow ? given : given.to(value.scalar_type()), value);
  at::BFloat16* copy = nullptr;
  if (reduced.defined() && reduced.scalar_type() == torch::kBFloat16 && SameLayout(reduced, value)) {
    copy = reduced.data_ptr<at::BFloat16>();
  }
  if (value.scalar_type() == torch::kFloat64) {
    Update<double, double, at::BFloat16>(value, g.to(torch::kFloat64), mean, square, copy, o);
  } else if (narrow) {
    Update<float, at::BFloat16, at::BFloat16>(value, g, mean, square, copy, o);
  } else {
    Update<float, float, at::BFloat16>(value, g, mean, square, copy, o);
  }
  if (reduced.defined() && copy == nullptr) torch::Tensor(reduced).copy_(value);
}

struct Lists {
  std::vector<torch::Tensor> value, gradient, mean, square, reduced;
};

// On a GPU: one kernel, one pass.
void UpdateOnGpu(Lists& l, const AdamOptions& o, std::int64_t step) {
  const torch::Tensor t = torch::full({}, static_cast<double>(step), l.value.front().options().dtype(torch::kFloat));
  const std::vector<torch::Tensor> steps(l.value.size(), t);
  at::_fused_adam_(l.value, l.gradient, l.mean, l.square, {}, steps, o.rate, o.beta1, o.beta2, /*weight_decay=*/0, o.epsilon,
                   /*amsgrad=*/false, /*maximize=*/false);
}

// On any device: a few kernels over all tensors at once rather than a few for each.
void UpdateTogether(Lists& l, const Scalars& o) {
  at::_foreach_mul_(l.mean, o.beta1);
  at::_foreach_add_(l.mean, l.gradient, 1 - o.beta1);
  at::_foreach_mul_(l.square, o.beta2);
  at::_foreach_addcmul_(l.square, l.gradient, l.gradient, 1 - o.beta2);
  const std::vector<torch::Tensor> divisor = at::_foreach_sqrt(l.square);
  at::_foreach_mul_(divisor, o.inverse_root);
  at::_foreach_add_(divisor, o.epsilon);
  at::_foreach_addcdiv_(l.value, l.mean, divisor, -o.rate);
}

bool IsPlain(const torch::Tensor& value) {
  return value.device().is_cpu() && value.is_non_overlapping_and_dense() &&
         (value.scalar_type() == torch::kFloat32 || value.scalar_type() == torch::kFloat64);
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
              AdamState& state, const Parameters& reduced) {
  const torch::NoGradGuard no_grad;
  ++state.step;
  const auto t = static_cast<double>(state.step);
  const Scalars scalars{options.beta1, options.beta2, options.rate / (1 - std::pow(options.beta1, t)),
                        1 / std::sqrt(1 - std::pow(options.beta2, t)), options.epsilon};
  Lists others;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].defined()) continue;
    const torch::Tensor& value = p.entries()[i].second;
    const torch::Tensor copy = reduced.entries().empty() ? torch::Tensor() : reduced.entries()[i].second;
    if (IsPlain(value) && SameLayout(value, state.mean[i]) && SameLayout(value, state.square[i])) {
      UpdateOnCpu(value, gradients[i], state.mean[i], state.square[i], copy, scalars);
      continue;
    }
    others.value.push_back(value);
    others.gradient.push_back(Arranged(gradients[i].to(value.scalar_type()), value));
    others.mean.push_back(state.mean[i]);
    others.square.push_back(state.square[i]);
    others.reduced.push_back(copy);
  }
  if (others.value.empty()) return;
  if (others.value.front().is_cuda()) {
    UpdateOnGpu(others, options, state.step);
  } else {
    UpdateTogether(others, scalars);
  }
  for (std::size_t i = 0; i < others.reduced.size(); ++i) {
    if (others.reduced[i].defined()) others.reduced[i].copy_(others.value[i]);
  }
}

}  // namespace auforge::gan
