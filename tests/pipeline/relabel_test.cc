// Shards labelled again: what annotating anew with that model would have said, and everything else as it was.
#include "pipeline/relabel.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "datasets/shard.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/hdf5_file.h"
#include "pipeline/annotate.h"
#include "tests/pipeline/other_model.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::pipeline {
namespace {

namespace fs = std::filesystem;
using datasets::storage::BadContent;
using datasets::storage::Hdf5Reader;
using nlohmann::json;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <typename Exception>
std::string Message(const RelabelOptions& options) {
  try {
    Relabel(options, {}, {});
  } catch (const Exception& error) {
    return error.what();
  }
  return "";
}

// Two shards of two photos each, annotated with the default model once for all tests.
class RelabelTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const char* folder = std::getenv("AUFORGE_PHOTOS");
    if (folder == nullptr) return;
    setenv("SOURCE_DATE_EPOCH", "1767225600", 1);
    once_ = new tests::TempDir;
    fs::create_directories(*once_ / "in");
    for (const char* name : {"2008_001009.jpg", "2008_001322.jpg", "2008_002506.jpg", "2009_004587.jpg"})
      fs::copy_file(fs::path(folder) / name, *once_ / ("in/" + std::string(name)));
    SaveShiftedModel(*once_ / "other.h5", -0.15F);
    Annotate(AnnotateWith("", *once_ / "old"), {}, {});
    Annotate(AnnotateWith(*once_ / "other.h5", *once_ / "anew"), {}, {});
  }
  static void TearDownTestSuite() {
    delete once_;
    once_ = nullptr;
  }
  void SetUp() override {
    if (once_ == nullptr) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
    fs::copy(*once_ / "old", dir_ / "out");
    options_.shards = {dir_ / "out"};
    options_.model = *once_ / "other.h5";
    options_.jobs = 2;
  }

  static AnnotateOptions AnnotateWith(const std::string& model, const std::string& output) {
    AnnotateOptions options;
    options.inputs = {*once_ / "in"};
    options.output = output;
    options.model = model;
    options.source.shard_size = 2;
    options.jobs = 2;
    return options;
  }

  std::string Shard(int index) const { return dir_ / ("out/" + datasets::ShardFileName(index)); }
  std::string Old(const std::string& name) const { return tests::ReadText(*once_ / ("old/" + name)); }
  static std::string DigestOf(const std::string& shard) { return datasets::ShardReader(shard).header().model_digest; }
  std::string NewDigest() const { return DigestOf(*once_ / "anew/00000.h5"); }
  void ExpectUntouched() const {
    for (int i : {0, 1}) {
      EXPECT_TRUE(tests::ReadText(Shard(i)) == Old(datasets::ShardFileName(i))) << i;
      EXPECT_EQ(tests::ReadText(dir_ / ("out/" + datasets::StatsFileName(i))), Old(datasets::StatsFileName(i))) << i;
    }
  }

  static tests::TempDir* once_;
  tests::TempDir dir_;
  RelabelOptions options_;
};
tests::TempDir* RelabelTest::once_ = nullptr;

// All that the files hold.
void ExpectSame(const std::string& a_path, const std::string& b_path) {
  const Hdf5Reader a(a_path), b(b_path);
  ASSERT_EQ(a.Objects(), b.Objects());
  for (const std::string& name : a.Objects()) {
    const auto left = a.ReadStored(name, true), right = b.ReadStored(name, true);
    ASSERT_EQ(left.attributes.size(), right.attributes.size()) << name;
    for (std::size_t i = 0; i < left.attributes.size(); ++i)
      EXPECT_EQ(left.attributes[i].value.bytes, right.attributes[i].value.bytes) << name << "@" << left.attributes[i].name;
    ASSERT_EQ(left.data.has_value(), right.data.has_value()) << name;
    if (!left.data) continue;
    EXPECT_EQ(left.data->type, right.data->type) << name;
    EXPECT_EQ(left.data->shape, right.data->shape) << name;
    EXPECT_EQ(left.data->bytes, right.data->bytes) << name;
  }
}

TEST_F(RelabelTest, SaysWhatAnnotatingAnewSays) {
  const RelabelSummary summary = Relabel(options_, {}, {});
  EXPECT_EQ(summary.shards_written, 2U);
  EXPECT_THAT(summary.damaged, IsEmpty());
  EXPECT_EQ(summary.model_digest, NewDigest());
  std::size_t faces = 0, moved = 0;
  for (int i : {0, 1}) {
    const std::string anew_path = *once_ / ("anew/" + datasets::ShardFileName(i));
    EXPECT_THAT(datasets::VerifyShard(Shard(i)), IsEmpty());
    ExpectSame(Shard(i), anew_path);
    const datasets::ShardReader now(Shard(i)), anew(anew_path), before(*once_ / ("old/" + datasets::ShardFileName(i)));
    EXPECT_EQ(now.header().model_digest, anew.header().model_digest);
    EXPECT_EQ(now.header().config_digest, anew.header().config_digest) << "the folder is annotate's with this model";
    ASSERT_EQ(now.FaceCount(), anew.FaceCount());
    const std::size_t a = now.header().schema.size();
    for (std::size_t f = 0; f < now.FaceCount(); ++f) {
      float change = 0;
      for (std::size_t j = f * a; j < (f + 1) * a; ++j)
        change = std::max(change, std::abs(now.AuIntensity()[j] - before.AuIntensity()[j]));
      ++faces;
      moved += change > 0.1F ? 1 : 0;
    }
  }
  EXPECT_GT(moved, faces / 2) << "the other model says something else";
  EXPECT_EQ(summary.faces, faces);
  // annotate goes on in this folder with this model, and with the old one no more.
  EXPECT_EQ(Annotate(AnnotateWith(options_.model, dir_ / "out"), {}, {}).shards_skipped, 2U);
  EXPECT_ANY_THROW(Annotate(AnnotateWith("", dir_ / "out"), {}, {}));
}

TEST_F(RelabelTest, ASecondRunDoesNothing) {
  Relabel(options_, {}, {});
  const std::string once = tests::ReadText(Shard(0));
  const auto written = fs::last_write_time(Shard(0));
  const RelabelSummary again = Relabel(options_, {}, {});
  EXPECT_EQ(again.shards_written, 0U);
  EXPECT_EQ(again.shards_left, 2U);
  EXPECT_EQ(fs::last_write_time(Shard(0)), written);
  // Other threads, same bytes.
  fs::remove_all(dir_ / "out");
  fs::copy(*once_ / "old", dir_ / "out");
  options_.jobs = 1;
  Relabel(options_, {}, {});
  EXPECT_TRUE(tests::ReadText(Shard(0)) == once);
}

TEST_F(RelabelTest, WhatOthersPutIntoAShardStays) {
  const hid_t file = H5Fopen(Shard(0).c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const std::int64_t track[] = {9007199254740993, 2, -3};
  const hsize_t three = 3;
  const hid_t space = H5Screate_simple(1, &three, nullptr), scalar = H5Screate(H5S_SCALAR);
  const hid_t set = H5Dcreate2(file, "/samples/track", H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, track);
  for (const char* owner : {"/", "/faces/au_visible", "/faces/au_intensity"}) {
    const hid_t note = H5Acreate_by_name(file, owner, "note", H5T_NATIVE_INT64, scalar, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(note, H5T_NATIVE_INT64, &track[2]);
    H5Aclose(note);
  }
  H5Dclose(set);
  H5Sclose(space);
  H5Sclose(scalar);
  H5Fclose(file);
  Relabel(options_, {}, {});
  EXPECT_THAT(datasets::VerifyShard(Shard(0)), IsEmpty());
  const Hdf5Reader after(Shard(0));
  EXPECT_THAT(after.Read<std::int64_t>("/samples/track").values, ElementsAre(9007199254740993, 2, -3));
  for (const char* owner : {"/", "/faces/au_visible", "/faces/au_intensity"}) EXPECT_EQ(after.ReadInteger(owner, "note"), -3) << owner;
}

TEST_F(RelabelTest, AModelWithoutHalvesTakesThemAway) {
  SaveChangedModel(dir_ / "whole.h5", [](hid_t file) { H5Ldelete(file, "/sides", H5P_DEFAULT); });
  options_.model = dir_ / "whole.h5";
  Relabel(options_, {}, {});
  EXPECT_THAT(datasets::VerifyShard(Shard(0)), IsEmpty());
  EXPECT_FALSE(Hdf5Reader(Shard(0)).Exists("/faces/au_left"));
  options_.model = *once_ / "other.h5";
  Relabel(options_, {}, {});
  EXPECT_TRUE(Hdf5Reader(Shard(0)).Exists("/faces/au_left"));
  EXPECT_THAT(datasets::VerifyShard(Shard(0)), IsEmpty());
}

TEST_F(RelabelTest, IntoAnotherFolderTheOldOnesStay) {
  options_.output = dir_ / "new";
  EXPECT_EQ(Relabel(options_, {}, {}).shards_written, 2U);
  ExpectUntouched();
  EXPECT_EQ(DigestOf(dir_ / "new/00001.h5"), NewDigest());
  EXPECT_THAT(datasets::VerifyShard(dir_ / "new/00001.h5"), IsEmpty());
  EXPECT_EQ(tests::ReadText(dir_ / "new/00000_errors.jsonl"), Old("00000_errors.jsonl"));
  EXPECT_EQ(Relabel(options_, {}, {}).shards_left, 2U);
  // A shard that was committed and its stats file was not is made again.
  fs::remove(dir_ / "new/00000_stats.json");
  EXPECT_EQ(Relabel(options_, {}, {}).shards_written, 1U);
  EXPECT_THAT(datasets::VerifyShard(dir_ / "new/00000.h5"), IsEmpty());
  // Other shards are not written over, and no two become one.
  SaveShiftedModel(dir_ / "third.h5", 0.3F);
  options_.model = dir_ / "third.h5";
  EXPECT_THAT(Message<BadContent>(options_), AllOf(HasSubstr("new/00000.h5"), HasSubstr("choose another")));
  fs::copy(*once_ / "old", dir_ / "also");
  options_.shards = {dir_ / "out", dir_ / "also"};
  EXPECT_THAT(Message<std::invalid_argument>(options_), HasSubstr("would both become"));
}

TEST_F(RelabelTest, LabelsOfTwoModelsAreNotMixedInAFolder) {
  options_.output = dir_ / "relabelled";
  fs::create_directory(options_.output);
  for (const char* end : {".h5", "_stats.json"}) fs::copy_file(dir_ / ("out/00001" + std::string(end)), dir_ / ("relabelled/00007" + std::string(end)));
  try {
    Relabel(options_, {}, {});
    FAIL() << "mixed";
  } catch (const datasets::storage::BadContent& error) {
    EXPECT_THAT(error.what(), HasSubstr("00007.h5: is there already with another model's labels"));
  }
  EXPECT_FALSE(fs::exists(dir_ / "relabelled/00000.h5"));
  for (const char* end : {".h5", "_stats.json"}) {
    fs::copy_file(*once_ / ("anew/00001" + std::string(end)), dir_ / ("relabelled/00007" + std::string(end)), fs::copy_options::overwrite_existing);
  }
  EXPECT_EQ(Relabel(options_, {}, {}).shards_written, 2U);
}

TEST_F(RelabelTest, ARunKilledBetweenShardAndStatsIsMended) {
  Relabel(options_, {}, {});
  const std::string stats = dir_ / "out/00001_stats.json", whole = tests::ReadText(stats);
  tests::WriteText(stats, Old("00001_stats.json"));
  EXPECT_FALSE(datasets::VerifyShard(Shard(1)).empty());
  EXPECT_EQ(Relabel(options_, {}, {}).shards_left, 2U);
  EXPECT_EQ(tests::ReadText(stats), whole);
  EXPECT_THAT(datasets::VerifyShard(Shard(1)), IsEmpty());
}

TEST_F(RelabelTest, StoppedAtAnyMomentItGoesOn) {
  Relabel(options_, {}, {});
  const std::vector<std::string> whole{tests::ReadText(Shard(0)), tests::ReadText(Shard(1))};
  for (const int polls_wanted : {0, 1, 4, 9}) {
    fs::remove_all(dir_ / "out");
    fs::copy(*once_ / "old", dir_ / "out");
    int polls = 0;
    EXPECT_TRUE(Relabel(options_, {}, [&] { return ++polls > polls_wanted; }).stopped);
    for (int i : {0, 1}) {
      const std::string text = tests::ReadText(Shard(i));
      EXPECT_TRUE(text == whole[static_cast<std::size_t>(i)] || text == Old(datasets::ShardFileName(i))) << polls_wanted;
      EXPECT_THAT(datasets::VerifyShard(Shard(i)), IsEmpty());
    }
    Relabel(options_, {}, {});
    for (int i : {0, 1}) EXPECT_TRUE(tests::ReadText(Shard(i)) == whole[static_cast<std::size_t>(i)]) << polls_wanted;
  }
}

// A copy of the first shard with another header, without its crops or with broken ones.
void WriteLike(const std::string& from, const std::string& folder, const std::function<void(datasets::ShardHeader&)>& change) {
  const datasets::ShardReader shard(from);
  datasets::ShardHeader header = shard.header();
  change(header);
  datasets::ShardWriter writer(folder, 0, header);
  for (std::size_t i = 0; i < shard.SampleCount(); ++i) writer.AddSample(shard.Sample(i));
  for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
    datasets::FaceRecord face = shard.Face(i);
    face.image = shard.FaceImage(i);
    writer.AddFace(std::move(face));
  }
  writer.Finish();
}

TEST_F(RelabelTest, WhatCannotBeLabelledAgainIsRefusedBeforeAnythingIsWritten) {
  WriteLike(Shard(0), dir_ / "exact", [](auto& header) { header.model_digest = "exact"; });
  WriteLike(Shard(0), dir_ / "points", [](auto& header) { header.landmarker = "auforge-0123456789abcdef"; });
  const std::string own = dir_ / "out";
  options_.shards = {own, dir_ / "exact"};
  options_.output = dir_ / "new";
  EXPECT_THAT(Message<std::invalid_argument>(options_), HasSubstr("would both become"));
  options_.output.clear();
  EXPECT_THAT(Message<BadContent>(options_), AllOf(HasSubstr("exact/00000.h5"), HasSubstr("exact (synthetic")));
  ExpectUntouched();
  options_.shards = {own, dir_ / "points"};
  EXPECT_THAT(Message<BadContent>(options_),
              AllOf(HasSubstr("points/00000.h5"), HasSubstr("auforge-0123456789abcdef"), HasSubstr("was trained with the landmarks of")));
  ExpectUntouched();
  fs::copy_file(Shard(0), dir_ / "mine.h5");
  options_.shards = {dir_ / "mine.h5"};
  EXPECT_THAT(Message<std::invalid_argument>(options_), AllOf(HasSubstr("mine.h5"), HasSubstr("rename")));
  options_.shards = {};
  EXPECT_THAT(Message<std::invalid_argument>(options_), HasSubstr("no shards"));
}

TEST_F(RelabelTest, ADamagedShardIsNamedAndStaysAndTheOthersAreDone) {
  std::string bytes = tests::ReadText(Shard(0));
  const std::size_t jpeg = bytes.find("\xff\xd8\xff");
  ASSERT_NE(jpeg, std::string::npos);
  bytes[jpeg + 700] ^= 0x55;
  tests::WriteText(Shard(0), bytes);
  const RelabelSummary summary = Relabel(options_, {}, {});
  ASSERT_EQ(summary.damaged.size(), 1U);
  EXPECT_THAT(summary.damaged[0], AllOf(HasSubstr("00000.h5"), HasSubstr("checksum")));
  EXPECT_EQ(summary.shards_written, 1U);
  EXPECT_TRUE(tests::ReadText(Shard(0)) == bytes);
  EXPECT_EQ(DigestOf(Shard(1)), NewDigest());
}

TEST_F(RelabelTest, SmallCropsAreSaidToBeCoarse) {
  AnnotateOptions small = AnnotateWith("", dir_ / "small");
  small.crop.size = 64;
  Annotate(small, {}, {});
  std::vector<std::string> notices;
  options_.shards = {dir_ / "small"};
  options_.notice = [&notices](const std::string& text) { notices.push_back(text); };
  EXPECT_EQ(Relabel(options_, {}, {}).shards_written, 2U);
  ASSERT_EQ(notices.size(), 1U) << "once, not for each shard";
  EXPECT_THAT(notices[0], AllOf(HasSubstr("64 pixels"), HasSubstr("--crop-size 64")));
}

TEST_F(RelabelTest, ShardsInUseAreLeft) {
  const int writer = open(Shard(0).c_str(), O_RDONLY);
  ASSERT_EQ(flock(writer, LOCK_EX), 0);
  const RelabelSummary busy = Relabel(options_, {}, {});
  ASSERT_EQ(busy.unread.size(), 1U);
  EXPECT_THAT(busy.unread[0], AllOf(HasSubstr("00000.h5"), HasSubstr("in use")));
  EXPECT_EQ(busy.shards_written, 1U);
  ASSERT_EQ(flock(writer, LOCK_SH), 0);  // h5py's when it reads
  EXPECT_EQ(Relabel(options_, {}, {}).shards_written, 1U);
  close(writer);

  SaveShiftedModel(dir_ / "third.h5", 0.3F);
  options_.model = dir_ / "third.h5";
  const int folder = open((dir_ / "out").c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(flock(folder, LOCK_EX), 0);
  EXPECT_THAT(Message<std::runtime_error>(options_), HasSubstr("another auforge relabel"));
  close(folder);
  // A run of annotate writes its next shard.
  const std::string temporary = dir_ / ("out/00002.h5.tmp." + std::to_string(getppid()) + ".0");
  tests::WriteText(temporary, "");
  EXPECT_THAT(Message<std::runtime_error>(options_), AllOf(HasSubstr("00002.h5.tmp."), HasSubstr("another process is writing")));
  fs::remove(temporary);
  EXPECT_EQ(Relabel(options_, {}, {}).shards_written, 2U);
}

TEST_F(RelabelTest, ReducedPicturesKeepTheirQuality) {
  fs::create_directories(dir_ / "in");
  fs::copy_file(fs::path(std::getenv("AUFORGE_PHOTOS")) / "Tom_Cruise_avp_2014_4.jpg", dir_ / "in/a.jpg");
  AnnotateOptions annotate = AnnotateWith("", dir_ / "large");
  annotate.inputs = {dir_ / "in"};
  annotate.min_face = 400;
  Annotate(annotate, {}, {});
  annotate.model = options_.model;
  annotate.output = dir_ / "large-anew";
  Annotate(annotate, {}, {});
  options_.shards = {dir_ / "large"};
  Relabel(options_, {}, {});
  const datasets::ShardReader now(dir_ / "large/00000.h5"), anew(dir_ / "large-anew/00000.h5");
  ASSERT_EQ(now.FaceCount(), 1U);
  EXPECT_LT(Hdf5Reader(dir_ / "large/00000.h5").Read<float>("/samples/examined_scale").values.at(0), 1);
  EXPECT_EQ(now.Quality()[0], anew.Quality()[0]);
}

}  // namespace
}  // namespace auforge::pipeline
