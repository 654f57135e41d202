#include "gan/internal/losses.h"

namespace auforge::gan {
namespace {

constexpr double kLeak = 0.01;

std::string Main(int index) { return "main." + std::to_string(index); }

// Mean squared error over AUs and images; the paper's form sums over the AUs.
torch::Tensor AuLoss(const torch::Tensor& predicted, const torch::Tensor& wanted, LossForm form) {
  const torch::Tensor mse = torch::mse_loss(predicted, wanted);
  return form == LossForm::kPaper ? mse * wanted.size(1) : mse;
}

torch::Tensor MaskLoss(const torch::Tensor& mask, LossForm form) {
  return form == LossForm::kPaper ? mask.flatten(1).norm(2, 1).mean() : mask.mean();
}

double Value(const torch::Tensor& scalar) { return scalar.item<double>(); }

std::vector<torch::Tensor> Differentiate(const torch::Tensor& loss, const Parameters& p) {
  return torch::autograd::grad({loss}, p.Tensors(), {}, /*retain_graph=*/false, /*create_graph=*/false,
                               /*allow_unused=*/true);
}

// Weight gradient of a stride-2, padding-1 convolution.
torch::Tensor WeightGradient(const torch::Tensor& grad, const torch::Tensor& input, const torch::Tensor& weight,
                             std::int64_t stride) {
  const auto result = at::convolution_backward(grad, input, weight, c10::nullopt, {stride, stride}, {1, 1}, {1, 1},
                                               false, {0, 0}, 1, {false, true, false});
  return std::get<1>(result);
}

torch::Tensor InputGradient(const torch::Tensor& grad, const torch::Tensor& input, const torch::Tensor& weight,
                            std::int64_t stride) {
  const auto result = at::convolution_backward(grad, input, weight, c10::nullopt, {stride, stride}, {1, 1}, {1, 1},
                                               false, {0, 0}, 1, {true, false, false});
  return std::get<0>(result);
}

}  // namespace

torch::Tensor TotalVariation(const torch::Tensor& mask, LossForm form) {
  using torch::indexing::None;
  using torch::indexing::Slice;
  const torch::Tensor dx = mask.index({Slice(), Slice(), Slice(), Slice(None, -1)}) -
                           mask.index({Slice(), Slice(), Slice(), Slice(1, None)});
  const torch::Tensor dy = mask.index({Slice(), Slice(), Slice(None, -1), Slice()}) -
                           mask.index({Slice(), Slice(), Slice(1, None), Slice()});
  const torch::Tensor sum = form == LossForm::kPaper ? dx.square().sum() + dy.square().sum() : dx.abs().sum() + dy.abs().sum();
  return sum / mask.size(0);
}

Gradients CriticLossGradients(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                              const Batch& batch, const torch::Tensor& fake, CriticCalls calls) {
  d.RequireGrad(true);
  const std::int64_t n = batch.image.size(0);
  torch::Tensor real_score, fake_score, aus;
  if (calls == CriticCalls::kJoint) {
    const DiscriminatorOutput both = RunDiscriminator(d, options, torch::cat({batch.image, fake}, 0));
    real_score = both.score.narrow(0, 0, n);
    fake_score = both.score.narrow(0, n, n);
    aus = both.aus.narrow(0, 0, n);
  } else {
    const DiscriminatorOutput real = RunDiscriminator(d, options, batch.image);
    real_score = real.score;
    aus = real.aus;
    fake_score = RunDiscriminator(d, options, fake).score;
  }
  const torch::Tensor real = -weights.image * real_score.mean();
  const torch::Tensor faked = weights.image * fake_score.mean();
  const torch::Tensor cond = weights.AuWeight(n) * AuLoss(aus, batch.aus, weights.form);
  Gradients result;
  result.terms = {{"d_real", Value(real)}, {"d_fake", Value(faked)}, {"d_cond", Value(cond)}};
  result.values = Differentiate(real + faked + cond, d);
  d.RequireGrad(false);
  return result;
}

Gradients PenaltyGradientsByAutograd(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                                     const torch::Tensor& interpolated) {
  d.RequireGrad(true);
  const torch::Tensor input = interpolated.detach().requires_grad_(true);
  const torch::Tensor score = RunDiscriminator(d, options, input).score;
  const torch::Tensor slope = torch::autograd::grad({score}, {input}, {torch::ones_like(score)}, true, true)[0];
  const torch::Tensor norm = slope.flatten(1).square().sum(1).sqrt();
  const torch::Tensor penalty = weights.penalty * (norm - 1).square().mean();
  Gradients result;
  result.terms = {{"d_gp", Value(penalty)}};
  result.values = Differentiate(penalty, d);
  d.RequireGrad(false);
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    if (!result.values[i].defined()) result.values[i] = torch::zeros_like(d.entries()[i].second);
  }
  return result;
}

// With LeakyReLU masks fixed, score = linear map of the input. Let s_l be the slopes (1 or 0.01) after layer l.
//   backward chain:  r_L = C1' 1,  e_l = s_l r_l,  r_{l-1} = W_l' e_l,  slope = r_0
//   P = c mean (|r_0| - 1)^2  =>  v_0 = dP/dr_0 = 2 c / N (|r_0| - 1) r_0 / |r_0|
//   tangent chain:   t_l = W_l v_{l-1}  (dP/de_l),  v_l = s_l t_l  (dP/dr_l)
//   dP/dW_l = wgrad(output gradient e_l, input v_{l-1});  dP/dC1 = wgrad(1, v_L).
// Biases and the AU head do not matter.
Gradients PenaltyGradients(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                           const torch::Tensor& interpolated) {
  const torch::NoGradGuard no_grad;
  const int layers = options.critic_layers;
  std::vector<torch::Tensor> activations{interpolated};
  std::vector<torch::Tensor> slopes;
  for (int l = 0; l < layers; ++l) {
    torch::Tensor x = torch::conv2d(activations.back(), d[Main(2 * l) + ".weight"], d[Main(2 * l) + ".bias"], 2, 1);
    slopes.push_back(torch::where(x > 0, torch::ones({}, x.options()), torch::full({}, kLeak, x.options())));
    activations.push_back(x.mul_(slopes.back()));
  }
  const torch::Tensor& head = d["conv1.weight"];
  const torch::Tensor& top = activations.back();
  const torch::Tensor ones = torch::ones({top.size(0), 1, top.size(2), top.size(3)}, top.options());
  torch::Tensor r = InputGradient(ones, top, head, 1);
  std::vector<torch::Tensor> e(static_cast<std::size_t>(layers));
  for (int l = layers - 1; l >= 0; --l) {
    const auto at = static_cast<std::size_t>(l);
    e[at] = r.mul_(slopes[at]);
    r = InputGradient(e[at], activations[at], d[Main(2 * l) + ".weight"], 2);
  }
  const torch::Tensor norm = r.flatten(1).square().sum(1).sqrt();
  const torch::Tensor penalty = weights.penalty * (norm - 1).square().mean();
  const torch::Tensor factor =
      2 * weights.penalty / static_cast<double>(r.size(0)) * (norm - 1) / norm.clamp_min(1e-30);
  torch::Tensor v = r * factor.view({-1, 1, 1, 1});

  std::map<std::string, torch::Tensor> gradient;
  for (int l = 0; l < layers; ++l) {
    const auto at = static_cast<std::size_t>(l);
    const std::string name = Main(2 * l) + ".weight";
    gradient[name] = WeightGradient(e[at], v, d[name], 2);
    v = torch::conv2d(v, d[name], {}, 2, 1).mul_(slopes[at]);
  }
  gradient["conv1.weight"] = WeightGradient(ones, v, head, 1);
  Gradients result;
  result.terms = {{"d_gp", Value(penalty)}};
  for (const auto& [name, value] : d.entries()) {
    const auto found = gradient.find(name);
    result.values.push_back(found != gradient.end() ? found->second : torch::zeros_like(value));
  }
  return result;
}

GeneratorPass GeneratorLossGradients(const Parameters& g, const Parameters& d, const NetworkOptions& options,
                                     const LossWeights& weights, const Batch& batch) {
  g.RequireGrad(true);
  d.RequireGrad(false);  // frozen: no gradient of the critic's weights is computed
  const std::int64_t n = batch.image.size(0);
  const GeneratorOutput first = RunGenerator(g, options, batch.image, batch.target);
  const torch::Tensor fake = Compose(first, batch.image);
  const DiscriminatorOutput judged = RunDiscriminator(d, options, fake);
  const GeneratorOutput second = RunGenerator(g, options, fake, batch.aus);
  const torch::Tensor back = Compose(second, fake);

  const double smooth = weights.SmoothWeight(n);
  const std::vector<std::pair<std::string, torch::Tensor>> terms{
      {"g_masked_fake", -weights.image * judged.score.mean()},
      {"g_masked_cond", weights.AuWeight(n) * AuLoss(judged.aus, batch.target, weights.form)},
      {"g_cyc", weights.cycle * torch::l1_loss(back, batch.image)},
      {"g_mask_1", weights.mask * MaskLoss(first.attention, weights.form)},
      {"g_mask_2", weights.mask * MaskLoss(second.attention, weights.form)},
      {"g_mask_1_smooth", smooth * TotalVariation(first.attention, weights.form)},
      {"g_mask_2_smooth", smooth * TotalVariation(second.attention, weights.form)}};
  torch::Tensor total = torch::zeros({}, batch.image.options());
  GeneratorPass result;
  for (const auto& [name, term] : terms) {
    total = total + term;
    result.gradients.terms[name] = Value(term);
  }
  result.gradients.values = Differentiate(total, g);
  g.RequireGrad(false);
  result.fake = fake.detach();
  result.attention = first.attention.detach();
  return result;
}

}  // namespace auforge::gan
