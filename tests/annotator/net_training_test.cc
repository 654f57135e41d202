// The trainer of the learnt features' net, at toy size: faces of 32 pixels whose mouth says it all.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "annotator/learnt_net_file.h"
#include "annotator/net_training/augment.h"
#include "annotator/net_training/internal/trunk.h"
#include "annotator/net_training/train_net.h"
#include "datasets/storage/bad_content.h"
#include "features/align.h"
#include "tests/support/faces.h"
#include "tests/support/temp_dir.h"

namespace auforge::annotator {
namespace {

constexpr int kSide = 32;
constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

// AU25 opens a dark mouth; AU1 lifts two dark brows, of which the subject's left one is on the picture's right.
cv::Mat Draw(float mouth, float left_brow, float right_brow, const cv::Scalar& skin) {
  cv::Mat picture(kSide, kSide, CV_8UC3, skin);
  const int open = static_cast<int>(std::lround(mouth));
  cv::rectangle(picture, {9, 22}, {22, 23 + open}, {20, 10, 10}, cv::FILLED);
  for (const auto& [x, brow] : {std::pair{6, right_brow}, {18, left_brow}}) {
    const int lift = static_cast<int>(std::lround(brow));
    cv::rectangle(picture, {x, 11 - lift}, {x + 7, 12 - lift}, {10, 10, 10}, cv::FILLED);
  }
  return picture;
}
cv::Mat Draw(float mouth, float brows, const cv::Scalar& skin) { return Draw(mouth, brows, brows, skin); }

CropSet Faces(std::size_t n, std::uint64_t seed, bool is_labelled = true) {
  CropSet set;
  set.schema = features::AuSchema({1, 25});
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < n; ++i) {
    const auto mouth = static_cast<float>(random() % 2 == 0 ? Uniform(random, 1, 5) : 0),
               brows = static_cast<float>(random() % 2 == 0 ? Uniform(random, 1, 5) : 0);
    set.crops.push_back({Draw(mouth, brows, {Uniform(random, 120, 200), Uniform(random, 120, 200), Uniform(random, 120, 200)}),
                         {1, 0, 0, 0}, {0, 0, 0}, static_cast<std::int64_t>(i)});
    for (const float au : {brows, mouth}) {
      set.intensity.push_back(is_labelled ? au : kUnknown);
      set.left.push_back(is_labelled ? au : kUnknown);
      set.right.push_back(is_labelled ? au : kUnknown);
    }
  }
  return set;
}

// Of every other face one half is weaker.
CropSet UnevenFaces(std::size_t n, std::uint64_t seed) {
  CropSet set = Faces(n, seed);
  std::mt19937_64 random(seed + 100);
  for (std::size_t i = 0; i < n; i += 2) {
    const float strong = static_cast<float>(Uniform(random, 2, 5)), weak = static_cast<float>(Uniform(random, 0, 1));
    const bool is_left = random() % 2 == 0;
    set.crops[i].picture = Draw(set.intensity[2 * i + 1], is_left ? strong : weak, is_left ? weak : strong, {150, 160, 190});
    set.intensity[2 * i] = strong;
    set.left[2 * i] = is_left ? strong : weak;
    set.right[2 * i] = is_left ? weak : strong;
  }
  return set;
}

CropSet Nothing() {
  CropSet set;
  set.schema = features::AuSchema({1, 25});
  return set;
}

NetTrainOptions Options() {
  NetTrainOptions options;
  options.crop_size = kSide;
  options.stem = 8;
  options.blocks = {16, 24};
  options.batch = 32;
  options.photo_batch = 8;
  options.unlabelled_batch = 8;
  options.passes = 12;
  options.held_out = 0.2;
  options.reduced = false;
  options.rate = 5e-3;
  return options;
}

TEST(Augment, NothingDoneIsTheCropThatEvaluationSees) {
  cv::Mat picture = tests::Texture(300, 300, 3, 5);
  cv::GaussianBlur(picture, picture, {9, 9}, 3);
  const features::Landmarks68 landmarks = tests::NeutralFace();
  // About the size that the face has, as the crops in shards have it.
  const features::AlignOptions crop = features::FeatureCrop(160);
  std::mt19937_64 random(1);
  const cv::Mat plain =
      AugmentedCrop(picture, features::CropFromImage(landmarks, crop), 160, false, {0, 0}, random);
  const cv::Mat aligned = features::AlignFace(picture, landmarks, crop).crop;
  EXPECT_LE(cv::norm(plain, aligned, cv::NORM_INF), 3) << "two ways to interpolate, rounded apart at most";
  cv::Mat flipped;
  cv::flip(plain, flipped, 1);
  const cv::Mat mirrored = AugmentedCrop(picture, features::CropFromImage(landmarks, crop), 160, true, {0, 0}, random);
  EXPECT_LE(cv::norm(mirrored, flipped, cv::NORM_INF), 3);
}

TEST(Augment, TheSameStreamGivesTheSamePicture) {
  const cv::Mat picture = Draw(3, 2, {150, 160, 190});
  std::mt19937_64 a(7), b(7), c(8);
  const cv::Mat first = AugmentedCrop(picture, {1, 0, 0, 0}, kSide, false, {1, 1}, a);
  EXPECT_EQ(cv::norm(first, AugmentedCrop(picture, {1, 0, 0, 0}, kSide, false, {1, 1}, b), cv::NORM_INF), 0);
  EXPECT_GT(cv::norm(first, AugmentedCrop(picture, {1, 0, 0, 0}, kSide, false, {1, 1}, c), cv::NORM_INF), 5);
}

TEST(Trunk, FoldedItAnswersAsInEvaluation) {
  torch::manual_seed(3);
  Trunk trunk(TrunkShape{kSide, 8, {16, 24}}, 5, 0.1);
  {
    // Statistics and scales that are not those of a fresh net.
    const torch::NoGradGuard no_grad;
    for (const auto& buffer : trunk->named_buffers()) {
      if (buffer.value().is_floating_point()) buffer.value().add_(torch::rand_like(buffer.value()) * 0.5);
    }
    for (const auto& p : trunk->named_parameters()) p.value().add_(torch::randn_like(p.value()) * 0.05);
  }
  trunk->eval();
  const cv::Mat picture = Draw(4, 1, {90, 140, 200});
  const torch::NoGradGuard no_grad;
  const torch::Tensor x = (torch::from_blob(picture.data, {1, kSide, kSide, 3}, torch::kUInt8).permute({0, 3, 1, 2}).to(torch::kFloat) / 255 - 0.5) / 0.25;
  const torch::Tensor wanted = trunk->Embed(x);
  const features::LearntNet net = trunk->Folded({1, 12});
  std::vector<float> embedding(net.embedding_size());
  net.Embed(picture, embedding);
  const float largest = wanted.abs().max().item<float>();
  for (std::size_t i = 0; i < embedding.size(); ++i) {
    EXPECT_NEAR(embedding[i], wanted[0][static_cast<std::int64_t>(i)].item<float>(), 4e-3 * largest) << "feature " << i;
  }
  // Opinions: the first four outputs of the head.
  ASSERT_EQ(net.opinion_aus(), (std::vector<int>{1, 12}));
  std::vector<float> opinions(4);
  net.Opinions(embedding, opinions);
  const torch::Tensor said = trunk->head(wanted);
  for (std::int64_t i = 0; i < 4; ++i) EXPECT_NEAR(opinions[static_cast<std::size_t>(i)], said[0][i].item<float>(), 1e-2 * std::max(1.0F, largest));
}

TEST(TrainNet, LearnsFromRendersAndPhotographs) {
  const NetTrainSummary summary = TrainNet(Faces(400, 1), Faces(60, 2), Faces(60, 3, false), Options(), {}, {});
  ASSERT_TRUE(summary.finished);
  EXPECT_GT(summary.held_out, 40U);
  for (const double r : summary.correlation) EXPECT_GT(r, 0.8);
  EXPECT_EQ(summary.net.channels(), 24U);
  EXPECT_EQ(summary.net.pooling(), features::Pooling::kHalves);
  EXPECT_EQ(summary.uneven, 0U);
}

TEST(TrainNet, TellsTheHalvesOfTheFaceApart) {
  const NetTrainSummary summary = TrainNet(UnevenFaces(600, 6), Nothing(), Nothing(), Options(), {}, {});
  EXPECT_GT(summary.uneven, 30U);
  EXPECT_GT(summary.stronger, summary.uneven * 95 / 100);
}

TEST(TrainNet, LearnsFromPicturesAsTheyAre) {
  NetTrainOptions options = Options();
  options.passes = 6;
  const NetTrainSummary augmented = TrainNet(Faces(400, 1), Nothing(), Nothing(), options, {}, {});
  options.augment = 0;
  const NetTrainSummary plain = TrainNet(Faces(400, 1), Nothing(), Nothing(), options, {}, {});
  EXPECT_NE(plain.net.digest(), augmented.net.digest());
  // These faces differ in nothing but what is learnt: without anything done to them they are the easier ones.
  for (std::size_t j = 0; j < 2; ++j) EXPECT_GT(plain.correlation[j], augmented.correlation[j] - 0.02);
}

TEST(TrainNet, BeginsWithTheWeightsOfAnotherTraining) {
  const tests::TempDir dir;
  NetTrainOptions options = Options();
  options.state = dir / "first.state";
  const NetTrainSummary first = TrainNet(Faces(400, 1), Nothing(), Nothing(), options, {}, {});
  // Hardly a step: what it knows it knows from there.
  options.start_from = options.state;
  options.state = {};
  options.passes = 1e-6;
  options.rate = 1e-9;
  for (const double r : TrainNet(Faces(400, 1), Nothing(), Nothing(), options, {}, {}).correlation) EXPECT_GT(r, 0.8);
  options.blocks = {12, 20};
  try {
    TrainNet(Faces(400, 1), Nothing(), Nothing(), options, {}, {});
    FAIL() << "began with a net of another shape";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("most of its weights are of another net"), std::string::npos) << error.what();
  }
}

// Of a net, on plain faces.
std::vector<float> EmbeddingsOf(const features::LearntNet& net) {
  std::vector<float> all;
  for (const TrainingCrop& crop : Faces(20, 77).crops) {
    std::vector<float> one(net.embedding_size());
    net.Embed(crop.picture, one);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}
double LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, static_cast<double>(std::abs(a[i] - b[i])));
  return most;
}

TEST(TrainNet, GoesOnWithANetWhoseTrainingIsNotAtHand) {
  const tests::TempDir dir;
  const CropSet renders = UnevenFaces(600, 11), photos = Faces(60, 5);
  const NetTrainSummary before = TrainNet(renders, photos, Nothing(), Options(), {}, {});
  SaveLearntNet(before.net, dir / "net.bin");
  NetTrainOptions options = Options();
  options.start_from = dir / "net.bin";
  options.passes = 1e-6;
  options.rate = 1e-9;
  const NetTrainSummary same = TrainNet(renders, photos, Nothing(), options, {}, {});
  EXPECT_EQ(same.steps, 1);
  const std::vector<float> was = EmbeddingsOf(before.net), is = EmbeddingsOf(same.net);
  const float scale = *std::max_element(was.begin(), was.end());
  EXPECT_LT(LargestDifference(was, is), 0.02 * scale) << "the same net, but for one step of the norms' averages and rounding";
  EXPECT_NEAR(same.correlation[1], before.correlation[1], 0.02) << "its opinions come along";
  options.passes = 2;
  options.rate = 2e-3;
  const NetTrainSummary after = TrainNet(renders, photos, Nothing(), options, {}, {});
  EXPECT_GT(after.correlation[1], 0.9);
  EXPECT_GT(static_cast<double>(after.stronger), 0.9 * static_cast<double>(after.uneven)) << "halves are learnt anew, on maps that know them";
}

TEST(TrainNet, TakesOpinionsByTheirAus) {
  const TrunkImpl::Sides sides(4, 2);
  const TrunkShape shape{kSide, 8, {16, 24}, features::Pooling::kHalves};
  Trunk from(shape, 9, 0.0, sides), to(shape, 9, 0.0, sides);
  from->eval();
  torch::manual_seed(3);
  const torch::Tensor pictures = torch::randn({40, 3, kSide, kSide});
  to->TakeFolded(from->Folded({1, 25}).Description(), {25, 4}, pictures);
  to->eval();
  const torch::Tensor theirs = from(pictures), ours = to(pictures);
  EXPECT_LT((ours.select(1, 0) - theirs.select(1, 1)).abs().max().item<float>(), 0.01F) << "AU25's intensity";
  EXPECT_LT((ours.select(1, 2) - theirs.select(1, 3)).abs().max().item<float>(), 0.01F) << "AU25's presence";
  for (const int column : {1, 3, 4, 5, 6}) EXPECT_EQ(ours.select(1, column).abs().max().item<float>(), 0) << "nothing is known of column " << column;
}

TEST(TrainNet, NamesFilesThatAreNoNet) {
  const tests::TempDir dir;
  NetTrainOptions options = Options();
  options.passes = 1e-6;
  options.start_from = dir / "net.bin";
  std::ofstream(dir / "net.bin") << "AUFLNET3 and no more";
  EXPECT_THROW(TrainNet(Faces(150, 4), Nothing(), Nothing(), options, {}, {}), datasets::storage::BadContent);
  std::ofstream(dir / "net.bin") << "a text";
  EXPECT_THROW(TrainNet(Faces(150, 4), Nothing(), Nothing(), options, {}, {}), datasets::storage::BadContent);
}

TEST(TrainNet, NamesANetOfOtherSizes) {
  const tests::TempDir dir;
  NetTrainOptions options = Options();
  options.passes = 1e-6;
  const CropSet renders = Faces(150, 4);
  SaveLearntNet(TrainNet(renders, Nothing(), Nothing(), options, {}, {}).net, dir / "net.bin");
  options.start_from = dir / "net.bin";
  options.blocks = {16, 32};
  try {
    TrainNet(renders, Nothing(), Nothing(), options, {}, {});
    FAIL() << "taken";
  } catch (const std::invalid_argument& error) {
    EXPECT_EQ(std::string(error.what()), "--start-from " + std::string(dir / "net.bin") +
                                             ": has a layer of 16 -> 24 channels, 3x3, stride 2 where this net has 16 -> 32 channels, "
                                             "3x3, stride 2; give this training the sizes of that net");
  }
}

TEST(TrainNet, GoesOnWhereItWasStopped) {
  const tests::TempDir dir;
  const CropSet renders = Faces(150, 4), photos = Faces(20, 5);
  NetTrainOptions options = Options();
  options.passes = 3;
  const NetTrainSummary whole = TrainNet(renders, photos, Nothing(), options, {}, {});
  options.state = dir / "net.state";
  int asked = 0;
  const NetTrainSummary part = TrainNet(renders, photos, Nothing(), options, {}, [&] { return ++asked > 5; });
  EXPECT_FALSE(part.finished);
  EXPECT_EQ(part.steps, 5);
  const NetTrainSummary rest = TrainNet(renders, photos, Nothing(), options, {}, {});
  EXPECT_TRUE(rest.finished);
  EXPECT_EQ(rest.steps, whole.steps);
  EXPECT_GT(rest.steps, 5);
  EXPECT_EQ(rest.net.digest(), whole.net.digest()) << "a stop changes nothing";
  // What is done is done: nothing is trained twice.
  EXPECT_EQ(TrainNet(renders, photos, Nothing(), options, {}, {}).net.digest(), rest.net.digest());
}

TEST(TrainNet, RefusesStatesOfOtherThings) {
  const tests::TempDir dir;
  NetTrainOptions options = Options();
  options.state = dir / "net.state";
  std::ofstream(options.state) << "not a state";
  try {
    TrainNet(Faces(150, 4), Nothing(), Nothing(), options, {}, {});
    FAIL() << "took it";
  } catch (const datasets::storage::BadContent& error) {
    EXPECT_NE(std::string(error.what()).find("net.state"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("remove it"), std::string::npos);
  }
}

// Else the same name gets the net of the training before, with other options and data in its command.
TEST(TrainNet, StatesOfOtherTrainingsAreNotGoneOnFrom) {
  const tests::TempDir dir;
  const CropSet renders = Faces(150, 4), photos = Faces(20, 5);
  NetTrainOptions options = Options();
  options.passes = 1e-6;
  options.state = dir / "net.state";
  TrainNet(renders, photos, Nothing(), options, {}, {});
  const auto refusal = [&](const CropSet& r, const CropSet& p, const NetTrainOptions& o) -> std::string {
    try {
      TrainNet(r, p, Nothing(), o, {}, {});
      return "";
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  };
  EXPECT_EQ(refusal(renders, photos, options), "");
  NetTrainOptions other = options;
  other.jobs = 2;
  other.save_minutes = 1;
  other.start_from = dir / "nowhere.state";
  EXPECT_EQ(refusal(renders, photos, other), "") << "changes nothing of what comes out";
  other = options;
  other.seed = 9;
  EXPECT_NE(refusal(renders, photos, other).find("net.state: is of a training with --seed = 1, this one has 9; "), std::string::npos)
      << refusal(renders, photos, other);
  other = options;
  other.blocks = {16, 32};
  EXPECT_NE(refusal(renders, photos, other).find("--blocks = [16,24], this one has [16,32]"), std::string::npos);
  EXPECT_NE(refusal(Faces(160, 4), photos, options).find("--renders = "), std::string::npos);
  CropSet recoded = photos;
  recoded.intensity[3] = 5 - recoded.intensity[3];
  EXPECT_NE(refusal(renders, recoded, options).find("--photos and --codes = "), std::string::npos);
}

TEST(TrainNet, NamesWhatIsWrongWithItsOptions) {
  NetTrainOptions options = Options();
  options.rate = -1;
  EXPECT_THROW(TrainNet(Faces(150, 4), Nothing(), Nothing(), options, {}, {}), std::invalid_argument);
  options = Options();
  options.augment = 2;
  EXPECT_THROW(TrainNet(Faces(150, 4), Nothing(), Nothing(), options, {}, {}), std::invalid_argument);
  options = Options();
  EXPECT_THROW(TrainNet(Faces(20, 4), Nothing(), Nothing(), options, {}, {}), std::invalid_argument) << "too few";
}

}  // namespace
}  // namespace auforge::annotator
