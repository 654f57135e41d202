// Every trick of the fast path against plain automatic differentiation with the library's own layers.
#include <gtest/gtest.h>

#include "gan/internal/convolution.h"
#include "gan/internal/deferred_terms.h"
#include "gan/internal/first_layer.h"
#include "gan/internal/instance_norm.h"
#include "tests/gan/plain_path.h"
#include "tests/gan/test_device.h"

namespace auforge::gan {
namespace {

const torch::TensorOptions& Double() {
  static const torch::TensorOptions options = torch::dtype(torch::kFloat64).device(TestDevice());
  return options;
}

torch::Tensor Random(std::vector<std::int64_t> shape) { return torch::randn(shape, Double()); }

// |a - b| / |b|.
double Distance(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor x = a.to(torch::kFloat64), y = b.to(torch::kFloat64);
  return (x - y).norm().item<double>() / std::max(1e-30, y.norm().item<double>());
}

double Cosine(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor x = a.to(torch::kFloat64), y = b.to(torch::kFloat64);
  return ((x * y).sum() / (x.norm() * y.norm() + 1e-30)).item<double>();
}

class FastPath : public ::testing::Test {
 protected:
  FastPath() {
    torch::manual_seed(7);
    options_.network = {.image_size = 32, .conv_dim = 8, .aus = 5, .generator_blocks = 2, .critic_layers = 4};
    // Away from the initialisation, where norms and biases are trivial.
    generator_ = Shaken(InitGenerator(options_.network, 1));
    discriminator_ = Shaken(InitDiscriminator(options_.network, 2));
    batch_ = {torch::rand({3, 3, 32, 32}, Double()) * 2 - 1, torch::rand({3, 5}, Double()),
              torch::rand({3, 5}, Double()), torch::rand({3, 1, 1, 1}, Double())};
    const torch::NoGradGuard no_grad;
    fake_ = Compose(RunGenerator(generator_, options_.network, batch_.image, batch_.target), batch_.image);
    between_ = batch_.alpha * batch_.image + (1 - batch_.alpha) * fake_;
  }

  static Parameters Shaken(const Parameters& p) {
    Parameters copy;
    for (const auto& [name, value] : p.entries()) {
      const torch::Tensor v = value.to(Double());
      copy.Add(name, v + 0.05 * torch::randn(v.sizes(), Double()));
    }
    return copy;
  }

  // A training that begins with the test's networks, in double precision.
  TrainingState Fresh() const {
    TrainingState state;
    state.generator = generator_.Clone(torch::kFloat64);
    state.discriminator = discriminator_.Clone(torch::kFloat64);
    state.generator_adam = MakeAdamState(state.generator);
    state.discriminator_adam = MakeAdamState(state.discriminator);
    return state;
  }

  static void ExpectSame(const Gradients& ours, const Gradients& plain, const Parameters& p) {
    for (const auto& [name, value] : plain.terms)
      EXPECT_NEAR(ours.terms.at(name), value, 1e-10 * std::abs(value) + 1e-14) << name;
    ASSERT_EQ(ours.values.size(), plain.values.size());
    for (std::size_t i = 0; i < ours.values.size(); ++i) {
      ASSERT_EQ(ours.values[i].sizes(), plain.values[i].sizes()) << p.entries()[i].first;
      if (plain.values[i].norm().item<double>() == 0) {
        EXPECT_EQ(ours.values[i].norm().item<double>(), 0) << p.entries()[i].first;
      } else {
        EXPECT_LE(Distance(ours.values[i], plain.values[i]), 1e-10) << p.entries()[i].first;
      }
    }
  }

  StepOptions options_;
  Parameters generator_, discriminator_;
  Batch batch_;
  torch::Tensor fake_, between_;
};

TEST_F(FastPath, ConvolutionsAndTheirGradients) {
  struct Case {
    std::int64_t in, out, size, kernel;
    ConvolutionShape shape;
    bool product;
  };
  for (const Case& c :
       {Case{3, 8, 16, 7, {1, 3}, false}, Case{8, 6, 16, 4, {2, 1}, false}, Case{6, 10, 8, 4, {2, 1}, true},
        Case{4, 4, 4, 4, {2, 1}, true}, Case{4, 6, 2, 4, {2, 1}, true}, Case{5, 7, 8, 3, {1, 1}, false}}) {
    for (const auto layout : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
      SCOPED_TRACE(std::to_string(c.in) + " to " + std::to_string(c.out) + " channels of " +
                   std::to_string(c.size));
      const torch::Tensor x = Random({3, c.in, c.size, c.size}).contiguous(layout).requires_grad_();
      const torch::Tensor w = Random({c.out, c.in, c.kernel, c.kernel}).contiguous(layout).requires_grad_();
      const torch::Tensor b = Random({c.out}).requires_grad_();
      EXPECT_EQ(RunsAsMatrixProduct(w, c.size, c.size, c.shape), c.product && w.device().is_cpu());
      const torch::Tensor theirs = torch::conv2d(x, w, b, c.shape.stride, c.shape.padding);
      const torch::Tensor g = torch::randn_like(theirs);
      const auto expected = torch::autograd::grad({theirs}, {x, w, b}, {g});
      const torch::Tensor ours = ConvolveWithGraph(x, w, b, c.shape);
      EXPECT_LE(Distance(ours, theirs), 1e-12);
      const auto got = torch::autograd::grad({ours}, {x, w, b}, {g});
      for (std::size_t i = 0; i < 3; ++i) EXPECT_LE(Distance(got[i], expected[i]), 1e-12) << i;
    }
  }
}

// AUs in planes that are constant: their part of the convolution and of its gradients is a sum.
TEST_F(FastPath, FirstLayerIsAConvolutionOfImageAndPlanes) {
  for (const std::vector<std::int64_t>& size : {std::vector<std::int64_t>{7, 7}, {8, 12}, {20, 9}}) {
    for (const std::int64_t kernel : {3, 7}) {
      SCOPED_TRACE(std::to_string(size[0]) + "x" + std::to_string(size[1]) + ", kernel " +
                   std::to_string(kernel));
      const torch::Tensor image = Random({3, 3, size[0], size[1]}).requires_grad_();
      const torch::Tensor weight = Random({6, 3 + 5, kernel, kernel}).requires_grad_();
      const torch::Tensor aus = torch::rand({3, 5}, Double());
      const torch::Tensor planes = aus.view({3, 5, 1, 1}).expand({3, 5, size[0], size[1]});
      const torch::Tensor theirs = torch::conv2d(torch::cat({image, planes}, 1), weight, {}, 1, kernel / 2);
      const torch::Tensor ours = FirstConvolution(image, aus, weight);
      EXPECT_LE(Distance(ours, theirs), 1e-12);
      const torch::Tensor g = torch::randn_like(theirs);
      const auto expected = torch::autograd::grad({theirs}, {image, weight}, {g});
      const auto got = torch::autograd::grad({ours}, {image, weight}, {g});
      for (std::size_t i = 0; i < 2; ++i) EXPECT_LE(Distance(got[i], expected[i]), 1e-12) << i;

      // Without a graph, but for a number for each channel of each image.
      const torch::NoGradGuard no_grad;
      const torch::Tensor shifted = FirstConvolutionUpToShift(image, aus, weight);
      const torch::Tensor shift = shifted - theirs;
      EXPECT_LE((shift - shift.mean({2, 3}, true)).abs().max().item<double>(), 1e-12);
      EXPECT_GT(shift.abs().max().item<double>(), 0.1);
    }
  }
}

TEST_F(FastPath, FacesForTheCriticAreTheGenerators) {
  const torch::NoGradGuard no_grad;
  const GeneratorOutput theirs = RunGenerator(generator_, options_.network, batch_.image, batch_.target);
  const GeneratorOutput ours =
      RunGeneratorForCritic(generator_, options_.network, batch_.image, batch_.target);
  EXPECT_LE(Distance(ours.colour, theirs.colour), 1e-10);
  EXPECT_LE(Distance(ours.attention, theirs.attention), 1e-10);
}

TEST_F(FastPath, TransposedConvolutionIsADataGradient) {
  for (const std::int64_t size : {2, 4, 8}) {
    const torch::Tensor x = Random({2, 6, size, size}).requires_grad_();
    const torch::Tensor w = Random({6, 3, 4, 4}).requires_grad_();
    const torch::Tensor theirs = torch::conv_transpose2d(x, w, {}, 2, 1);
    const torch::Tensor ours = TransposedConvolveWithGraph(x, w);
    EXPECT_LE(Distance(ours, theirs), 1e-12);
    const torch::Tensor g = torch::randn_like(theirs);
    const auto expected = torch::autograd::grad({theirs}, {x, w}, {g});
    const auto got = torch::autograd::grad({ours}, {x, w}, {g});
    for (std::size_t i = 0; i < 2; ++i) EXPECT_LE(Distance(got[i], expected[i]), 1e-12) << i;
  }
}

TEST_F(FastPath, NormIsTheLibrarysInstanceNorm) {
  const torch::Tensor x = Random({2, 6, 9, 7}).requires_grad_(), skip = Random({2, 6, 9, 7}).requires_grad_();
  const torch::Tensor scale = Random({6}).requires_grad_(), shift = Random({6}).requires_grad_();
  for (const bool relu : {true, false}) {
    const torch::Tensor normed = torch::instance_norm(x, scale, shift, {}, {}, true, 0.1, 1e-5, false);
    const torch::Tensor theirs = relu ? torch::relu(normed) : skip + normed;
    const torch::Tensor ours = InstanceNorm(x, scale, shift, relu, relu ? torch::Tensor() : skip);
    EXPECT_LE(Distance(ours, theirs), 1e-12);
    const torch::Tensor g = torch::randn_like(theirs);
    const auto expected = torch::autograd::grad({theirs}, {x, scale, shift}, {g});
    const auto got = torch::autograd::grad({ours}, {x, scale, shift}, {g});
    for (std::size_t i = 0; i < 3; ++i) EXPECT_LE(Distance(got[i], expected[i]), 1e-11) << i;
  }
}

// The fused bfloat16 norm against the library's norm in double on the same rounded input: what is left is the
// rounding of one result.
TEST_F(FastPath, FusedNormRoundsOnce) {
  if (!Double().device().is_cpu()) GTEST_SKIP() << "bfloat16 on the processor";
  for (const bool relu : {true, false}) {
    for (const std::int64_t channels : {4, 24, 32}) {
      const auto rounded = [](const torch::Tensor& t) {
        return t.to(torch::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
      };
      const torch::Tensor x = rounded(3 * Random({2, channels, 20, 20}) + 1).requires_grad_();
      const torch::Tensor skip = rounded(Random({2, channels, 20, 20})).requires_grad_();
      const torch::Tensor scale = Random({channels}).to(torch::kFloat).requires_grad_();
      const torch::Tensor shift = Random({channels}).to(torch::kFloat).requires_grad_();
      const torch::Tensor ours = InstanceNorm(x, scale, shift, relu, relu ? torch::Tensor() : skip);
      const torch::Tensor xd = x.detach().to(torch::kFloat64).requires_grad_();
      const torch::Tensor sd = scale.detach().to(torch::kFloat64).requires_grad_();
      const torch::Tensor td = shift.detach().to(torch::kFloat64).requires_grad_();
      const torch::Tensor normed = torch::instance_norm(xd, sd, td, {}, {}, true, 0.1, 1e-5, false);
      const torch::Tensor theirs = relu ? torch::relu(normed) : skip.detach().to(torch::kFloat64) + normed;
      EXPECT_LE(((ours.to(torch::kFloat64) - theirs).abs() - theirs.abs() / 256).max().item<double>(), 1e-5);
      const torch::Tensor g = rounded(Random({2, channels, 20, 20}));
      const auto expected = torch::autograd::grad({theirs}, {xd, sd, td}, {g.to(torch::kFloat64)});
      const auto got = torch::autograd::grad({ours}, {x, scale, shift}, {g});
      EXPECT_LE(Distance(got[0], expected[0]), 4e-3);
      EXPECT_LE(Distance(got[1], expected[1]), 1e-4);
      EXPECT_LE(Distance(got[2], expected[2]), 1e-4);
    }
  }
}

// The norm for any layout, against the library's own.
TEST_F(FastPath, NormInAnyLayoutIsTheLibrarys) {
  for (const auto layout : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    for (const bool relu : {true, false}) {
      const torch::Tensor x = (3 * Random({3, 6, 9, 9}) + 1).contiguous(layout).requires_grad_();
      const torch::Tensor skip = Random({3, 6, 9, 9}).contiguous(layout).requires_grad_();
      const torch::Tensor scale = Random({6}).requires_grad_(), shift = Random({6}).requires_grad_();
      const torch::Tensor normed = torch::instance_norm(x, scale, shift, {}, {}, true, 0.1, 1e-5, false);
      const torch::Tensor theirs = relu ? torch::relu(normed) : skip + normed;
      const torch::Tensor ours = NormInAnyLayout(x, scale, shift, relu, relu ? torch::Tensor() : skip);
      EXPECT_EQ(ours.strides(), x.strides());
      EXPECT_LE(Distance(ours, theirs), 1e-12);
      const torch::Tensor g = torch::randn_like(theirs);
      std::vector<torch::Tensor> of{x, scale, shift};
      if (!relu) of.push_back(skip);
      const auto expected = torch::autograd::grad({theirs}, of, {g}), got = torch::autograd::grad({ours}, of, {g});
      for (std::size_t i = 0; i < of.size(); ++i) EXPECT_LE(Distance(got[i], expected[i]), 1e-11) << i;
    }
  }
}

// In bfloat16 every pass rounds, but sums do not: what is left is a few roundings of one result, far from a mean of 8 bits.
TEST_F(FastPath, NormInAnyLayoutSumsInMoreBits) {
  const auto rounded = [](const torch::Tensor& t) {
    return t.to(torch::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
  };
  for (const bool relu : {true, false}) {
    const torch::Tensor x = rounded(Random({2, 24, 64, 64}) + 2).requires_grad_(), skip = rounded(Random({2, 24, 64, 64}));
    const torch::Tensor scale = Random({24}).to(torch::kFloat).requires_grad_();
    const torch::Tensor shift = Random({24}).to(torch::kFloat).requires_grad_();
    const torch::Tensor ours = NormInAnyLayout(x, scale, shift, relu, relu ? torch::Tensor() : skip);
    EXPECT_EQ(ours.scalar_type(), torch::kBFloat16);
    const torch::Tensor xd = x.detach().to(torch::kFloat64).requires_grad_();
    const torch::Tensor sd = scale.detach().to(torch::kFloat64).requires_grad_();
    const torch::Tensor td = shift.detach().to(torch::kFloat64).requires_grad_();
    const torch::Tensor normed = torch::instance_norm(xd, sd, td, {}, {}, true, 0.1, 1e-5, false);
    const torch::Tensor theirs = relu ? torch::relu(normed) : skip.to(torch::kFloat64) + normed;
    // Once for the norm, once more with the skip.
    const torch::Tensor room = (theirs.abs() + normed.abs()) / 256 + 1e-4;
    EXPECT_LE(((ours.to(torch::kFloat64) - theirs).abs() - room).max().item<double>(), 0);
    const torch::Tensor g = rounded(Random({2, 24, 64, 64}));
    const auto expected = torch::autograd::grad({theirs}, {xd, sd, td}, {g.to(torch::kFloat64)});
    const auto got = torch::autograd::grad({ours}, {x, scale, shift}, {g});
    EXPECT_LE(Distance(got[0], expected[0]), 4e-3);
    EXPECT_LE(Distance(got[1], expected[1]), 1e-3);
    EXPECT_LE(Distance(got[2], expected[2]), 1e-3);
  }
}

TEST_F(FastPath, CriticByHand) {
  for (const LossForm form : {LossForm::kCode, LossForm::kPaper}) {
    for (const bool published : {true, false}) {
      options_.weights.form = form;
      options_.weights.published_scaling = published;
      const auto& [network, weights, adam, step] = options_;
      const Gradients loss = plain::CriticLossGradients(discriminator_, network, weights, batch_, fake_);
      const Gradients penalty = plain::PenaltyGradients(discriminator_, network, weights, between_);
      ExpectSame(CriticLossGradients(discriminator_, network, weights, batch_, fake_), loss, discriminator_);
      ExpectSame(PenaltyGradients(discriminator_, network, weights, between_), penalty, discriminator_);
      Gradients sum = loss;
      sum.terms.insert(penalty.terms.begin(), penalty.terms.end());
      for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] = loss.values[i] + penalty.values[i];
      ExpectSame(CriticGradients(discriminator_, network, weights, batch_, fake_, between_), sum,
                 discriminator_);
    }
  }
}

TEST_F(FastPath, GeneratorWithTheCriticFrozen) {
  for (const LossForm form : {LossForm::kCode, LossForm::kPaper}) {
    options_.weights.form = form;
    const GeneratorPass ours =
        GeneratorLossGradients(generator_, discriminator_, options_.network, options_.weights, batch_);
    const GeneratorPass plain =
        plain::GeneratorLossGradients(generator_, discriminator_, options_.network, options_.weights, batch_);
    ExpectSame(ours.gradients, plain.gradients, generator_);
    EXPECT_LE(Distance(ours.fake, plain.fake), 1e-12);
    EXPECT_LE(Distance(ours.attention, plain.attention), 1e-12);
  }
}

// Penalty terms of the paper, equations 1 to 5, written out for one picture.
TEST_F(FastPath, PaperFormIsThePapers) {
  const torch::Tensor mask = torch::tensor({0.1, 0.4, 0.2, 0.9}, Double()).view({1, 1, 2, 2});
  EXPECT_NEAR(TotalVariation(mask, LossForm::kCode).item<double>(), 0.3 + 0.7 + 0.1 + 0.5, 1e-12);
  EXPECT_NEAR(TotalVariation(mask, LossForm::kPaper).item<double>(), 0.09 + 0.49 + 0.01 + 0.25, 1e-12);
  options_.weights.form = LossForm::kPaper;
  const GeneratorPass pass =
      GeneratorLossGradients(generator_, discriminator_, options_.network, options_.weights, batch_);
  const torch::Tensor norms = pass.attention.square().sum(torch::IntArrayRef({1, 2, 3})).sqrt();
  EXPECT_NEAR(pass.gradients.terms.at("g_mask_1"), options_.weights.mask * norms.mean().item<double>(), 1e-9);
  const torch::NoGradGuard no_grad;
  const torch::Tensor aus = RunDiscriminator(discriminator_, options_.network, pass.fake).aus;
  const double expression = (aus - batch_.target).square().sum(1).mean().item<double>();
  EXPECT_NEAR(pass.gradients.terms.at("g_masked_cond"), options_.weights.AuWeight(3) * expression,
              1e-8 * expression * 160);
}

TEST_F(FastPath, AdamIsTheLibrarysAdam) {
  for (const auto type : {torch::kFloat32, torch::kFloat64}) {
    const Parameters ours = discriminator_.Clone(type), theirs = discriminator_.Clone(type);
    theirs.RequireGrad(true);
    AdamState state = MakeAdamState(ours);
    const AdamOptions options{.rate = 1e-2};
    torch::optim::Adam reference(theirs.Tensors(), torch::optim::AdamOptions(1e-2).betas({0.5, 0.999}));
    for (int step = 0; step < 4; ++step) {
      std::vector<torch::Tensor> gradients;
      for (const torch::Tensor& t : theirs.Tensors()) {
        gradients.push_back(torch::randn_like(t));
        torch::Tensor(t).mutable_grad() = gradients.back();
      }
      AdamStep(ours, gradients, options, state);
      reference.step();
    }
    for (std::size_t i = 0; i < ours.entries().size(); ++i) {
      EXPECT_LE(Distance(ours.entries()[i].second, theirs.entries()[i].second.detach()),
                type == torch::kFloat32 ? 1e-5 : 1e-13);
    }
  }
}

// Weights and moments lie in another order in memory; no number changes but by the order of sums.
TEST_F(FastPath, MatrixLayoutTakesTheSameSteps) {
  if (!Double().device().is_cpu()) GTEST_SKIP() << "a layout for the processor";
  TrainingState plain = Fresh(), arranged = Fresh();
  UseMatrixLayout(arranged, options_.network);
  int moved = 0;
  for (const auto& [name, value] : arranged.discriminator.entries()) moved += value.is_contiguous() ? 0 : 1;
  EXPECT_GT(moved, 0);
  for (int step = 0; step < 3; ++step) {
    UpdateCritic(plain, options_, batch_, {});
    UpdateCritic(arranged, options_, batch_, {});
  }
  for (std::size_t i = 0; i < plain.discriminator.entries().size(); ++i) {
    const auto& [name, value] = plain.discriminator.entries()[i];
    EXPECT_LE(Distance(arranged.discriminator[name], value), 1e-10) << name;
    EXPECT_LE(Distance(arranged.discriminator_adam.mean[i], plain.discriminator_adam.mean[i]), 1e-9) << name;
    EXPECT_LE(Distance(arranged.discriminator_adam.square[i], plain.discriminator_adam.square[i]), 1e-9)
        << name;
  }
}

TEST_F(FastPath, ChannelsLastTakesTheSameSteps) {
  TrainingState planes = Fresh(), last = Fresh();
  UseChannelsLast(last);
  EXPECT_TRUE(last.generator["main.6.weight"].is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_FALSE(last.generator["main.6.weight"].is_contiguous());
  for (int step = 0; step < 3; ++step) {
    for (TrainingState* state : {&planes, &last}) {
      UpdateCritic(*state, options_, batch_);
      UpdateGenerator(*state, options_, batch_);
    }
  }
  for (const auto& [name, value] : planes.generator.entries())
    EXPECT_LE(Distance(last.generator[name], value), 1e-9) << name;
  for (const auto& [name, value] : planes.discriminator.entries())
    EXPECT_LE(Distance(last.discriminator[name], value), 1e-9) << name;
}

TEST_F(FastPath, DeferredTermsAreThoseOfTheirSteps) {
  DeferredTerms deferred;
  EXPECT_TRUE(deferred.Read().empty());
  const LossTerms critic = CriticGradients(discriminator_, options_.network, options_.weights, batch_, fake_, between_).terms;
  const LossTerms penalty = PenaltyGradients(discriminator_, options_.network, options_.weights, between_).terms;
  deferred.Add(critic);
  deferred.Add(penalty);
  deferred.Add({{"d_gp", {torch::full({}, std::nan(""), Double()), 2}}});
  EXPECT_EQ(deferred.size(), 3U);
  const auto read = deferred.Read();
  ASSERT_EQ(read.size(), 3U);
  ASSERT_EQ(read[0].size(), critic.size());
  for (const auto& [name, value] : critic)
    EXPECT_NEAR(read[0].at(name), value, 1e-6 * std::abs(value)) << name;
  EXPECT_EQ(read[1].size(), 1U);
  EXPECT_NEAR(read[1].at("d_gp"), penalty.at("d_gp"), 1e-6 * std::abs(penalty.at("d_gp")));
  EXPECT_TRUE(std::isnan(read[2].at("d_gp")));
  EXPECT_EQ(deferred.size(), 0U);
}

TEST_F(FastPath, ReducedCopyFollowsTheWeights) {
  TrainingState state;
  state.generator = generator_.Clone(torch::kFloat32);
  state.discriminator = discriminator_.Clone(torch::kFloat32);
  state.generator_adam = MakeAdamState(state.generator);
  state.discriminator_adam = MakeAdamState(state.discriminator);
  UseReducedPrecision(state);
  const Batch batch{batch_.image.to(torch::kFloat), batch_.aus.to(torch::kFloat),
                    batch_.target.to(torch::kFloat), batch_.alpha.to(torch::kFloat)};
  for (int i = 0; i < 2; ++i) {
    UpdateCritic(state, options_, batch);
    UpdateGenerator(state, options_, batch);
  }
  const Parameters fresh = state.generator.ReducedCopy();
  for (std::size_t i = 0; i < fresh.entries().size(); ++i) {
    EXPECT_TRUE(torch::equal(fresh.entries()[i].second, state.generator_reduced.entries()[i].second)) << i;
  }
  const Parameters critic = state.discriminator.ReducedCopy();
  for (std::size_t i = 0; i < critic.entries().size(); ++i) {
    EXPECT_TRUE(torch::equal(critic.entries()[i].second, state.discriminator_reduced.entries()[i].second))
        << i;
  }
}

// bfloat16 has 8 bits: the direction of every gradient must hold all the same.
TEST_F(FastPath, ReducedPrecisionPointsTheSameWay) {
  const Parameters d = discriminator_.Clone(torch::kFloat32), g = generator_.Clone(torch::kFloat32);
  const Batch batch{batch_.image.to(torch::kFloat), batch_.aus.to(torch::kFloat),
                    batch_.target.to(torch::kFloat), batch_.alpha.to(torch::kFloat)};
  const torch::Tensor fake = fake_.to(torch::kFloat), between = between_.to(torch::kFloat);
  const Gradients exact = CriticGradients(d, options_.network, options_.weights, batch, fake, between);
  const Gradients reduced =
      CriticGradients(d.ReducedCopy(), options_.network, options_.weights, batch, fake, between);
  for (std::size_t i = 0; i < exact.values.size(); ++i) {
    EXPECT_GE(Cosine(reduced.values[i], exact.values[i]), 0.99) << d.entries()[i].first;
  }
  for (const auto& [name, value] : exact.terms)
    EXPECT_NEAR(reduced.terms.at(name), value, 0.03 * std::abs(value) + 1e-3) << name;
  const GeneratorPass full = GeneratorLossGradients(g, d, options_.network, options_.weights, batch);
  const GeneratorPass fast =
      GeneratorLossGradients(g.ReducedCopy(), d.ReducedCopy(), options_.network, options_.weights, batch);
  EXPECT_LE((fast.fake - full.fake).abs().max().item<double>(), 0.1);
  EXPECT_LE((fast.fake - full.fake).abs().mean().item<double>(), 0.01);
  for (std::size_t i = 0; i < full.gradients.values.size(); ++i) {
    EXPECT_GE(Cosine(fast.gradients.values[i], full.gradients.values[i]), 0.9) << g.entries()[i].first;
  }
}

// Labels that count less do so in the critic's gradients, too.
TEST_F(FastPath, UnsureLabelsWeighLess) {
  batch_.certainty = torch::rand({3, 5}, Double());
  for (const LossForm form : {LossForm::kCode, LossForm::kPaper}) {
    options_.weights.form = form;
    const Gradients ours = CriticLossGradients(discriminator_, options_.network, options_.weights, batch_, fake_);
    discriminator_.RequireGrad(true);
    const DiscriminatorOutput real = RunDiscriminator(discriminator_, options_.network, batch_.image);
    const DiscriminatorOutput made = RunDiscriminator(discriminator_, options_.network, fake_);
    const torch::Tensor squares = (real.aus - batch_.aus).square() * batch_.certainty;
    const torch::Tensor error = form == LossForm::kPaper ? squares.sum(1).mean() : squares.mean();
    const torch::Tensor loss = options_.weights.image * (made.score.mean() - real.score.mean()) + options_.weights.AuWeight(3) * error;
    const std::vector<torch::Tensor> plain = torch::autograd::grad({loss}, discriminator_.Tensors());
    discriminator_.RequireGrad(false);
    EXPECT_NEAR(ours.terms.at("d_cond"), (options_.weights.AuWeight(3) * error).item<double>(), 1e-9);
    for (std::size_t i = 0; i < plain.size(); ++i)
      EXPECT_LE(Distance(ours.values[i], plain[i]), 1e-10) << discriminator_.entries()[i].first;
  }
}

// Every face has its own losses and the batch their mean: a batch of both kinds is the sum of its kinds.
TEST_F(FastPath, ABatchWithPairsIsTheMeanOverItsFaces) {
  batch_.paired = 2;
  batch_.answer = (batch_.image.narrow(0, 1, 2) + 0.3 * torch::randn({2, 3, 32, 32}, Double())).clamp(-1, 1);
  options_.weights.feature = 2;
  const GeneratorPass both = PairedGeneratorLossGradients(generator_, discriminator_, options_.network, options_.weights, batch_);
  const auto rows = [this](std::int64_t first, std::int64_t count) {
    return Batch{batch_.image.narrow(0, first, count), batch_.aus.narrow(0, first, count), batch_.target.narrow(0, first, count),
                 batch_.alpha.narrow(0, first, count)};
  };
  const GeneratorPass alone =
      plain::GeneratorLossGradients(generator_, discriminator_, options_.network, options_.weights, rows(0, 1));
  Batch pairs = rows(1, 2);
  pairs.paired = 2;
  pairs.answer = batch_.answer;
  const GeneratorPass told = PairedGeneratorLossGradients(generator_, discriminator_, options_.network, options_.weights, pairs);
  EXPECT_FALSE(told.gradients.terms.contains("g_cyc"));
  for (const auto& [name, value] : both.gradients.terms) {
    const auto of = [&name = name](const GeneratorPass& pass) {
      const auto found = pass.gradients.terms.find(name);
      return found == pass.gradients.terms.end() ? 0.0 : found->second;
    };
    EXPECT_NEAR(value, (of(alone) + 2 * of(told)) / 3, 1e-10 * std::abs(value) + 1e-14) << name;
  }
  for (std::size_t i = 0; i < both.gradients.values.size(); ++i) {
    const torch::Tensor sum = (alone.gradients.values[i] + 2 * told.gradients.values[i]) / 3;
    EXPECT_LE(Distance(both.gradients.values[i], sum), 1e-10) << generator_.entries()[i].first;
  }
}

TEST_F(FastPath, AnswersByTheirFormulas) {
  batch_.paired = 3;
  batch_.answer = batch_.image.clone();
  batch_.answer.narrow(2, 8, 8).narrow(3, 8, 8).fill_(0.9);
  const torch::Tensor alike = AlikeMap(batch_.image, batch_.answer);
  EXPECT_EQ(alike[0][0][31][31].item<double>(), 1) << "far from the change";
  EXPECT_EQ(alike[0][0][12][12].item<double>(), 0) << "inside it";
  const GeneratorPass pass = AnswerLossGradients(generator_, options_.network, options_.weights, batch_);
  ASSERT_EQ(pass.gradients.terms.size(), 2U);
  const GeneratorOutput output = RunGenerator(generator_, options_.network, batch_.image, batch_.target);
  const torch::Tensor fake = Compose(output, batch_.image);
  const torch::Tensor& a = output.attention;
  EXPECT_NEAR(pass.gradients.terms.at("g_pair_l1"),
              options_.weights.paired * (fake - batch_.answer).abs().mean().item<double>(), 1e-12);
  LossWeights focused = options_.weights;
  focused.focus = 0.5;
  const torch::Tensor differs = 1 - alike, area = differs.mean(torch::IntArrayRef({1, 2, 3}), true);
  EXPECT_GT(area.min().item<double>(), 0.01);
  const torch::Tensor counts = 1 + 0.5 * differs / area;
  const auto seen = AnswerLossGradients(generator_, options_.network, focused, batch_).gradients.terms;
  EXPECT_NEAR(seen.at("g_pair_l1"), options_.weights.paired * ((fake - batch_.answer).abs() * counts).mean().item<double>(), 1e-12);
  EXPECT_NEAR(seen.at("g_pair_attention"),
              -options_.weights.attention * (counts * (alike * a.log() + (1 - alike) * (1 - a).log())).mean().item<double>(), 1e-9);
  EXPECT_NEAR(pass.gradients.terms.at("g_pair_attention"),
              -options_.weights.attention * (alike * a.log() + (1 - alike) * (1 - a).log()).mean().item<double>(), 1e-9);
  // The critic's part: activations of each layer in units of their mean.
  const GeneratorPass judged = PairedGeneratorLossGradients(generator_, discriminator_, options_.network, options_.weights, batch_);
  std::vector<torch::Tensor> made, wanted;
  RunDiscriminator(discriminator_, options_.network, fake, &made);
  RunDiscriminator(discriminator_, options_.network, batch_.answer, &wanted);
  ASSERT_EQ(made.size(), 4U);
  double sum = 0;
  for (std::size_t l = 0; l < 4; ++l) sum += ((made[l] - wanted[l]).abs().mean() / wanted[l].abs().mean()).item<double>();
  EXPECT_NEAR(judged.gradients.terms.at("g_pair_feature"), options_.weights.feature * sum / 4, 1e-10);
}

// At rest the flow's generator is the published one, whose numbers are drawn as without it.
TEST_F(FastPath, AFlowAtRestIsGanimation) {
  NetworkOptions flows = options_.network;
  flows.flow = true;
  const Parameters with = InitGenerator(flows, 1), without = InitGenerator(options_.network, 1);
  ASSERT_EQ(with.entries().size(), without.entries().size() + 1);
  for (const auto& [name, value] : without.entries()) EXPECT_TRUE(torch::equal(with[name], value)) << name;
  const torch::Tensor image = batch_.image.to(torch::kFloat), aus = batch_.target.to(torch::kFloat);
  const GeneratorOutput ours = RunGenerator(with, flows, image, aus);
  EXPECT_EQ(ours.flow.abs().max().item<float>(), 0);
  EXPECT_LE(Distance(Move(ours, image), image), 1e-6);
  EXPECT_LE(Distance(Compose(ours, image), Compose(RunGenerator(without, options_.network, image, aus), image)), 1e-6);
}

// Where a pixel comes from: by hand, with its fractions and beyond the edge.
TEST_F(FastPath, AFlowMovesPixels) {
  GeneratorOutput output;
  output.flow = torch::zeros({3, 2, 32, 32}, Double());
  output.flow.select(1, 0).fill_(3.25 / 32);
  output.flow.select(1, 1).fill_(-2.0 / 32);
  const torch::Tensor moved = Move(output, batch_.image);
  const auto at = [this](std::int64_t y, std::int64_t x) { return batch_.image[1][2][y][std::min<std::int64_t>(x, 31)].item<double>(); };
  for (const auto& [y, x] : {std::pair{10, 8}, {2, 0}, {31, 30}, {20, 31}})
    EXPECT_NEAR(moved[1][2][y][x].item<double>(), 0.75 * at(y - 2, x + 3) + 0.25 * at(y - 2, x + 4), 1e-12) << y << " " << x;
  EXPECT_NEAR(moved[1][2][0][5].item<double>(), 0.75 * at(0, 8) + 0.25 * at(0, 9), 1e-12) << "above the edge";
}

TEST_F(FastPath, WhatAFlowIsToldByItsFormulas) {
  options_.network.flow = true;
  generator_ = Shaken(InitGenerator(options_.network, 1));
  batch_.paired = 3;
  batch_.answer = batch_.image.roll(2, 3);
  options_.weights.flow = 7;
  options_.weights.flow_smooth = 3;
  const auto terms = AnswerLossGradients(generator_, options_.network, options_.weights, batch_).gradients.terms;
  ASSERT_EQ(terms.size(), 4U);
  const GeneratorOutput output = RunGenerator(generator_, options_.network, batch_.image, batch_.target);
  EXPECT_GT(output.flow.abs().max().item<double>(), 1e-3);
  EXPECT_LE(output.flow.abs().max().item<double>(), kFlowReach);
  const torch::Tensor moved = Move(output, batch_.image), apart = moved - batch_.answer;
  const double sum = apart.abs().mean().item<double>() + torch::avg_pool2d(apart, 2).abs().mean().item<double>() +
                     torch::avg_pool2d(apart, 4).abs().mean().item<double>();
  EXPECT_NEAR(terms.at("g_pair_flow"), 7 * sum / 3, 1e-12);
  const torch::Tensor pixels = output.flow * 32;
  const double variation = ((pixels.narrow(3, 1, 31) - pixels.narrow(3, 0, 31)).abs().sum() +
                            (pixels.narrow(2, 1, 31) - pixels.narrow(2, 0, 31)).abs().sum())
                               .item<double>() / (3 * 32 * 32);
  EXPECT_NEAR(terms.at("g_pair_flow_smooth"), 3 * variation, 1e-12);
  const torch::Tensor &a = output.attention, keeps = AlikeMap(moved, batch_.answer);
  EXPECT_NEAR(terms.at("g_pair_attention"),
              -options_.weights.attention * (keeps * a.log() + (1 - keeps) * (1 - a).log()).mean().item<double>(), 1e-9);
}

// A face whose answer lies two pixels beside it: moved there, not painted.
TEST_F(FastPath, AFlowIsLearnt) {
  options_.network.flow = true;
  generator_ = InitGenerator(options_.network, 1);
  TrainingState state = Fresh();
  batch_.image = torch::avg_pool2d(torch::rand({3, 3, 36, 36}, Double()), 5, 1, 0) * 2 - 1;  // smooth, 32 x 32
  batch_.paired = 3;
  batch_.answer = batch_.image.roll(2, 3);
  options_.adam.rate = 2e-3;
  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    last = UpdateGeneratorByAnswers(state, options_, batch_).terms.at("g_pair_flow");
    if (step == 0) first = last;
  }
  EXPECT_LT(last, first / 2);
}

}  // namespace
}  // namespace auforge::gan
