#include "gan/internal/losses.h"
#include "gan/internal/convolution.h"

namespace auforge::gan {
namespace {

constexpr ConvolutionShape kHalve{2, 1}, kScoreHead{1, 1}, kAuHead{1, 0};

// Mean squared error over AUs and images; the paper's form sums over the AUs.
// certainty: what each AU counts; undefined: all alike.
torch::Tensor AuLoss(const torch::Tensor& predicted, const torch::Tensor& wanted, LossForm form,
                     const torch::Tensor& certainty = {}) {
  const torch::Tensor mse = certainty.defined() ? ((predicted - wanted).square() * certainty).mean()
                                                : torch::mse_loss(predicted, wanted);
  return form == LossForm::kPaper ? mse * wanted.size(1) : mse;
}

torch::Tensor MaskLoss(const torch::Tensor& mask, LossForm form) {
  return form == LossForm::kPaper ? mask.flatten(1).norm(2, 1).mean() : mask.mean();
}

std::vector<torch::Tensor> Differentiate(const torch::Tensor& loss, const Parameters& p) {
  return torch::autograd::grad({loss}, p.Tensors(), {}, /*retain_graph=*/false, /*create_graph=*/false,
                               /*allow_unused=*/true);
}

// e * slope of the LeakyReLU that gave the activation.
torch::Tensor ThroughLeak(const torch::Tensor& e, const torch::Tensor& activation) {
  return at::leaky_relu_backward(e, activation, kCriticLeak, /*self_is_result=*/true);
}

// The critic's update in one sweep. The first `judged` images carry the loss, the others the penalty; either
// part may be empty.
//
// With the LeakyReLU masks fixed, the score is a linear map of the input. Let s_l be the slopes (1 or 0.01)
// after layer l.
//   backward chain:  r_L = dL/dx_L (penalty: C1' 1),  e_l = s_l r_l,  r_{l-1} = W_l' e_l
//   loss:            dL/dW_l = wgrad(output gradient e_l, input x_{l-1}),  dL/db_l = sum e_l
//   P = c mean (|r_0| - 1)^2  =>  v_0 = dP/dr_0 = 2 c / N (|r_0| - 1) r_0 / |r_0|
//   tangent chain:   t_l = W_l v_{l-1}  (dP/de_l),  v_l = s_l t_l  (dP/dr_l)
//   penalty:         dP/dW_l = wgrad(e_l, v_{l-1}),  dP/dC1 = wgrad(1, v_L)
// so that one weight gradient of (e, [x; v]) serves both, and one backward chain carries both.
class CriticSweep {
 public:
  CriticSweep(const Parameters& d, const NetworkOptions& options, const LossWeights& weights)
      : d_(d), layers_(options.critic_layers), weights_(weights) {}

  // image: [N,3,S,S], or undefined when the penalty alone is wanted; interpolated likewise.
  Gradients Run(const Batch& batch, const torch::Tensor& fake, const torch::Tensor& interpolated) {
    const torch::NoGradGuard no_grad;
    judged_ = fake.defined() ? 2 * fake.size(0) : 0;
    penalised_ = interpolated.defined() ? interpolated.size(0) : 0;
    std::vector<torch::Tensor> parts;
    if (judged_ > 0) parts = {batch.image, fake};
    if (penalised_ > 0) parts.push_back(interpolated);
    Forward(torch::cat(parts, 0));
    torch::Tensor r = Heads(batch);
    for (int l = layers_ - 1; l > 0; --l) r = Back(l, r);
    // Of the first layer only the penalty wants the input's gradient.
    e_[0] = ThroughLeak(r, x_[1]);
    if (penalised_ > 0) Penalty();
    Collect();
    return std::move(result_);
  }

 private:
  const torch::Tensor& Weight(int l) const { return d_["main." + std::to_string(2 * l) + ".weight"]; }
  const torch::Tensor& Bias(int l) const { return d_["main." + std::to_string(2 * l) + ".bias"]; }
  torch::Tensor Judged(const torch::Tensor& t) const { return t.narrow(0, 0, judged_); }
  torch::Tensor Penalised(const torch::Tensor& t) const { return t.narrow(0, judged_, penalised_); }

  void Forward(const torch::Tensor& images) {
    const torch::ScalarType type = Weight(0).scalar_type();
    x_.push_back(images.to(type).contiguous(Weight(0).suggest_memory_format()));
    for (int l = 0; l < layers_; ++l) {
      torch::Tensor y = Convolve(x_.back(), Weight(l), Bias(l).to(type), kHalve);
      x_.push_back(at::leaky_relu_(y, kCriticLeak));
    }
    e_.resize(static_cast<std::size_t>(layers_));
    top_ = x_.back().to(images.scalar_type(), false, false, at::MemoryFormat::Contiguous);
  }

  // Loss terms and the gradient at the last activation.
  torch::Tensor Heads(const Batch& batch) {
    const torch::Tensor& head = d_["conv1.weight"];
    score_gradient_ = torch::ones({top_.size(0), 1, top_.size(2), top_.size(3)}, top_.options());
    if (judged_ == 0)
      return ConvolutionInputGradient(score_gradient_, head, top_.size(2), top_.size(3), kScoreHead);
    const std::int64_t n = judged_ / 2;
    const torch::Tensor score = Convolve(Judged(top_), head, {}, kScoreHead);
    const torch::Tensor& au_head = d_["conv2.weight"];
    const torch::Tensor aus = Convolve(top_.narrow(0, 0, n), au_head, {}, kAuHead).flatten(1);
    const double w = weights_.image, au = weights_.AuWeight(n);
    result_.terms["d_real"] = {score.narrow(0, 0, n).mean(), -w};
    result_.terms["d_fake"] = {score.narrow(0, n, n).mean(), w};
    result_.terms["d_cond"] = {AuLoss(aus, batch.aus, weights_.form, batch.certainty), au};
    const double each = w / static_cast<double>(n * score.size(2) * score.size(3));
    score_gradient_.narrow(0, 0, n).fill_(-each);
    score_gradient_.narrow(0, n, n).fill_(each);
    torch::Tensor r = ConvolutionInputGradient(score_gradient_, head, top_.size(2), top_.size(3), kScoreHead);
    // The mean is over images and AUs; the paper's form sums over the AUs.
    const auto averaged = static_cast<double>(weights_.form == LossForm::kPaper ? n : n * aus.size(1));
    torch::Tensor slope = (aus - batch.aus) * (2 * au / averaged);
    if (batch.certainty.defined()) slope = slope * batch.certainty;
    au_gradient_ = slope.unsqueeze(2).unsqueeze(3);
    r.narrow(0, 0, n).add_(
        ConvolutionInputGradient(au_gradient_, au_head, top_.size(2), top_.size(3), kAuHead));
    return r;
  }

  torch::Tensor Back(int l, const torch::Tensor& r) {
    const auto at = static_cast<std::size_t>(l);
    const torch::Tensor& x = x_[at + 1];
    e_[at] = ThroughLeak(r.to(x.scalar_type()), x);
    return ConvolutionInputGradient(e_[at], Weight(l), x_[at].size(2), x_[at].size(3), kHalve);
  }

  void Penalty() {
    const torch::Tensor& x = x_[0];
    const torch::Tensor slope =
        ConvolutionInputGradient(Penalised(e_[0]), Weight(0), x.size(2), x.size(3), kHalve)
            .to(top_.scalar_type());
    const torch::Tensor norm = slope.flatten(1).square().sum(1).sqrt();
    result_.terms["d_gp"] = {(norm - 1).square().mean(), weights_.penalty};
    const torch::Tensor factor =
        2 * weights_.penalty / static_cast<double>(penalised_) * (norm - 1) / norm.clamp_min(1e-30);
    torch::Tensor v = (slope * factor.view({-1, 1, 1, 1})).to(x.scalar_type());
    v_.push_back(v);
    for (int l = 0; l < layers_; ++l) {
      v = ThroughLeak(Convolve(v, Weight(l), {}, kHalve), Penalised(x_[static_cast<std::size_t>(l) + 1]));
      v_.push_back(v);
    }
  }

  // [x of the judged; v of the penalised], the second factor of a layer's weight gradient.
  torch::Tensor Inputs(std::size_t l, const torch::Tensor& x) const {
    if (penalised_ == 0) return x;
    const torch::Tensor v = v_[l].to(x.scalar_type());
    return judged_ == 0 ? v : torch::cat({Judged(x), v}, 0);
  }

  void Collect() {
    for (int l = 0; l < layers_; ++l) {
      const auto at = static_cast<std::size_t>(l);
      result_.values.push_back(ConvolutionWeightGradient(e_[at], Inputs(at, x_[at]), Weight(l), kHalve));
      result_.values.push_back(
          judged_ > 0 ? Judged(e_[at]).sum(torch::IntArrayRef({0, 2, 3}), false, top_.scalar_type())
                      : torch::zeros_like(Bias(l)));
    }
    const torch::Tensor top = Inputs(static_cast<std::size_t>(layers_), top_);
    result_.values.push_back(ConvolutionWeightGradient(score_gradient_, top, d_["conv1.weight"], kScoreHead));
    const torch::Tensor& au_head = d_["conv2.weight"];
    result_.values.push_back(judged_ > 0 ? ConvolutionWeightGradient(
                                               au_gradient_, top_.narrow(0, 0, judged_ / 2), au_head, kAuHead)
                                         : torch::zeros_like(au_head));
  }

  const Parameters& d_;
  int layers_;
  const LossWeights& weights_;
  std::int64_t judged_ = 0, penalised_ = 0;
  std::vector<torch::Tensor> x_, e_, v_;  // activations, their layers' output gradients, tangents
  torch::Tensor top_, score_gradient_, au_gradient_;
  Gradients result_;
};

using Terms = std::vector<std::pair<std::string, torch::Tensor>>;

// The sum's gradients, and what else a pass leaves.
GeneratorPass Pass(const Parameters& g, const Terms& terms, const torch::Tensor& fake, const torch::Tensor& attention) {
  torch::Tensor total = torch::zeros({}, fake.options());
  GeneratorPass result;
  for (const auto& [name, term] : terms) {
    total = total + term;
    result.gradients.terms[name] = {term.detach()};
  }
  result.gradients.values = Differentiate(total, g);
  g.RequireGrad(false);
  result.fake = fake.detach();
  result.attention = attention.detach();
  return result;
}

// What each pixel counts: 1, and `focus` more where the pictures differ, as a mean over each face: lids are a
// fiftieth of a face.
torch::Tensor FocusMap(const torch::Tensor& alike, double focus) {
  constexpr double kLeastArea = 0.005;  // of the picture: less is noise
  const torch::Tensor differs = 1 - alike;
  const torch::Tensor area = differs.mean(torch::IntArrayRef({1, 2, 3}), true).clamp_min(kLeastArea);
  return 1 + focus * differs / area;
}

// Distance of the face that the flow alone has moved to the answer. Coarse sizes pull from further away than a pixel.
torch::Tensor MovedDistance(torch::Tensor moved, torch::Tensor answer, torch::Tensor counts) {
  constexpr int kSizes = 3;
  torch::Tensor sum = torch::zeros({}, moved.options());
  for (int size = 0; size < kSizes; ++size) {
    if (size > 0) {
      for (torch::Tensor* t : {&moved, &answer, &counts}) *t = torch::avg_pool2d(*t, 2);
    }
    sum = sum + ((moved - answer).abs() * counts).mean();
  }
  return sum / kSizes;
}

// Mean over the pixels of how much the flow differs from the next pixel's, in pixels.
torch::Tensor FlowVariation(const torch::Tensor& flow) {
  const std::int64_t side = flow.size(3);
  return TotalVariation(flow, LossForm::kCode) / static_cast<double>(side);
}

// What the answers say of picture, attention and flow, as a part of the whole batch's mean. moved: what the attention keeps.
void AddAnswerTerms(const GeneratorOutput& first, const torch::Tensor& moved, const torch::Tensor& fake, const LossWeights& weights,
                    const Batch& batch, Terms& terms) {
  const std::int64_t n = fake.size(0), p = batch.paired;
  const double share = static_cast<double>(p) / static_cast<double>(n);
  const auto told = [n, p](const torch::Tensor& t) { return t.narrow(0, n - p, p); };
  const torch::Tensor alike = AlikeMap(told(batch.image), batch.answer);
  const torch::Tensor counts = FocusMap(alike, weights.focus);
  const torch::Tensor apart =
      weights.focus == 0 ? torch::l1_loss(told(fake), batch.answer) : ((told(fake) - batch.answer).abs() * counts).mean();
  terms.emplace_back("g_pair_l1", share * weights.paired * apart);
  const bool flows = first.flow.defined();
  const torch::Tensor keeps = flows ? AlikeMap(told(moved), batch.answer) : alike;
  terms.emplace_back("g_pair_attention",
                     share * weights.attention * torch::binary_cross_entropy(told(first.attention), keeps, counts));
  if (!flows) return;
  terms.emplace_back("g_pair_flow", share * weights.flow * MovedDistance(told(moved), batch.answer, counts));
  terms.emplace_back("g_pair_flow_smooth", share * weights.flow_smooth * FlowVariation(told(first.flow)));
}

// Mean over the critic's layers of the distance of its activations, in units of their mean. seen: of the whole batch's fakes.
torch::Tensor FeatureDistance(const Parameters& d, const NetworkOptions& options, const std::vector<torch::Tensor>& seen,
                              const Batch& batch) {
  std::vector<torch::Tensor> wanted;
  {
    const torch::NoGradGuard no_grad;
    RunDiscriminator(d, options, batch.answer, &wanted);
  }
  torch::Tensor sum = torch::zeros({}, batch.answer.options());
  for (std::size_t l = 0; l < seen.size(); ++l) {
    const torch::Tensor truth = wanted[l].to(batch.answer.scalar_type());
    const torch::Tensor made = seen[l].narrow(0, seen[l].size(0) - batch.paired, batch.paired).to(truth.scalar_type());
    sum = sum + torch::l1_loss(made, truth) / truth.abs().mean().clamp_min(1e-6);
  }
  return sum / static_cast<double>(seen.size());
}

}  // namespace

torch::Tensor TotalVariation(const torch::Tensor& mask, LossForm form) {
  using torch::indexing::None;
  using torch::indexing::Slice;
  const torch::Tensor dx = mask.index({Slice(), Slice(), Slice(), Slice(None, -1)}) -
                           mask.index({Slice(), Slice(), Slice(), Slice(1, None)});
  const torch::Tensor dy = mask.index({Slice(), Slice(), Slice(None, -1), Slice()}) -
                           mask.index({Slice(), Slice(), Slice(1, None), Slice()});
  const torch::Tensor sum =
      form == LossForm::kPaper ? dx.square().sum() + dy.square().sum() : dx.abs().sum() + dy.abs().sum();
  return sum / mask.size(0);
}

Gradients CriticLossGradients(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                              const Batch& batch, const torch::Tensor& fake) {
  return CriticSweep(d, options, weights).Run(batch, fake, {});
}

Gradients PenaltyGradients(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                           const torch::Tensor& interpolated) {
  return CriticSweep(d, options, weights).Run({}, {}, interpolated);
}

Gradients CriticGradients(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                          const Batch& batch, const torch::Tensor& fake, const torch::Tensor& interpolated) {
  return CriticSweep(d, options, weights).Run(batch, fake, interpolated);
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
  const Terms terms{
      {"g_masked_fake", -weights.image * judged.score.mean()},
      {"g_masked_cond", weights.AuWeight(n) * AuLoss(judged.aus, batch.target, weights.form)},
      {"g_cyc", weights.cycle * torch::l1_loss(back, batch.image)},
      {"g_mask_1", weights.mask * MaskLoss(first.attention, weights.form)},
      {"g_mask_2", weights.mask * MaskLoss(second.attention, weights.form)},
      {"g_mask_1_smooth", smooth * TotalVariation(first.attention, weights.form)},
      {"g_mask_2_smooth", smooth * TotalVariation(second.attention, weights.form)}};
  return Pass(g, terms, fake, first.attention);
}

GeneratorPass PairedGeneratorLossGradients(const Parameters& g, const Parameters& d, const NetworkOptions& options,
                                           const LossWeights& weights, const Batch& batch) {
  g.RequireGrad(true);
  d.RequireGrad(false);
  const std::int64_t n = batch.image.size(0), unpaired = n - batch.paired;
  const GeneratorOutput first = RunGenerator(g, options, batch.image, batch.target);
  const torch::Tensor moved = Move(first, batch.image), fake = ComposeMoved(first, moved);
  std::vector<torch::Tensor> seen;
  const DiscriminatorOutput judged = RunDiscriminator(d, options, fake, &seen);
  Terms terms{{"g_masked_fake", -weights.image * judged.score.mean()},
              {"g_masked_cond", weights.AuWeight(n) * AuLoss(judged.aus, batch.target, weights.form)}};
  if (unpaired > 0) {
    const auto alone = [unpaired](const torch::Tensor& t) { return t.narrow(0, 0, unpaired); };
    const torch::Tensor image = alone(batch.image), mask = alone(first.attention);
    const GeneratorOutput second = RunGenerator(g, options, alone(fake), alone(batch.aus));
    const double share = static_cast<double>(unpaired) / static_cast<double>(n);
    const double cycle = share * weights.cycle, each = share * weights.mask, smooth = share * weights.SmoothWeight(n);
    terms.emplace_back("g_cyc", cycle * torch::l1_loss(Compose(second, alone(fake)), image));
    terms.emplace_back("g_mask_1", each * MaskLoss(mask, weights.form));
    terms.emplace_back("g_mask_2", each * MaskLoss(second.attention, weights.form));
    terms.emplace_back("g_mask_1_smooth", smooth * TotalVariation(mask, weights.form));
    terms.emplace_back("g_mask_2_smooth", smooth * TotalVariation(second.attention, weights.form));
  }
  AddAnswerTerms(first, moved, fake, weights, batch, terms);
  const double share = static_cast<double>(batch.paired) / static_cast<double>(n);
  terms.emplace_back("g_pair_feature", share * weights.feature * FeatureDistance(d, options, seen, batch));
  return Pass(g, terms, fake, first.attention);
}

GeneratorPass AnswerLossGradients(const Parameters& g, const NetworkOptions& options, const LossWeights& weights,
                                  const Batch& batch) {
  g.RequireGrad(true);
  const GeneratorOutput first = RunGenerator(g, options, batch.image, batch.target);
  const torch::Tensor moved = Move(first, batch.image), fake = ComposeMoved(first, moved);
  Terms terms;
  AddAnswerTerms(first, moved, fake, weights, batch, terms);
  return Pass(g, terms, fake, first.attention);
}

torch::Tensor AlikeMap(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor apart = torch::avg_pool2d((a - b).abs().mean(1, true), 5, 1, 2);
  return 1 - (apart / kDiffers).clamp_max(1);
}

}  // namespace auforge::gan
