#include "gan/internal/instance_norm.h"

#include <ATen/Parallel.h>

#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "gan/internal/torch_api.h"

namespace auforge::gan {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

constexpr double kEpsilon = 1e-5;
using Bits = std::uint16_t;  // bfloat16 is the upper half of a float

inline float Widen(Bits b) { return std::bit_cast<float>(static_cast<std::uint32_t>(b) << 16); }
// To the nearest, ties to even. No value here is a NaN that matters: the trainer stops on the loss.
inline Bits Narrow(float f) {
  const auto u = std::bit_cast<std::uint32_t>(f);
  return static_cast<Bits>((u + 0x7fffU + ((u >> 16) & 1U)) >> 16);
}

// The loops over channels below have no branch and no aliasing left in them, so that the compiler can
// vectorise them; they are bound by memory then.
struct Plane {
  std::int64_t pixels, channels;  // of one image, channels-last
};

// Float sums over short runs, gathered in double: 16,384 pixels would cost a float four digits.
// add(first pixel, pixels, float sums a, float sums b).
template <typename Add>
void SumOverPixels(Plane plane, std::vector<double>& a, std::vector<double>& b, const Add& add) {
  constexpr std::int64_t kRun = 64;
  const auto c = static_cast<std::size_t>(plane.channels);
  std::vector<float> sa(c), sb(c);
  a.assign(c, 0);
  b.assign(c, 0);
  for (std::int64_t begin = 0; begin < plane.pixels; begin += kRun) {
    std::fill(sa.begin(), sa.end(), 0.0F);
    std::fill(sb.begin(), sb.end(), 0.0F);
    add(begin, std::min(kRun, plane.pixels - begin), sa.data(), sb.data());
    for (std::size_t j = 0; j < c; ++j) {
      a[j] += static_cast<double>(sa[j]);
      b[j] += static_cast<double>(sb[j]);
    }
  }
}

void AddMoments(const Bits* __restrict x, std::int64_t pixels, std::int64_t c, float* __restrict sum,
                float* __restrict square) {
  for (std::int64_t p = 0; p < pixels; ++p, x += c) {
    for (std::int64_t j = 0; j < c; ++j) {
      const float v = Widen(x[j]);
      sum[j] += v;
      square[j] += v * v;
    }
  }
}

template <bool kRelu, bool kSkip>
void Scale(const Bits* __restrict x, const Bits* __restrict skip, std::int64_t pixels, std::int64_t c,
           const float* __restrict gain, const float* __restrict offset, Bits* __restrict y) {
  for (std::int64_t p = 0; p < pixels; ++p, x += c, y += c) {
    for (std::int64_t j = 0; j < c; ++j) {
      float v = Widen(x[j]) * gain[j] + offset[j];
      if constexpr (kRelu) v = v > 0 ? v : 0;
      if constexpr (kSkip) v += Widen(skip[j]);
      y[j] = Narrow(v);
    }
    if constexpr (kSkip) skip += c;
  }
}

// What the norm of one image multiplies and adds: y = x gain + offset, xhat = x inverse + shifted.
struct Affine {
  std::vector<float> gain, offset, inverse, shifted;
  Affine(std::int64_t c, const float* scale, const float* shift, const float* mean,
         const float* inverse_deviation) {
    for (std::int64_t j = 0; j < c; ++j) {
      inverse.push_back(inverse_deviation[j]);
      shifted.push_back(-mean[j] * inverse_deviation[j]);
      gain.push_back(inverse_deviation[j] * scale[j]);
      offset.push_back(shift[j] - mean[j] * gain.back());
    }
  }
};

void ForwardImage(Plane plane, const Bits* x, const float* scale, const float* shift, const Bits* skip,
                  bool relu, float* mean, float* inverse, Bits* y) {
  const std::int64_t c = plane.channels;
  std::vector<double> sum, square;
  SumOverPixels(plane, sum, square, [x, c](std::int64_t first, std::int64_t pixels, float* s, float* q) {
    AddMoments(x + first * c, pixels, c, s, q);
  });
  for (std::int64_t j = 0; j < c; ++j) {
    const auto at = static_cast<std::size_t>(j);
    const double m = sum[at] / static_cast<double>(plane.pixels);
    const double variance = std::max(0.0, square[at] / static_cast<double>(plane.pixels) - m * m);
    mean[j] = static_cast<float>(m);
    inverse[j] = static_cast<float>(1 / std::sqrt(variance + kEpsilon));
  }
  const Affine affine(c, scale, shift, mean, inverse);
  const auto run = skip != nullptr ? Scale<false, true> : relu ? Scale<true, false> : Scale<false, false>;
  run(x, skip, plane.pixels, c, affine.gain.data(), affine.offset.data(), y);
}

// Sums of g and g xhat, with g zero where the ReLU was closed.
template <bool kRelu>
void AddGradients(const Bits* __restrict grad, const Bits* __restrict x, std::int64_t pixels, std::int64_t c,
                  const float* __restrict gain, const float* __restrict offset,
                  const float* __restrict inverse, const float* __restrict shifted, float* __restrict sum,
                  float* __restrict product) {
  for (std::int64_t p = 0; p < pixels; ++p, x += c, grad += c) {
    for (std::int64_t j = 0; j < c; ++j) {
      const float v = Widen(x[j]);
      float g = Widen(grad[j]);
      if constexpr (kRelu) g = v * gain[j] + offset[j] > 0 ? g : 0;
      sum[j] += g;
      product[j] += g * (v * inverse[j] + shifted[j]);
    }
  }
}

// dx = gain (g - mean(g) - xhat mean(g xhat)).
template <bool kRelu>
void WriteGradient(const Bits* __restrict grad, const Bits* __restrict x, std::int64_t pixels, std::int64_t c,
                   const float* __restrict gain, const float* __restrict offset,
                   const float* __restrict inverse, const float* __restrict shifted,
                   const float* __restrict mean_g, const float* __restrict mean_gx, Bits* __restrict dx) {
  for (std::int64_t p = 0; p < pixels; ++p, x += c, grad += c, dx += c) {
    for (std::int64_t j = 0; j < c; ++j) {
      const float v = Widen(x[j]);
      float g = Widen(grad[j]);
      if constexpr (kRelu) g = v * gain[j] + offset[j] > 0 ? g : 0;
      dx[j] = Narrow(gain[j] * (g - mean_g[j] - (v * inverse[j] + shifted[j]) * mean_gx[j]));
    }
  }
}

template <bool kRelu>
void BackwardImage(Plane plane, const Bits* grad, const Bits* x, const float* scale, const float* shift,
                   const float* mean, const float* inverse, float* dscale, float* dshift, Bits* dx) {
  const std::int64_t c = plane.channels;
  const Affine a(c, scale, shift, mean, inverse);
  std::vector<double> sum, product;
  SumOverPixels(plane, sum, product, [&](std::int64_t first, std::int64_t pixels, float* s, float* q) {
    AddGradients<kRelu>(grad + first * c, x + first * c, pixels, c, a.gain.data(), a.offset.data(),
                        a.inverse.data(), a.shifted.data(), s, q);
  });
  std::vector<float> mean_g, mean_gx;
  for (std::size_t j = 0; j < sum.size(); ++j) {
    dshift[j] = static_cast<float>(sum[j]);
    dscale[j] = static_cast<float>(product[j]);
    mean_g.push_back(static_cast<float>(sum[j] / static_cast<double>(plane.pixels)));
    mean_gx.push_back(static_cast<float>(product[j] / static_cast<double>(plane.pixels)));
  }
  WriteGradient<kRelu>(grad, x, plane.pixels, c, a.gain.data(), a.offset.data(), a.inverse.data(),
                       a.shifted.data(), mean_g.data(), mean_gx.data(), dx);
}

Bits* Data(const torch::Tensor& t) { return reinterpret_cast<Bits*>(t.data_ptr<at::BFloat16>()); }

struct FusedNorm : torch::autograd::Function<FusedNorm> {
  static Variable forward(AutogradContext* context, const Variable& input, const Variable& scale,
                          const Variable& shift, const OptionalTensor& skip, bool relu) {
    const torch::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    const torch::Tensor add =
        skip.has_value() ? skip->contiguous(at::MemoryFormat::ChannelsLast) : torch::Tensor();
    const std::int64_t n = x.size(0), c = x.size(1), image = c * x.size(2) * x.size(3);
    torch::Tensor y = torch::empty_like(x);
    torch::Tensor mean = torch::empty({n, c}), inverse = torch::empty({n, c});
    const float *s = scale.data_ptr<float>(), *t = shift.data_ptr<float>();
    at::parallel_for(0, n, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        ForwardImage({image / c, c}, Data(x) + i * image, s, t,
                     add.defined() ? Data(add) + i * image : nullptr, relu, mean.data_ptr<float>() + i * c,
                     inverse.data_ptr<float>() + i * c, Data(y) + i * image);
      }
    });
    context->save_for_backward({x, scale, shift, mean, inverse});
    context->saved_data["relu"] = relu;
    context->saved_data["skip"] = skip.has_value();
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto saved = context->get_saved_variables();
    const Variable &x = saved[0], &scale = saved[1], &shift = saved[2], &mean = saved[3], &inverse = saved[4];
    const torch::Tensor g = grads[0].contiguous(at::MemoryFormat::ChannelsLast);
    const std::int64_t n = x.size(0), c = x.size(1), image = c * x.size(2) * x.size(3);
    torch::Tensor dx = torch::empty_like(x), dscale = torch::empty({n, c}), dshift = torch::empty({n, c});
    const bool relu = context->saved_data["relu"].toBool();
    at::parallel_for(0, n, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const auto run = relu ? BackwardImage<true> : BackwardImage<false>;
        run({image / c, c}, Data(g) + i * image, Data(x) + i * image, scale.data_ptr<float>(),
            shift.data_ptr<float>(), mean.data_ptr<float>() + i * c, inverse.data_ptr<float>() + i * c,
            dscale.data_ptr<float>() + i * c, dshift.data_ptr<float>() + i * c, Data(dx) + i * image);
      }
    });
    // The sum over images in a fixed order, whatever the threads.
    const Variable dskip = context->saved_data["skip"].toBool() ? grads[0] : Variable();
    return {dx, dscale.sum(0), dshift.sum(0), dskip, Variable()};
  }
};

// Moments are summed in this type.
torch::ScalarType SumType(const torch::Tensor& x) {
  return x.scalar_type() == torch::kFloat64 ? torch::kFloat64 : torch::kFloat;
}

// Sums over the pixels of each plane: [N,C,1,1].
torch::Tensor PlaneSum(const torch::Tensor& t) { return t.sum(torch::IntArrayRef({2, 3}), true, SumType(t)); }

// out = a + b * c in the widest type of the three, rounded once. a: of the sums' type, of out's shape or of planes.
void AddProduct(const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& c, torch::Tensor& out) {
#if TORCH_VERSION_MAJOR >= 2
  at::addcmul_out(out, a, b, c);
#else  // does not mix types
  out.copy_(torch::addcmul(a, b.to(a.scalar_type()), c.to(a.scalar_type())));
#endif
}

// Variance and mean of each plane, [N,C,1,1].
std::tuple<torch::Tensor, torch::Tensor> Moments(const torch::Tensor& x) {
  const torch::ScalarType type = SumType(x);
  constexpr std::array<std::int64_t, 2> pixels{2, 3};
  if (x.scalar_type() == type) return torch::var_mean(x, torch::IntArrayRef(pixels), /*unbiased=*/false, /*keepdim=*/true);
  // The library would round these to x's own type.
  const auto count = static_cast<double>(x.size(2) * x.size(3));
  const torch::Tensor mean = PlaneSum(x) / count;
  const torch::Tensor length = torch::norm(x, torch::Scalar(2), torch::IntArrayRef(pixels), true, type);
  return {(length.square() / count - mean.square()).clamp_min(0), mean};
}

// Of the library's own kernels, none of which minds where the channels lie, each of one pass over memory: what is narrower
// than the sums is widened and narrowed on the way.
struct LayoutFreeNorm : torch::autograd::Function<LayoutFreeNorm> {
  static Variable forward(AutogradContext* context, const Variable& x, const Variable& scale, const Variable& shift,
                          const OptionalTensor& skip, bool relu) {
    const torch::ScalarType type = SumType(x);
    const auto [variance, mean] = Moments(x);
    const torch::Tensor inverse = (variance + kEpsilon).rsqrt();
    const torch::Tensor gain = inverse * scale.to(type).view({1, -1, 1, 1});
    const torch::Tensor offset = shift.to(type).view({1, -1, 1, 1}) - mean * gain;
    torch::Tensor y = torch::empty_like(x);
    AddProduct(offset, x, gain, y);
    if (relu) y.relu_();
    context->save_for_backward({x, scale, mean, inverse, relu ? y : Variable()});
    context->saved_data["skip"] = skip.has_value();
    return skip.has_value() ? y.add_(*skip) : y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto saved = context->get_saved_variables();
    const Variable &x = saved[0], &scale = saved[1], &mean = saved[2], &inverse = saved[3], &y = saved[4];
    const auto pixels = static_cast<double>(x.size(2) * x.size(3));
    const torch::ScalarType type = SumType(x);
    const torch::Tensor g = y.defined() ? at::threshold_backward(grads[0], y, 0) : grads[0];
    torch::Tensor product = torch::empty_like(x, x.options().dtype(type));
    // Added to a zero of the wider type, without which the products would be rounded to the narrower one.
    AddProduct(torch::zeros({1, 1, 1, 1}, product.options()), g, x, product);
    const torch::Tensor sum = PlaneSum(g);
    const torch::Tensor along = (PlaneSum(product) - mean * sum) * inverse;  // with the normed x
    // gain (g - mean of g - normed x times the mean of g normed x), a line in g and x
    const torch::Tensor gain = inverse * scale.to(type).view({1, -1, 1, 1});
    const torch::Tensor slope = -gain * inverse * along / pixels;
    at::mul_out(product, x, slope);
    product.sub_(gain * sum / pixels + slope * mean);
    torch::Tensor dx = torch::empty_like(x);
    AddProduct(product, g, gain, dx);
    const Variable dskip = context->saved_data["skip"].toBool() ? grads[0] : Variable();
    const auto whole = [&scale](const torch::Tensor& t) { return t.sum(torch::IntArrayRef({0, 2, 3})).to(scale.scalar_type()); };
    return {dx, whole(along), whole(sum), dskip, Variable()};
  }
};

OptionalTensor Given(const torch::Tensor& t) { return t.defined() ? OptionalTensor(t) : OptionalTensor(); }

}  // namespace

torch::Tensor NormInAnyLayout(const torch::Tensor& x, const torch::Tensor& scale, const torch::Tensor& shift, bool relu,
                              const torch::Tensor& skip) {
  return LayoutFreeNorm::apply(x, scale, shift, Given(skip), relu);
}

torch::Tensor InstanceNorm(const torch::Tensor& x, const torch::Tensor& scale, const torch::Tensor& shift,
                           bool relu, const torch::Tensor& skip) {
  if (x.device().is_cpu() && x.scalar_type() == torch::kBFloat16) {
    return FusedNorm::apply(x, scale, shift, Given(skip), relu);
  }
  if (x.is_cuda() && x.suggest_memory_format() == at::MemoryFormat::ChannelsLast)
    return NormInAnyLayout(x, scale, shift, relu, skip);
  torch::Tensor y =
      torch::group_norm(x, x.size(1), scale.to(x.scalar_type()), shift.to(x.scalar_type()), kEpsilon);
  if (skip.defined()) return y + skip;
  return relu ? y.relu_() : y;
}

}  // namespace auforge::gan
