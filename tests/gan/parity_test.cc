// Our networks, losses, gradients and steps against numbers taken from the published PyTorch code.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "datasets/storage/hdf5_file.h"
#include "gan/internal/steps.h"
#include "tests/gan/plain_path.h"
#include "tests/gan/test_device.h"
#include "tests/support/test_data.h"

namespace auforge::gan {
namespace {

using datasets::storage::Hdf5Reader;

std::string ParityPath() {
  const char* other = std::getenv("AUFORGE_PARITY");
  return other != nullptr ? other : tests::SourcePath("tests/golden/parity.h5");
}

// fp32 gradients of the critic when real and fake faces share one sum, where they nearly cancel; in two sums,
// as the plain path takes them, 2e-6 holds.
constexpr double kJoint = 5e-6;

class ParityTest : public ::testing::TestWithParam<torch::ScalarType> {
 protected:
  ParityTest() : file_(ParityPath()) {
    torch::manual_seed(1);
    options_.network.image_size = static_cast<int>(file_.ReadInteger("/", "image_size"));
    options_.network.conv_dim = static_cast<int>(file_.ReadInteger("/", "conv_dim"));
    options_.network.aus = static_cast<int>(file_.ReadInteger("/", "c_dim"));
    options_.network.generator_blocks = static_cast<int>(file_.ReadInteger("/", "repeat_num_G"));
    options_.network.critic_layers = static_cast<int>(file_.ReadInteger("/", "repeat_num_D"));
    options_.weights = {.image = file_.ReadDouble("/", "lambda_D_img"),
                        .au = file_.ReadDouble("/", "lambda_D_au"),
                        .penalty = file_.ReadDouble("/", "lambda_D_gp"),
                        .cycle = file_.ReadDouble("/", "lambda_cyc"),
                        .mask = file_.ReadDouble("/", "lambda_mask"),
                        .smooth = file_.ReadDouble("/", "lambda_mask_smooth"),
                        .published_scaling = true};
    options_.adam = {file_.ReadDouble("/", "lr"), file_.ReadDouble("/", "beta1"),
                     file_.ReadDouble("/", "beta2"), file_.ReadDouble("/", "adam_eps")};
    options_.critic_step = CriticStep::kPublished;
    batch_ = {Read("/inputs/real_img"), Read("/inputs/real_cond"), Read("/inputs/desired_cond"),
              Read("/inputs/gp_alpha")};
    Reset();
  }

  bool IsDouble() const { return GetParam() == torch::kFloat64; }

  torch::Tensor Read(const std::string& path) const {
    const auto array = file_.Read<float>(path);
    std::vector<std::int64_t> shape(array.shape.begin(), array.shape.end());
    return torch::tensor(array.values).view(shape).to(TestDevice(), GetParam());
  }
  double Number(const std::string& path) const { return file_.Read<double>(path).values.at(0); }

  Parameters ReadParameters(const std::string& group, const Parameters& pattern) const {
    Parameters p;
    for (const auto& [name, value] : pattern.entries()) {
      p.Add(name, Read("/params/" + group + "/" + name));
      EXPECT_EQ(p[name].sizes(), value.sizes()) << name;
    }
    EXPECT_EQ(pattern.entries().size(), file_.List("/params/" + group).size());
    return p;
  }

  void Reset() {
    state_.generator = ReadParameters("G", InitGenerator(options_.network, 1));
    state_.discriminator = ReadParameters("D", InitDiscriminator(options_.network, 1));
    state_.generator_adam = MakeAdamState(state_.generator);
    state_.discriminator_adam = MakeAdamState(state_.discriminator);
  }

  // fp32 numbers of the file were computed in fp32; their distance from the truth is written beside them.
  void ExpectForward(const std::string& name, const torch::Tensor& ours) const {
    const torch::Tensor theirs = Read("/forward/" + name);
    ASSERT_EQ(ours.sizes(), theirs.sizes()) << name;
    const double difference = (ours - theirs).abs().max().item<double>();
    // In double our value is the truth, so the file's own fp32 error is all that may be left.
    const double bound =
        IsDouble() ? 1.01 * file_.ReadDouble("/forward/" + name, "max_abs_diff_f64") + 1e-7 : 2e-5;
    EXPECT_LE(difference, bound) << name;
  }

  void ExpectTerms(const std::string& step, const LossTerms& ours) const {
    const std::string group = IsDouble() ? "/losses_f64/" : "/losses/";
    const double tolerance = IsDouble() ? 1e-8 : 3e-6;
    for (const std::string& name : file_.List(group + step)) {
      if (name == "total") continue;
      const double theirs = Number(group + step + "/" + name);
      ASSERT_TRUE(ours.contains(name)) << step << "/" << name;
      EXPECT_NEAR(ours.at(name), theirs, tolerance * std::max(1e-3, std::abs(theirs))) << step << "/" << name;
    }
  }

  void ExpectGradients(const std::string& step, const Parameters& p, const std::vector<torch::Tensor>& ours,
                       double fp32_tolerance) const {
    const std::string at = "/steps/" + step + "/";
    const std::string twin = IsDouble() ? "_f64" : "";
    const double tolerance = IsDouble() ? 1e-8 : fp32_tolerance;
    const auto names = file_.ReadStrings(at + "names");
    const auto l2 = file_.Read<double>(at + "grad_l2" + twin).values;
    const auto absmax = file_.Read<double>(at + "grad_absmax" + twin).values;
    ASSERT_EQ(names.size(), p.entries().size());
    double largest = 0;
    for (const double v : l2) largest = std::max(largest, v);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::size_t ours_at = IndexOf(p, names[i]);
      const torch::Tensor g = ours[ours_at].to(torch::kFloat64);  // sums in fp32 would be the error measured
      // A tensor whose gradient is rounding noise beside the others' is compared on their scale.
      EXPECT_NEAR(g.norm().item<double>(), l2[i], tolerance * std::max(l2[i], 1e-3 * largest))
          << step << " " << names[i];
      EXPECT_NEAR(g.abs().max().item<double>(), absmax[i], tolerance * std::max(absmax[i], 1e-3 * largest))
          << step << " " << names[i];
    }
    if (IsDouble()) return;  // whole gradients are stored in fp32 only
    for (const std::string& name : file_.List(at + "grad")) {
      const torch::Tensor theirs = Read(at + "grad/" + name);
      const double difference = (ours[IndexOf(p, name)] - theirs).norm().item<double>();
      EXPECT_LE(difference, tolerance * std::max(theirs.norm().item<double>(), 1e-3 * largest))
          << step << " " << name;
    }
  }

  static std::size_t IndexOf(const Parameters& p, const std::string& name) {
    for (std::size_t i = 0; i < p.entries().size(); ++i) {
      if (p.entries()[i].first == name) return i;
    }
    ADD_FAILURE() << "no parameter " << name;
    return 0;
  }

  // Parameters after the step. Adam divides by the gradient's own size, so that a gradient of rounding noise
  // moves a weight by the whole rate: fp32 sums may differ by a few such steps.
  void ExpectParameters(const std::string& step, const Parameters& p) const {
    const std::string at = "/steps/" + step + "/";
    const std::string twin = IsDouble() ? "_f64" : "";
    const auto names = file_.ReadStrings(at + "names");
    const auto l2 = file_.Read<double>(at + "param_l2" + twin).values;
    const auto abssum = file_.Read<double>(at + "param_abssum" + twin).values;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const torch::Tensor& value = p.entries()[IndexOf(p, names[i])].second;
      const double tolerance = IsDouble() ? 1e-8 : 2e-5;
      EXPECT_NEAR(value.norm().item<double>(), l2[i], tolerance * std::max(1.0, l2[i]))
          << step << " " << names[i];
      EXPECT_NEAR(value.abs().sum().item<double>(), abssum[i], tolerance * std::max(1.0, abssum[i]))
          << step << " " << names[i];
    }
  }

  torch::Tensor Fake() const {
    const torch::NoGradGuard no_grad;
    return Compose(RunGenerator(state_.generator, options_.network, batch_.image, batch_.target),
                   batch_.image);
  }
  torch::Tensor Interpolated(const torch::Tensor& fake) const {
    return batch_.alpha * batch_.image + (1 - batch_.alpha) * fake;
  }

  Hdf5Reader file_;
  StepOptions options_;
  Batch batch_;
  TrainingState state_;
};

TEST_P(ParityTest, Forward) {
  const torch::NoGradGuard no_grad;
  const GeneratorOutput first = RunGenerator(state_.generator, options_.network, batch_.image, batch_.target);
  const torch::Tensor fake = Compose(first, batch_.image);
  const GeneratorOutput second = RunGenerator(state_.generator, options_.network, fake, batch_.aus);
  ExpectForward("fake_color", first.colour);
  ExpectForward("fake_mask", first.attention);
  ExpectForward("fake_img", fake);
  ExpectForward("cyc_mask", second.attention);
  ExpectForward("cyc_img", Compose(second, fake));
  const DiscriminatorOutput real = RunDiscriminator(state_.discriminator, options_.network, batch_.image);
  const DiscriminatorOutput faked = RunDiscriminator(state_.discriminator, options_.network, fake);
  ExpectForward("D_real_src", real.score);
  ExpectForward("D_real_cond", real.aus);
  ExpectForward("D_fake_src", faked.score);
  ExpectForward("D_fake_cond", faked.aus);
  ExpectForward("gp_interp_src",
                RunDiscriminator(state_.discriminator, options_.network, Interpolated(fake)).score);
}

TEST_P(ParityTest, PublishedSteps) {
  // official_1_D, official_2_GP and official_3_G follow each other.
  const torch::Tensor fake = Fake();
  Gradients loss =
      CriticLossGradients(state_.discriminator, options_.network, options_.weights, batch_, fake);
  ExpectTerms("official_1_D", loss.terms);
  ExpectGradients("official_1_D", state_.discriminator, loss.values, kJoint);
  AdamStep(state_.discriminator, loss.values, options_.adam, state_.discriminator_adam);
  ExpectParameters("official_1_D", state_.discriminator);

  const Gradients penalty =
      PenaltyGradients(state_.discriminator, options_.network, options_.weights, Interpolated(fake));
  ExpectTerms("official_2_GP", penalty.terms);
  AdamStep(state_.discriminator, penalty.values, options_.adam, state_.discriminator_adam);
  ExpectParameters("official_2_GP", state_.discriminator);

  const GeneratorPass pass = GeneratorLossGradients(state_.generator, state_.discriminator, options_.network,
                                                    options_.weights, batch_);
  ExpectTerms("official_3_G", pass.gradients.terms);
  AdamStep(state_.generator, pass.gradients.values, options_.adam, state_.generator_adam);
  ExpectParameters("official_3_G", state_.generator);
}

TEST_P(ParityTest, UpdatesAreThoseSteps) {
  UpdateCritic(state_, options_, batch_);
  ExpectParameters("official_2_GP", state_.discriminator);
  UpdateGenerator(state_, options_, batch_);
  ExpectParameters("official_3_G", state_.generator);
}

TEST_P(ParityTest, GeneratorFromTheStart) {
  const GeneratorPass pass = GeneratorLossGradients(state_.generator, state_.discriminator, options_.network,
                                                    options_.weights, batch_);
  ExpectTerms("init_G", pass.gradients.terms);
  ExpectGradients("init_G", state_.generator, pass.gradients.values, 2e-3);
}

TEST_P(ParityTest, ThePlainPathIsThePublishedOneToo) {
  const torch::Tensor fake = Fake();
  const Gradients penalty =
      plain::PenaltyGradients(state_.discriminator, options_.network, options_.weights, Interpolated(fake));
  ExpectTerms("init_GP", penalty.terms);
  ExpectGradients("init_GP", state_.discriminator, penalty.values, 2e-6);
  const Gradients loss =
      plain::CriticLossGradients(state_.discriminator, options_.network, options_.weights, batch_, fake);
  ExpectTerms("official_1_D", loss.terms);
  ExpectGradients("official_1_D", state_.discriminator, loss.values, 2e-6);
  const GeneratorPass pass = plain::GeneratorLossGradients(state_.generator, state_.discriminator,
                                                           options_.network, options_.weights, batch_);
  ExpectTerms("init_G", pass.gradients.terms);
  ExpectGradients("init_G", state_.generator, pass.gradients.values, 2e-3);
  plain::Optimisation optimisation(state_, options_);
  optimisation.UpdateCritic(batch_);
  ExpectParameters("official_2_GP", state_.discriminator);
  optimisation.UpdateGenerator(batch_);
  ExpectParameters("official_3_G", state_.generator);
}

TEST_P(ParityTest, PenaltyByHand) {
  const Gradients by_hand =
      PenaltyGradients(state_.discriminator, options_.network, options_.weights, Interpolated(Fake()));
  ExpectTerms("init_GP", by_hand.terms);
  ExpectGradients("init_GP", state_.discriminator, by_hand.values, 2e-6);
}

TEST_P(ParityTest, SummedCriticStep) {
  const torch::Tensor fake = Fake();
  const Gradients both = CriticGradients(state_.discriminator, options_.network, options_.weights, batch_,
                                         fake, Interpolated(fake));
  ExpectTerms("init_D_plus_GP", both.terms);
  ExpectGradients("init_D_plus_GP", state_.discriminator, both.values, kJoint);

  options_.critic_step = CriticStep::kSummed;
  UpdateCritic(state_, options_, batch_);
  ExpectParameters("init_D_plus_GP", state_.discriminator);
}

INSTANTIATE_TEST_SUITE_P(Precision, ParityTest, ::testing::Values(torch::kFloat32, torch::kFloat64),
                         [](const auto& instance) {
                           return instance.param == torch::kFloat32 ? "Float" : "Double";
                         });

TEST(FullSize, HasThePublishedParameters) {
  const Hdf5Reader file(ParityPath());
  const NetworkOptions options;
  const Parameters g = InitGenerator(options, 1);
  const Parameters d = InitDiscriminator(options, 1);
  EXPECT_EQ(std::to_string(g.Count()), std::to_string(file.ReadInteger("/full_size/G", "total")));
  EXPECT_EQ(d.Count(), file.ReadInteger("/full_size/D", "total"));
  const auto names = file.ReadStrings("/full_size/G/names");
  for (const std::string& name : names) EXPECT_TRUE(g[name].defined()) << name;
  EXPECT_EQ(names.size(), g.entries().size());
}

}  // namespace
}  // namespace auforge::gan
