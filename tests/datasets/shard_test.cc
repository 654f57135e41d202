#include "datasets/shard.h"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "datasets/image_codec.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "tests/support/faces.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;

ShardHeader Header() {
  ShardHeader header;
  header.schema = features::AuSchema({1, 12, 45});
  header.model_digest = "m";
  header.detector = "dlib-hog";
  header.config_digest = "c";
  header.source = "test";
  header.created = "2026-01-01T00:00:00Z";
  header.emotion_names = {"neutral", "happy"};
  return header;
}

FaceRecord Face(std::int64_t sample, float intensity) {
  FaceRecord face;
  face.image = EncodeJpeg(tests::Texture(64, 64, 3, static_cast<std::uint64_t>(sample) + 1), 90);
  face.aus.intensity = {intensity, 0, 3};
  face.aus.probability = {0.25F, 0, 0.9F};
  face.aus.present = {static_cast<std::uint8_t>(intensity >= 1), 0, 1};
  face.aus.quality = 0.5F;
  face.landmarks = tests::ShakenFace(static_cast<std::uint64_t>(sample), 3);
  face.box = {10, 20, 100, 110};
  face.pose = {5, -6, 7};
  face.crop_from_image = {0.5F, 0.1F, -3, 4};
  face.detector_score = 1.25F;
  face.emotion = 1;
  face.sample = sample;
  face.face_index = 0;
  return face;
}

void WriteShard(const std::string& folder, int index = 0) {
  ShardWriter writer(folder, index, Header());
  SampleRecord sample;
  sample.key = "k0";
  sample.url = "http://x/ü";
  sample.keywords = "joy";
  sample.width = 640;
  sample.height = 480;
  sample.sha256[31] = 9;
  const std::int64_t first = writer.AddSample(sample);
  writer.AddFace(Face(first, 2.5F));
  sample = {};
  sample.key = "k1";
  sample.status = Outcome::kNoFace;
  writer.AddSample(sample);
  sample.key = "k2";
  sample.status = Outcome::kOk;
  const std::int64_t third = writer.AddSample(sample);
  writer.AddFace(Face(third, 0.5F));
  writer.AddExtra(ExtraDataset{"/synthetic/yaw", {2}, {1.5F, -2}});
  writer.AddExtra(ExtraStrings{"/synthetic/source", {"a", "bb"}});
  writer.Finish(R"({"mine": 1})");
}

TEST(Shard, RoundTrip) {
  const tests::TempDir dir;
  WriteShard(dir.path().string());
  const ShardReader shard(dir / "00000.h5");
  EXPECT_EQ(shard.header().schema, features::AuSchema({1, 12, 45}));
  EXPECT_EQ(shard.header().emotion_names, (std::vector<std::string>{"neutral", "happy"}));
  ASSERT_EQ(shard.FaceCount(), 2U);
  ASSERT_EQ(shard.SampleCount(), 3U);
  EXPECT_EQ(shard.Sample(0).url, "http://x/ü");
  EXPECT_EQ(shard.Sample(0).sha256[31], 9);
  EXPECT_EQ(shard.Sample(1).status, Outcome::kNoFace);
  const FaceRecord expected = Face(0, 2.5F), face = shard.Face(0);
  EXPECT_EQ(face.aus.intensity, expected.aus.intensity);
  EXPECT_EQ(face.aus.present, expected.aus.present);
  EXPECT_EQ(face.landmarks, expected.landmarks);
  EXPECT_EQ(face.box, expected.box);
  EXPECT_EQ(face.crop_from_image, expected.crop_from_image);
  EXPECT_EQ(face.pose.roll, 7);
  EXPECT_EQ(shard.FaceSample()[1], 2);
  EXPECT_EQ(shard.FaceImage(0), expected.image);
  EXPECT_EQ(shard.Extra("/synthetic/yaw")->values, (std::vector<float>{1.5F, -2}));
  EXPECT_EQ(shard.ExtraText("/synthetic/source")->values, (std::vector<std::string>{"a", "bb"}));
  EXPECT_FALSE(shard.Extra("/synthetic/none"));
  EXPECT_TRUE(VerifyShard(dir / "00000.h5").empty());
}

TEST(Shard, WhatTheCrawlSaysOfItsUseComesBack) {
  const tests::TempDir dir;
  WriteShard(dir.path().string());
  EXPECT_FALSE(ShardReader(dir / "00000.h5").ExtraText("/samples/licence")) << "nobody knew any";
  EXPECT_FALSE(ShardReader(dir / "00000.h5").ExtraText("/samples/robots"));
  EXPECT_EQ(ShardReader(dir / "00000.h5").Sample(0).licence, "");
  ShardWriter writer(dir.path().string(), 1, Header());
  SampleRecord sample;
  sample.key = "k";
  writer.AddSample(sample);
  sample.licence = "CC BY 4.0";
  sample.robots = "noai";
  writer.AddSample(sample);
  writer.Finish();
  const ShardReader shard(dir / "00001.h5");
  EXPECT_EQ(shard.Sample(0).licence, "");
  EXPECT_EQ(shard.Sample(1).licence, "CC BY 4.0");
  EXPECT_EQ(shard.Sample(1).robots, "noai");
}

TEST(Shard, WithoutCropsSaysSo) {
  const tests::TempDir dir;
  ShardHeader header = Header();
  header.has_crops = false;
  ShardWriter writer(dir.path().string(), 0, header);
  SampleRecord sample;
  sample.key = "k";
  writer.AddSample(sample);
  FaceRecord face = Face(0, 2);
  EXPECT_THROW(writer.AddFace(face), std::invalid_argument) << "a picture";
  face.image.clear();
  writer.AddFace(face);
  writer.AddFace(face);
  writer.Finish();
  const ShardReader shard(dir / "00000.h5");
  EXPECT_FALSE(shard.header().has_crops);
  EXPECT_EQ(shard.Face(1).landmarks, face.landmarks);
  EXPECT_EQ(shard.ImageBytes(), 0U);
  EXPECT_EQ(VerifyShard(dir / "00000.h5"), std::vector<std::string>{});
  try {
    shard.FaceImage(1);
    ADD_FAILURE() << "a picture from nowhere";
  } catch (const storage::BadContent& error) {
    EXPECT_NE(std::string(error.what()).find("--no-crops"), std::string::npos) << error.what();
  }
  EXPECT_THROW(shard.RequireCrops(), storage::BadContent);
  ShardWriter other(dir.path().string(), 1, Header());
  other.AddSample(sample);
  EXPECT_THROW(other.AddFace(face), std::invalid_argument) << "no picture";
}

void WriteHalves(const std::string& folder) {
  ShardWriter writer(folder, 0, Header());
  SampleRecord sample;
  sample.key = "k";
  writer.AddSample(sample);
  FaceRecord face = Face(0, 2.5F);
  face.aus.left = {2.5F, NAN, 0.5F};
  face.aus.right = {1, NAN, 3};
  face.emotion_score = 0.75F;
  face.emotion_rule = 0;
  writer.AddFace(face);
  FaceRecord without = Face(0, 2);
  EXPECT_THROW(writer.AddFace(std::move(without)), std::invalid_argument) << "some faces with halves, some without";
  FaceRecord contradicts = face;
  contradicts.aus.left[0] = 0.9F;
  contradicts.aus.right[0] = 0.9F;
  EXPECT_THROW(writer.AddFace(std::move(contradicts)), std::invalid_argument);
  FaceRecord lopsided = face;
  lopsided.aus.left[0] = NAN;
  EXPECT_THROW(writer.AddFace(std::move(lopsided)), std::invalid_argument);
  FaceRecord sure = face;
  sure.emotion_score = 1.5F;
  EXPECT_THROW(writer.AddFace(std::move(sure)), std::invalid_argument);
  writer.Finish();
}

TEST(Shard, HalvesAndTheEmotionsScoreComeBack) {
  const tests::TempDir dir;
  WriteHalves(dir.path().string());
  const ShardReader shard(dir / "00000.h5");
  ASSERT_EQ(shard.FaceCount(), 1U);
  const FaceRecord face = shard.Face(0);
  EXPECT_EQ(face.aus.left[0], 2.5F);
  EXPECT_TRUE(std::isnan(face.aus.right[1]));
  EXPECT_EQ(face.aus.right[2], 3);
  EXPECT_EQ(face.emotion, 1);
  EXPECT_EQ(face.emotion_score, 0.75F);
  EXPECT_EQ(face.emotion_rule, 0);
  EXPECT_TRUE(VerifyShard(dir / "00000.h5").empty());
}

// Shards written before there were halves, scores and a nearest emotion.
// Faces of the pairs given, cut out alike but for one.
std::string WritePairs(const std::string& folder, const std::vector<float>& pairs, std::size_t moved = 99) {
  ShardWriter writer(folder, 0, Header());
  for (std::size_t i = 0; i < 5; ++i) {
    SampleRecord sample;
    sample.key = "k" + std::to_string(i);
    FaceRecord face = Face(writer.AddSample(sample), 2);
    if (i == moved) face.crop_from_image.tx += 1;
    writer.AddFace(std::move(face));
  }
  writer.AddExtra(ExtraDataset{"/synthetic/pair", {pairs.size()}, pairs});
  writer.Finish();
  return folder + "/00000.h5";
}

TEST(Shard, PairsAreVerified) {
  const tests::TempDir dir;
  const std::vector<float> pairs{4, 4, -1, 9, 9};
  EXPECT_TRUE(VerifyShard(WritePairs(dir / "good", pairs)).empty());
  const auto only = [](const std::string& path) {
    const std::vector<std::string> faults = VerifyShard(path);
    return faults.size() == 1 ? faults[0] : std::to_string(faults.size()) + " faults";
  };
  EXPECT_EQ(only(WritePairs(dir / "lonely", {4, 4, 5, 9, 9})), "face 2: its partner is missing: no other face is of its pair");
  EXPECT_EQ(only(WritePairs(dir / "moved", pairs, 4)), "face 4: is cut out otherwise than face 3 of its pair");
  EXPECT_EQ(only(WritePairs(dir / "short", {4, 4})), "/synthetic/pair: is not one number for each face");
  EXPECT_EQ(only(WritePairs(dir / "nan", {4, 4, NAN, 9, 9})), "face 2: its pair is no whole number of -1 or more");
}

TEST(Shard, OlderShardsAreReadAsTheyAre) {
  const tests::TempDir dir;
  WriteHalves(dir.path().string());
  const hid_t file = H5Fopen((dir / "00000.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  for (const char* name : {"/faces/au_left", "/faces/au_right", "/faces/emotion_score", "/faces/emotion_rule"})
    H5Ldelete(file, name, H5P_DEFAULT);
  H5Fclose(file);
  const ShardReader shard(dir / "00000.h5");
  EXPECT_TRUE(shard.AuLeft().empty());
  EXPECT_TRUE(shard.EmotionScore().empty());
  EXPECT_EQ(shard.EmotionByRule()[0], 1) << "its emotion was the rule's";
  EXPECT_TRUE(shard.Face(0).aus.left.empty());
  EXPECT_TRUE(VerifyShard(dir / "00000.h5").empty());
}

TEST(Shard, DamagedHalvesAreFound) {
  const tests::TempDir dir;
  WriteHalves(dir.path().string());
  const hid_t file = H5Fopen((dir / "00000.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t left = H5Dopen2(file, "/faces/au_left", H5P_DEFAULT);
  const float values[] = {7, NAN, 0.5F};
  H5Dwrite(left, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  H5Dclose(left);
  const hid_t score = H5Dopen2(file, "/faces/emotion_score", H5P_DEFAULT);
  const float too_sure = 2;
  H5Dwrite(score, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, &too_sure);
  H5Dclose(score);
  H5Fclose(file);
  EXPECT_EQ(VerifyShard(dir / "00000.h5").size(), 2U);
}

TEST(Shard, SameContentSameBytes) {
  const tests::TempDir a, b;
  WriteShard(a.path().string());
  WriteShard(b.path().string());
  EXPECT_EQ(tests::ReadText(a / "00000.h5"), tests::ReadText(b / "00000.h5"));
  EXPECT_EQ(tests::ReadText(a / "00000_stats.json"), tests::ReadText(b / "00000_stats.json"));
}

TEST(Shard, NothingIsThereBeforeFinish) {
  const tests::TempDir dir;
  {
    ShardWriter writer(dir.path().string(), 3, Header());
    SampleRecord sample;
    sample.key = "k";
    writer.AddSample(sample);
    EXPECT_FALSE(fs::exists(dir / "00003.h5"));
    EXPECT_FALSE(ShardIsDone(dir.path().string(), 3));
  }
  EXPECT_TRUE(fs::is_empty(dir.path())) << "an abandoned writer must leave nothing behind";
}

TEST(Shard, WithoutItsStatsItIsNotDone) {
  const tests::TempDir dir;
  WriteShard(dir.path().string());
  EXPECT_TRUE(ShardIsDone(dir.path().string(), 0));
  fs::remove(dir / "00000_stats.json");
  EXPECT_FALSE(ShardIsDone(dir.path().string(), 0));
  EXPECT_THROW(FindShards({dir.path().string()}), std::runtime_error);
  EXPECT_EQ(VerifyShard(dir / "00000.h5").size(), 1U);
}

TEST(Shard, RefusesFacesThatContradictThemselves) {
  const tests::TempDir dir;
  ShardWriter writer(dir.path().string(), 0, Header());
  SampleRecord sample;
  sample.key = "k";
  writer.AddSample(sample);
  const auto refuses = [&writer](const auto& spoil) {
    FaceRecord face = Face(0, 2);
    spoil(face);
    EXPECT_THROW(writer.AddFace(std::move(face)), std::invalid_argument);
  };
  refuses([](FaceRecord& f) { f.aus.present[0] = 0; });
  refuses([](FaceRecord& f) { f.aus.intensity[1] = 5.5F; });
  refuses([](FaceRecord& f) { f.aus.intensity[1] = NAN; });
  refuses([](FaceRecord& f) { f.aus.probability[1] = -0.1F; });
  refuses([](FaceRecord& f) { f.aus.intensity.pop_back(); });
  refuses([](FaceRecord& f) { f.landmarks[5].x = INFINITY; });
  refuses([](FaceRecord& f) { f.sample = 1; });
  refuses([](FaceRecord& f) { f.emotion = 2; });
  refuses([](FaceRecord& f) { f.image.clear(); });
  writer.AddFace(Face(0, 2));
}

TEST(Shard, HostileTextsAreCutAndMadeValid) {
  const tests::TempDir dir;
  ShardWriter writer(dir.path().string(), 0, Header());
  SampleRecord sample;
  sample.key = "bad \xff\xfe utf-8";
  sample.keywords = std::string(1 << 20, 'x');
  writer.AddSample(sample);
  writer.Finish();
  const ShardReader shard(dir / "00000.h5");
  EXPECT_LE(shard.Sample(0).keywords.size(), 2048U);
  EXPECT_NE(shard.Sample(0).key.find("bad"), std::string::npos);
}

TEST(Shard, AnUnwritableFolderIsNamedAtOnce) {
  try {
    ShardWriter writer("/proc/nothing/here", 0, Header());
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("/proc/nothing/here"), std::string::npos) << error.what();
  }
}

// Opens a finished shard and changes it behind the writer's back.
void Patch(const std::string& path, const char* dataset, hid_t type, hsize_t at, const void* value) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t set = H5Dopen2(file, dataset, H5P_DEFAULT);
  const hid_t space = H5Dget_space(set);
  hsize_t extent[8] = {}, start[8] = {}, one[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  const int rank = H5Sget_simple_extent_dims(space, extent, nullptr);
  for (int i = rank - 1; i >= 0; --i) {
    start[i] = at % extent[i];
    at /= extent[i];
  }
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, one, nullptr);
  const hid_t memory = H5Screate(H5S_SCALAR);
  ASSERT_GE(H5Dwrite(set, type, memory, space, H5P_DEFAULT, value), 0);
  H5Sclose(memory);
  H5Sclose(space);
  H5Dclose(set);
  H5Fclose(file);
}

TEST(Shard, VerifyFindsEveryKindOfDamage) {
  const auto faults_after = [](const char* dataset, hid_t type, hsize_t at, const void* value) {
    const tests::TempDir dir;
    WriteShard(dir.path().string());
    Patch(dir / "00000.h5", dataset, type, at, value);
    return VerifyShard(dir / "00000.h5").size();
  };
  const std::uint8_t byte = 0;
  const float nan = NAN, large = 9;
  const std::uint64_t backwards = 1;
  const std::int64_t nowhere = 77;
  EXPECT_GT(faults_after("/faces/image_bytes", H5T_NATIVE_UINT8, 500, &byte), 0U);
  EXPECT_GT(faults_after("/faces/au_intensity", H5T_NATIVE_FLOAT, 1, &nan), 0U);
  EXPECT_GT(faults_after("/faces/au_intensity", H5T_NATIVE_FLOAT, 1, &large), 0U);
  EXPECT_GT(faults_after("/faces/au_present", H5T_NATIVE_UINT8, 0, &byte), 0U);
  EXPECT_GT(faults_after("/faces/landmarks", H5T_NATIVE_FLOAT, 3, &nan), 0U);
  EXPECT_GT(faults_after("/faces/image_offsets", H5T_NATIVE_UINT64, 2, &backwards), 0U);
  EXPECT_GT(faults_after("/faces/sample", H5T_NATIVE_INT64, 0, &nowhere), 0U);
}

TEST(Shard, RefusesTruncatedAndForeignFiles) {
  const tests::TempDir dir;
  WriteShard(dir.path().string());
  const std::string whole = tests::ReadText(dir / "00000.h5");
  tests::WriteText(dir / "cut.h5", whole.substr(0, whole.size() / 2));
  EXPECT_THROW(ShardReader(dir / "cut.h5"), std::runtime_error);
  tests::WriteText(dir / "text.h5", "hello");
  EXPECT_THROW(ShardReader(dir / "text.h5"), std::runtime_error);
  EXPECT_FALSE(VerifyShard(dir / "cut.h5").empty());
}

TEST(Shard, PythonReadsItWithoutUs) {
  if (std::system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0) {
    GTEST_SKIP() << "python3-h5py is not installed; tools/install-deps.sh installs it";
  }
  const tests::TempDir dir;
  WriteShard(dir.path().string());
  tests::WriteText(dir / "read.py", R"py(
import sys, h5py
f = h5py.File(sys.argv[1], "r")
assert f.attrs["format"] == "auforge-shard" or f.attrs["format"] == b"auforge-shard", f.attrs["format"]
assert f.attrs["format_version"] == 1
names = [n.decode() if isinstance(n, bytes) else n for n in f.attrs["au_names"]]
assert names == ["AU1", "AU12", "AU45"], names
offsets = f["faces/image_offsets"][:]
jpeg = bytes(f["faces/image_bytes"][offsets[0]:offsets[1]])
assert jpeg[:2] == b"\xff\xd8" and jpeg[-2:] == b"\xff\xd9"
assert f["faces/au_intensity"].shape == (2, 3) and f["faces/au_intensity"][0, 0] == 2.5
assert f["faces/landmarks"].shape == (2, 68, 2)
assert f["faces/crop_from_image"].shape == (2, 2, 3)
key = f["samples/key"][1]
assert key in (b"k1", "k1"), key
assert f["samples/url"][0].decode() == "http://x/\u00fc"
)py");
  EXPECT_EQ(std::system(("/usr/bin/python3 " + (dir / "read.py") + " " + (dir / "00000.h5")).c_str()), 0);
}

}  // namespace
}  // namespace auforge::datasets
