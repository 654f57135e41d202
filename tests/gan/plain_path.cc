#include "tests/gan/plain_path.h"

namespace auforge::gan::plain {
namespace {

namespace F = torch::nn::functional;

// Gradients become zeros, so that weights which a loss does not reach still move by their momentum, as the
// published code's do; zero_grad() of LibTorch 2 would leave them out.
void ZeroGradients(const Parameters& p) {
  for (const auto& [name, value] : p.entries()) {
    if (value.grad().defined()) value.grad().zero_();
  }
}

std::string Main(int index) { return "main." + std::to_string(index); }

torch::Tensor Norm(const Parameters& p, const std::string& name, const torch::Tensor& x) {
  return torch::instance_norm(x, p[name + ".weight"], p[name + ".bias"], {}, {}, true, 0.1, 1e-5, false);
}

torch::Tensor AuLoss(const torch::Tensor& predicted, const torch::Tensor& wanted, LossForm form) {
  return form == LossForm::kPaper ? (predicted - wanted).square().sum(1).mean()
                                  : F::mse_loss(predicted, wanted);
}

torch::Tensor AttentionLoss(const torch::Tensor& mask, LossForm form) {
  return form == LossForm::kPaper ? mask.square().sum(torch::IntArrayRef({1, 2, 3})).sqrt().mean()
                                  : mask.mean();
}

std::vector<torch::Tensor> Differentiate(const torch::Tensor& loss, const Parameters& p) {
  std::vector<torch::Tensor> grads = torch::autograd::grad({loss}, p.Tensors(), {}, false, false, true);
  for (std::size_t i = 0; i < grads.size(); ++i) {
    if (!grads[i].defined()) grads[i] = torch::zeros_like(p.entries()[i].second);
  }
  return grads;
}

std::map<std::string, torch::Tensor> CriticLoss(const Parameters& d, const NetworkOptions& options,
                                                const LossWeights& weights, const Batch& batch,
                                                const torch::Tensor& fake) {
  const DiscriminatorOutput real = plain::RunDiscriminator(d, options, batch.image);
  const DiscriminatorOutput faked = plain::RunDiscriminator(d, options, fake);
  return {{"d_real", -weights.image * real.score.mean()},
          {"d_fake", weights.image * faked.score.mean()},
          {"d_cond", weights.AuWeight(batch.image.size(0)) * AuLoss(real.aus, batch.aus, weights.form)}};
}

torch::Tensor Penalty(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                      const torch::Tensor& interpolated) {
  const torch::Tensor input = interpolated.detach().requires_grad_(true);
  const torch::Tensor score = plain::RunDiscriminator(d, options, input).score;
  const torch::Tensor slope =
      torch::autograd::grad({score}, {input}, {torch::ones_like(score)}, true, true)[0];
  return weights.penalty * (slope.flatten(1).square().sum(1).sqrt() - 1).square().mean();
}

struct GeneratorLoss {
  std::map<std::string, torch::Tensor> terms;
  torch::Tensor fake, attention;
};

GeneratorLoss LossOfGenerator(const Parameters& g, const Parameters& d, const NetworkOptions& options,
                              const LossWeights& weights, const Batch& batch) {
  const std::int64_t n = batch.image.size(0);
  const GeneratorOutput first = plain::RunGenerator(g, options, batch.image, batch.target);
  const torch::Tensor fake = Compose(first, batch.image);
  const DiscriminatorOutput judged = plain::RunDiscriminator(d, options, fake);
  const GeneratorOutput second = plain::RunGenerator(g, options, fake, batch.aus);
  const double smooth = weights.SmoothWeight(n);
  return {{{"g_masked_fake", -weights.image * judged.score.mean()},
           {"g_masked_cond", weights.AuWeight(n) * AuLoss(judged.aus, batch.target, weights.form)},
           {"g_cyc", weights.cycle * torch::l1_loss(Compose(second, fake), batch.image)},
           {"g_mask_1", weights.mask * AttentionLoss(first.attention, weights.form)},
           {"g_mask_2", weights.mask * AttentionLoss(second.attention, weights.form)},
           {"g_mask_1_smooth", smooth * TotalVariation(first.attention, weights.form)},
           {"g_mask_2_smooth", smooth * TotalVariation(second.attention, weights.form)}},
          fake,
          first.attention};
}

torch::Tensor Sum(const std::map<std::string, torch::Tensor>& terms, LossTerms* values) {
  torch::Tensor total;
  for (const auto& [name, term] : terms) {
    total = total.defined() ? total + term : term;
    if (values != nullptr) (*values)[name] = {term.detach()};
  }
  return total;
}

}  // namespace

GeneratorOutput RunGenerator(const Parameters& p, const NetworkOptions& options, const torch::Tensor& image,
                             const torch::Tensor& aus) {
  const torch::Tensor planes =
      aus.unsqueeze(2).unsqueeze(3).expand({aus.size(0), aus.size(1), image.size(2), image.size(3)});
  torch::Tensor x = torch::conv2d(torch::cat({image, planes}, 1), p[Main(0) + ".weight"], {}, 1, 3);
  x = torch::relu(Norm(p, Main(1), x));
  int index = 3;
  for (int i = 0; i < 2; ++i, index += 3) {
    x = torch::relu(Norm(p, Main(index + 1), torch::conv2d(x, p[Main(index) + ".weight"], {}, 2, 1)));
  }
  for (int i = 0; i < options.generator_blocks; ++i, ++index) {
    torch::Tensor y = torch::conv2d(x, p[Main(index) + ".main.0.weight"], {}, 1, 1);
    y = torch::relu(Norm(p, Main(index) + ".main.1", y));
    x = x + Norm(p, Main(index) + ".main.4", torch::conv2d(y, p[Main(index) + ".main.3.weight"], {}, 1, 1));
  }
  for (int i = 0; i < 2; ++i, index += 3) {
    x = torch::relu(
        Norm(p, Main(index + 1), torch::conv_transpose2d(x, p[Main(index) + ".weight"], {}, 2, 1)));
  }
  return {torch::tanh(torch::conv2d(x, p["img_reg.0.weight"], {}, 1, 3)),
          torch::sigmoid(torch::conv2d(x, p["attetion_reg.0.weight"], {}, 1, 3))};
}

DiscriminatorOutput RunDiscriminator(const Parameters& p, const NetworkOptions& options,
                                     const torch::Tensor& image) {
  torch::Tensor x = image;
  for (int i = 0; i < options.critic_layers; ++i) {
    x = torch::leaky_relu(torch::conv2d(x, p[Main(2 * i) + ".weight"], p[Main(2 * i) + ".bias"], 2, 1),
                          kCriticLeak);
  }
  return {torch::conv2d(x, p["conv1.weight"], {}, 1, 1).squeeze(1),
          torch::conv2d(x, p["conv2.weight"]).flatten(1)};
}

Gradients CriticLossGradients(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                              const Batch& batch, const torch::Tensor& fake) {
  d.RequireGrad(true);
  Gradients result;
  result.values = Differentiate(Sum(CriticLoss(d, options, weights, batch, fake), &result.terms), d);
  d.RequireGrad(false);
  return result;
}

Gradients PenaltyGradients(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                           const torch::Tensor& interpolated) {
  d.RequireGrad(true);
  Gradients result;
  result.values =
      Differentiate(Sum({{"d_gp", Penalty(d, options, weights, interpolated)}}, &result.terms), d);
  d.RequireGrad(false);
  return result;
}

GeneratorPass GeneratorLossGradients(const Parameters& g, const Parameters& d, const NetworkOptions& options,
                                     const LossWeights& weights, const Batch& batch) {
  g.RequireGrad(true);
  const GeneratorLoss loss = LossOfGenerator(g, d, options, weights, batch);
  GeneratorPass result;
  result.gradients.values = Differentiate(Sum(loss.terms, &result.gradients.terms), g);
  g.RequireGrad(false);
  result.fake = loss.fake.detach();
  result.attention = loss.attention.detach();
  return result;
}

Optimisation::Optimisation(const TrainingState& state, const StepOptions& options)
    : state_(state),
      options_(options),
      generator_(
          state.generator.Tensors(),
          torch::optim::AdamOptions(options.adam.rate).betas({options.adam.beta1, options.adam.beta2})),
      discriminator_(
          state.discriminator.Tensors(),
          torch::optim::AdamOptions(options.adam.rate).betas({options.adam.beta1, options.adam.beta2})) {
  state.generator.RequireGrad(true);
  state.discriminator.RequireGrad(true);
}

// As there: the fake is made with its graph, and the networks are never frozen.
void Optimisation::UpdateCritic(const Batch& batch) {
  const torch::Tensor fake = Compose(
      plain::RunGenerator(state_.generator, options_.network, batch.image, batch.target), batch.image);
  ZeroGradients(state_.discriminator);
  Sum(CriticLoss(state_.discriminator, options_.network, options_.weights, batch, fake.detach()), nullptr)
      .backward();
  discriminator_.step();
  ZeroGradients(state_.discriminator);
  Penalty(state_.discriminator, options_.network, options_.weights,
          batch.alpha * batch.image + (1 - batch.alpha) * fake.detach())
      .backward();
  discriminator_.step();
}

void Optimisation::UpdateGenerator(const Batch& batch) {
  ZeroGradients(state_.generator);
  Sum(LossOfGenerator(state_.generator, state_.discriminator, options_.network, options_.weights, batch)
          .terms,
      nullptr)
      .backward();
  generator_.step();
}

}  // namespace auforge::gan::plain
