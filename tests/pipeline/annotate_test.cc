// The whole annotation run on real photos: what is found, that bytes do not depend on threads, and that nothing is
// lost when it is killed or fed with rubbish.
#include "pipeline/annotate.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <set>

#include "datasets/shard.h"
#include "pipeline/resume.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class AnnotateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("AUFORGE_PHOTOS");
    if (folder == nullptr) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
    photos_ = folder;
    setenv("SOURCE_DATE_EPOCH", "1767225600", 1);  // the one attribute that differs between equal runs
  }

  // A few of the smaller photos, so that the tests stay fast.
  void CopyPhotos(const std::string& to) const {
    fs::create_directories(to);
    for (const char* name : {"2008_001009.jpg", "2008_001322.jpg", "2008_002506.jpg", "2009_004587.jpg"}) {
      fs::copy_file(photos_ / name, fs::path(to) / name);
    }
  }

  AnnotateOptions Options(const std::string& output) const {
    AnnotateOptions options;
    options.inputs = {dir_ / "in"};
    options.output = output;
    options.source.shard_size = 2;
    options.jobs = 1;
    return options;
  }

  static void ExpectEqualShards(const std::string& a, const std::string& b) {
    EXPECT_TRUE(tests::ReadText(a) == tests::ReadText(b)) << a << " differs from " << b;
    EXPECT_TRUE(datasets::VerifyShard(a).empty());
  }

  fs::path photos_;
  tests::TempDir dir_;
};

TEST_F(AnnotateTest, FindsFacesAndWritesSoundShards) {
  CopyPhotos(dir_ / "in");
  const AnnotateSummary summary = Annotate(Options(dir_ / "out"), {}, {});
  EXPECT_EQ(summary.images, 4U);
  EXPECT_EQ(summary.shards_written, 2U);
  EXPECT_GE(summary.faces, 8U);
  for (const char* name : {"00000.h5", "00001.h5"}) {
    EXPECT_TRUE(datasets::VerifyShard(dir_ / ("out/" + std::string(name))).empty()) << name;
  }
  const datasets::ShardReader shard(dir_ / "out/00000.h5");
  EXPECT_EQ(shard.Sample(0).key, "2008_001009.jpg");
  EXPECT_EQ(shard.header().detector.substr(0, 8), "auforge-");
  EXPECT_EQ(shard.Sample(0).width, 360);
  for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
    EXPECT_GT(shard.Quality()[i], 0);
    EXPECT_GT(shard.FaceBox(i).width, 40);
  }
}

TEST_F(AnnotateTest, SameBytesWithAnyNumberOfThreads) {
  CopyPhotos(dir_ / "in");
  AnnotateOptions options = Options(dir_ / "one");
  Annotate(options, {}, {});
  options.output = dir_ / "four";
  options.jobs = 4;
  options.batch = 3;
  Annotate(options, {}, {});
  ExpectEqualShards(dir_ / "one/00000.h5", dir_ / "four/00000.h5");
  ExpectEqualShards(dir_ / "one/00001.h5", dir_ / "four/00001.h5");
}

TEST_F(AnnotateTest, StoppingAtAnyMomentNeverWritesAShardThatLacksImages) {
  CopyPhotos(dir_ / "in");
  for (int polls_wanted : {1, 2, 3, 4, 6, 8, 11}) {
    const std::string out = dir_ / ("out" + std::to_string(polls_wanted));
    AnnotateOptions options = Options(out);
    options.jobs = 2;
    int polls = 0;
    Annotate(options, {}, [&] { return ++polls > polls_wanted; });
    for (const char* name : {"00000.h5", "00001.h5"}) {
      if (!fs::exists(fs::path(out) / name)) continue;
      EXPECT_EQ(datasets::ShardReader((fs::path(out) / name).string()).SampleCount(), 2U) << polls_wanted;
    }
  }
}

TEST_F(AnnotateTest, LargeFacesAreFoundAsWellInReducedPictures) {
  // Faces of 400 pixels and more: the picture is decoded at a quarter of its size.
  fs::create_directories(dir_ / "in");
  fs::copy_file(photos_ / "Tom_Cruise_avp_2014_4.jpg", fs::path(dir_ / "in") / "a.jpg");
  AnnotateOptions options = Options(dir_ / "reduced");
  options.min_face = 400;
  Annotate(options, {}, {});
  options.output = dir_ / "whole";
  options.reduce = false;
  Annotate(options, {}, {});
  const datasets::ShardReader reduced(dir_ / "reduced/00000.h5");
  const datasets::ShardReader whole(dir_ / "whole/00000.h5");
  ASSERT_EQ(reduced.FaceCount(), 1U);
  ASSERT_EQ(whole.FaceCount(), 1U);
  EXPECT_EQ(reduced.Sample(0).width, whole.Sample(0).width);
  EXPECT_EQ(reduced.Sample(0).height, whole.Sample(0).height);
  const float size = whole.FaceBox(0).width;
  for (std::size_t i = 0; i < features::kLandmarkCount; ++i) {
    EXPECT_LT(features::Distance(reduced.Landmarks(0)[i], whole.Landmarks(0)[i]), 0.04F * size) << i;
  }
  const features::Point2 nose = whole.Landmarks(0)[30];
  EXPECT_LT(features::Distance(reduced.CropFromImage(0)(nose), whole.CropFromImage(0)(nose)), 3.0F) << "crop pixels";
}

TEST_F(AnnotateTest, DuplicatesAreCountedAndSkippedOnRequest) {
  fs::create_directories(dir_ / "in");
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) {
    fs::copy_file(photos_ / "2008_001009.jpg", fs::path(dir_ / "in") / name);
  }
  fs::copy_file(photos_ / "2008_002506.jpg", fs::path(dir_ / "in") / "d.jpg");
  EXPECT_EQ(Annotate(Options(dir_ / "kept"), {}, {}).duplicates, 2U);
  AnnotateOptions options = Options(dir_ / "out");  // two shards of two
  options.skip_duplicates = true;
  const AnnotateSummary summary = Annotate(options, {}, {});
  EXPECT_EQ(summary.by_status.at("duplicate"), 2U);
  EXPECT_EQ(summary.by_status.at("ok"), 2U);
  EXPECT_EQ(datasets::ShardReader(dir_ / "out/00001.h5").Sample(0).status, datasets::Outcome::kDuplicate);
  // A run that was interrupted between the shards skips the same ones.
  Annotate(options, {}, {});
  fs::copy_file(fs::path(dir_ / "out") / "00001.h5", fs::path(dir_ / "before.h5"));
  fs::remove(dir_ / "out/00001_stats.json");
  Annotate(options, {}, {});
  EXPECT_TRUE(tests::ReadText(dir_ / "before.h5") == tests::ReadText(dir_ / "out/00001.h5"));
}

TEST_F(AnnotateTest, NearDuplicatesAreLeftOutWhateverTheThreadsAndInterruptions) {
  fs::create_directories(dir_ / "in");
  const cv::Mat photo = cv::imread((photos_ / "2008_002506.jpg").string()), other = cv::imread((photos_ / "2008_001322.jpg").string());
  cv::Mat larger;
  cv::resize(photo, larger, {}, 1.4, 1.4);
  cv::imwrite(dir_ / "in/a.png", photo);
  cv::imwrite(dir_ / "in/b.jpg", photo, {cv::IMWRITE_JPEG_QUALITY, 50});
  cv::imwrite(dir_ / "in/c.jpg", other);
  cv::imwrite(dir_ / "in/d.jpg", larger);
  const AnnotateSummary all = Annotate(Options(dir_ / "kept"), {}, {});
  AnnotateOptions options = Options(dir_ / "out");
  options.skip_near_duplicates = true;
  const AnnotateSummary summary = Annotate(options, {}, {});
  const datasets::ShardReader first(dir_ / "out/00000.h5"), second(dir_ / "out/00001.h5");
  EXPECT_EQ(first.Sample(1).status, datasets::Outcome::kDuplicate);
  EXPECT_EQ(second.Sample(0).status, datasets::Outcome::kOk);
  EXPECT_EQ(second.Sample(1).status, datasets::Outcome::kDuplicate) << "in another shard";
  EXPECT_EQ(summary.faces + summary.near_duplicates, all.faces);
  EXPECT_TRUE(datasets::VerifyShard(dir_ / "out/00000.h5").empty());
  EXPECT_NE(tests::ReadText(dir_ / "out/00001_errors.jsonl").find("a near-duplicate of a.png"), std::string::npos);
  options.output = dir_ / "four";
  options.jobs = 4;
  options.batch = 1;
  Annotate(options, {}, {});
  for (const char* name : {"00000.h5", "00001.h5"}) ExpectEqualShards(dir_ / (std::string("out/") + name), dir_ / (std::string("four/") + name));
  // Interrupted between the shards.
  for (const char* name : {"00001.h5", "00001_stats.json", "00001_errors.jsonl"}) fs::remove(fs::path(dir_ / "four") / name);
  Annotate(options, {}, {});
  ExpectEqualShards(dir_ / "out/00001.h5", dir_ / "four/00001.h5");
  options.skip_near_duplicates = false;
  EXPECT_THROW(Annotate(options, {}, {}), ConfigMismatch) << "a folder of one kind";
}

TEST_F(AnnotateTest, WithoutCropsEverythingElseIsTheSame) {
  CopyPhotos(dir_ / "in");
  Annotate(Options(dir_ / "with"), {}, {});
  AnnotateOptions options = Options(dir_ / "out");
  options.store_crops = false;
  Annotate(options, {}, {});
  const datasets::ShardReader with(dir_ / "with/00000.h5"), without(dir_ / "out/00000.h5");
  ASSERT_EQ(without.FaceCount(), with.FaceCount());
  EXPECT_EQ(without.ImageBytes(), 0U);
  for (std::size_t i = 0; i < with.FaceCount(); ++i) {
    EXPECT_EQ(without.Face(i).aus.intensity, with.Face(i).aus.intensity);
    EXPECT_EQ(without.Face(i).landmarks, with.Face(i).landmarks);
    EXPECT_EQ(without.Face(i).hash, with.Face(i).hash);
  }
  EXPECT_TRUE(datasets::VerifyShard(dir_ / "out/00000.h5").empty());
  options.store_crops = true;
  EXPECT_THROW(Annotate(options, {}, {}), ConfigMismatch);
}

TEST_F(AnnotateTest, DensePointsComeBesideAndChangeNothingElse) {
  CopyPhotos(dir_ / "in");
  Annotate(Options(dir_ / "without"), {}, {});
  AnnotateOptions options = Options(dir_ / "out");
  options.dense = true;
  Annotate(options, {}, {});
  options.output = dir_ / "four";
  options.jobs = 4;
  options.batch = 1;
  Annotate(options, {}, {});
  for (const char* name : {"00000.h5", "00001.h5"}) {
    ExpectEqualShards(dir_ / (std::string("out/") + name), dir_ / (std::string("four/") + name));
    const datasets::ShardReader without(dir_ / (std::string("without/") + name)), with(dir_ / (std::string("out/") + name));
    EXPECT_FALSE(without.Extra("/faces/landmarks_dense"));
    ASSERT_EQ(with.FaceCount(), without.FaceCount());
    const auto dense = with.Extra("/faces/landmarks_dense");
    ASSERT_TRUE(dense);
    EXPECT_EQ(dense->shape, (std::vector<std::uint64_t>{with.FaceCount(), features::kDenseCount, 2}));
    for (std::size_t i = 0; i < with.FaceCount(); ++i) {
      EXPECT_EQ(with.Face(i).aus.intensity, without.Face(i).aus.intensity);
      EXPECT_EQ(with.Landmarks(i), without.Landmarks(i));
      EXPECT_EQ(with.FaceImage(i), without.FaceImage(i));
      // Both corners of both eyes are about where the landmarks have them.
      const features::Landmarks68 points = with.Landmarks(i);
      const float eyes = features::InterOcularDistance(points);
      const float* at = dense->values.data() + i * 2 * features::kDenseCount;
      for (const auto& [close, landmark] : {std::pair{0, 36}, {8, 39}, {21, 45}, {29, 42}, {42, 48}, {52, 54}})
        EXPECT_LT(features::Distance({at[2 * close], at[2 * close + 1]}, points[static_cast<std::size_t>(landmark)]), 0.15F * eyes) << close;
    }
    EXPECT_TRUE(datasets::VerifyShard(dir_ / (std::string("out/") + name)).empty());
  }
  options.dense = false;
  EXPECT_THROW(Annotate(options, {}, {}), ConfigMismatch) << "a folder of one kind";
}

TEST_F(AnnotateTest, ASecondRunDoesNothing) {
  CopyPhotos(dir_ / "in");
  Annotate(Options(dir_ / "out"), {}, {});
  const auto before = fs::last_write_time(dir_ / "out/00000.h5");
  const AnnotateSummary again = Annotate(Options(dir_ / "out"), {}, {});
  EXPECT_EQ(again.images, 0U);
  EXPECT_EQ(again.shards_skipped, 2U);
  EXPECT_EQ(fs::last_write_time(dir_ / "out/00000.h5"), before);
}

TEST_F(AnnotateTest, AStoppedRunGoesOn) {
  CopyPhotos(dir_ / "in");
  Annotate(Options(dir_ / "whole"), {}, {});
  // Stops while the second shard is under way: progress is told of every shard that is committed.
  AnnotateOptions options = Options(dir_ / "out");
  bool one_is_done = false;
  options.batch = 1;
  const AnnotateSummary stopped = Annotate(
      options, [&one_is_done](const AnnotateProgress& progress) { one_is_done = progress.shards > 0; },
      [&one_is_done] { return one_is_done; });
  EXPECT_TRUE(stopped.stopped);
  EXPECT_EQ(stopped.shards_written, 1U);
  EXPECT_FALSE(fs::exists(dir_ / "out/00001.h5"));
  for (const auto& entry : fs::directory_iterator(dir_ / "out")) {
    EXPECT_EQ(entry.path().string().find(".tmp."), std::string::npos) << entry.path();
  }
  const AnnotateSummary rest = Annotate(options, {}, {});
  EXPECT_EQ(rest.shards_skipped, 1U);
  EXPECT_EQ(rest.shards_written, 1U);
  ExpectEqualShards(dir_ / "whole/00000.h5", dir_ / "out/00000.h5");
  ExpectEqualShards(dir_ / "whole/00001.h5", dir_ / "out/00001.h5");
}

TEST_F(AnnotateTest, AHalfCommittedShardIsMadeAgain) {
  CopyPhotos(dir_ / "in");
  Annotate(Options(dir_ / "whole"), {}, {});
  Annotate(Options(dir_ / "out"), {}, {});
  // Killed between the shard and its commit marker, and in the middle of a write.
  fs::remove(dir_ / "out/00001_stats.json");
  tests::WriteText(dir_ / "out/00001.h5.tmp.999.0", "half a file");
  const AnnotateSummary again = Annotate(Options(dir_ / "out"), {}, {});
  EXPECT_EQ(again.shards_written, 1U);
  ExpectEqualShards(dir_ / "whole/00001.h5", dir_ / "out/00001.h5");
}

TEST_F(AnnotateTest, RefusesToMixConfigurations) {
  CopyPhotos(dir_ / "in");
  Annotate(Options(dir_ / "out"), {}, {});
  AnnotateOptions other = Options(dir_ / "out");
  other.min_face = 60;
  try {
    Annotate(other, {}, {});
    FAIL();
  } catch (const ConfigMismatch& error) {
    EXPECT_NE(std::string(error.what()).find("min_face = 80, this run has 60"), std::string::npos) << error.what();
  }
  // A new last image is a new shard; a new first one would shift all others.
  fs::copy_file(photos_ / "dogs.jpg", fs::path(dir_ / "in") / "zz.jpg");
  EXPECT_EQ(Annotate(Options(dir_ / "out"), {}, {}).shards_written, 1U);
  fs::copy_file(photos_ / "dogs.jpg", fs::path(dir_ / "in") / "00.jpg");
  EXPECT_THROW(Annotate(Options(dir_ / "out"), {}, {}), ConfigMismatch);
}

TEST_F(AnnotateTest, RubbishIsCountedAndCostsNothingElse) {
  CopyPhotos(dir_ / "in");
  const std::string whole = tests::ReadText((photos_ / "2008_001009.jpg").string());
  tests::WriteText(dir_ / "in/text.jpg", "this is a text file");
  tests::WriteText(dir_ / "in/empty.png", "");
  tests::WriteText(dir_ / "in/cut.jpg", whole.substr(0, whole.size() / 2));
  fs::copy_file(photos_ / "dogs.jpg", fs::path(dir_ / "in") / "dogs.jpg");
  AnnotateOptions options = Options(dir_ / "out");
  options.source.shard_size = 100;
  const AnnotateSummary summary = Annotate(options, {}, {});
  EXPECT_EQ(summary.images, 8U);
  EXPECT_EQ(summary.by_status.at("ok"), 4U);
  EXPECT_EQ(summary.by_status.at("undecodable"), 3U);
  EXPECT_EQ(summary.by_status.at("no_face"), 1U);
  // Each input once, and each failure with its reason.
  const datasets::ShardReader shard(dir_ / "out/00000.h5");
  std::set<std::string> keys;
  for (std::size_t i = 0; i < shard.SampleCount(); ++i) keys.insert(shard.Sample(i).key);
  EXPECT_EQ(keys.size(), 8U);
  std::istringstream lines(tests::ReadText(dir_ / "out/00000_errors.jsonl"));
  std::set<std::string> failed;
  for (std::string line; std::getline(lines, line);) {
    const json entry = json::parse(line);
    EXPECT_FALSE(entry.at("message").get<std::string>().empty());
    failed.insert(entry.at("key"));
  }
  EXPECT_EQ(failed, (std::set<std::string>{"cut.jpg", "dogs.jpg", "empty.png", "text.jpg"}));
}

TEST_F(AnnotateTest, EmptyAndTruncatedTarsAreShardsToo) {
  tests::WriteTar(dir_ / "0.tar", {});
  const std::string photo = tests::ReadText((photos_ / "2008_001009.jpg").string());
  tests::WriteTar(dir_ / "1.tar", {{"a.jpg", photo}, {"a.txt", "two people"}, {"b.jpg", photo}});
  const std::string whole = tests::ReadText(dir_ / "1.tar");
  tests::WriteText(dir_ / "1.tar", whole.substr(0, whole.size() - photo.size() / 2 - 10240));
  AnnotateOptions options = Options(dir_ / "out");
  options.inputs = {dir_ / "{0..1}.tar"};
  const AnnotateSummary summary = Annotate(options, {}, {});
  EXPECT_EQ(summary.shards_written, 2U);
  const datasets::ShardReader empty(dir_ / "out/00000.h5");
  EXPECT_EQ(empty.SampleCount(), 0U);
  EXPECT_TRUE(datasets::VerifyShard(dir_ / "out/00000.h5").empty());
  const datasets::ShardReader cut(dir_ / "out/00001.h5");
  ASSERT_EQ(cut.SampleCount(), 3U);
  EXPECT_EQ(cut.Sample(0).keywords, "two people");
  EXPECT_EQ(cut.Sample(1).status, datasets::Outcome::kUnreadable);
}

TEST_F(AnnotateTest, RanksShareTheShards) {
  CopyPhotos(dir_ / "in");
  Annotate(Options(dir_ / "whole"), {}, {});
  for (int rank = 0; rank < 2; ++rank) {
    AnnotateOptions options = Options(dir_ / "out");
    options.index = rank;
    options.count = 2;
    EXPECT_EQ(Annotate(options, {}, {}).shards_written, 1U);
  }
  ExpectEqualShards(dir_ / "whole/00001.h5", dir_ / "out/00001.h5");
}

TEST(AnnotateOptions, NameWhatIsWrong) {
  AnnotateOptions options;
  options.inputs = {"x"};
  options.output = "y";
  options.min_face = 5;
  try {
    options.Validate();
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "min-face = 5; must be 20..2000 pixels");
  }
}

TEST(Annotate, NamesWhatIsMissing) {
  const tests::TempDir dir;
  tests::WriteText(dir / "a.jpg", "x");
  AnnotateOptions options;
  options.inputs = {dir / "a.jpg"};
  options.output = dir / "out";
  options.model = dir / "no-model.h5";
  EXPECT_THROW(Annotate(options, {}, {}), std::runtime_error);
  options.model.clear();
  options.output = "/proc/no/such/folder";
  EXPECT_THROW(Annotate(options, {}, {}), std::runtime_error);
}

}  // namespace
}  // namespace auforge::pipeline
