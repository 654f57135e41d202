// A copy of a shard keeps everything that the shard has, whatever its name and type.
#include <gtest/gtest.h>
#include <hdf5.h>

#include <algorithm>

#include "datasets/export/exporter.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/hdf5_file.h"
#include "tests/datasets/query/crawl.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets {
namespace {

// Five faces on four images, of which one has no face.
constexpr std::uint64_t kFaces = 5, kImages = 4;
const std::vector<std::int64_t> kImageOf{0, 0, 1, 3, 3};

class WholeShards : public testing::Test {
 protected:
  WholeShards() {
    tests::CrawlOptions options;
    options.images = 10;
    options.pictures = true;
    tests::WriteCrawl(dir_ / "crawl", options);
    const ShardReader from(FindShards({dir_ / "crawl"})[0]);
    ShardWriter writer(dir_ / "from", 0, from.header());
    const std::vector<std::string> licences{"by", "cc0", "none", "by-sa"};
    for (std::size_t i = 0; i < kImages; ++i) {
      SampleRecord sample = from.Sample(i);
      sample.licence = licences.at(i);
      sample.robots = "noai";
      writer.AddSample(sample);
    }
    for (std::size_t i = 0; i < kFaces; ++i) {
      FaceRecord face = from.Face(i);
      face.image = from.FaceImage(i);
      face.sample = kImageOf[i];
      writer.AddFace(std::move(face));
    }
    writer.AddExtra(ExtraDataset{"/faces/au_visible", {kFaces, 2}, {1, 1, 0, 1, 1, 0, 0, 0, 1, 1}});
    ExtraDataset dense{"/faces/landmarks_dense", {kFaces, 82, 2}, {}};
    for (std::size_t i = 0; i < kFaces * 164; ++i) dense.values.push_back(static_cast<float>(i));
    writer.AddExtra(std::move(dense));
    writer.Finish();
    AddWhatOthersAdd();
  }

  // As h5py and other programs write: texts of any length, wide integers, structures, groups in groups, attributes.
  void AddWhatOthersAdd() {
    const hid_t file = H5Fopen(path().c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, H5T_VARIABLE);
    const char* notes[] = {"a", "bb", "", "dddd", "e"};
    Add(file, "/faces/note", text, {kFaces}, notes);
    const std::int64_t tracks[] = {9007199254740993, 2, 3, 4, -5};
    Add(file, "/faces/track", H5T_NATIVE_INT64, {kFaces}, tracks);
    const double once = 0.1;
    Add(file, "/faces/once", H5T_NATIVE_DOUBLE, {}, &once);
    struct Pair {
      std::int16_t a;
      double b;
    };
    const Pair pairs[] = {{1, .1}, {2, .2}, {3, .3}, {4, .4}};
    const hid_t pair = H5Tcreate(H5T_COMPOUND, sizeof(Pair));
    H5Tinsert(pair, "a", HOFFSET(Pair, a), H5T_NATIVE_INT16);
    H5Tinsert(pair, "b", HOFFSET(Pair, b), H5T_NATIVE_DOUBLE);
    Add(file, "/deep/er/pairs", pair, {kImages}, pairs);
    const std::uint8_t codebook[] = {7, 8, 9};
    Add(file, "/codebook", H5T_NATIVE_UINT8, {3}, codebook);
    const hid_t scalar = H5Screate(H5S_SCALAR);
    for (const char* owner : {"/", "/deep", "/faces/track", "/faces/emotion"}) {
      const hid_t attribute = H5Acreate_by_name(file, owner, "note", text, scalar, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      H5Awrite(attribute, text, &notes[3]);
      H5Aclose(attribute);
    }
    H5Sclose(scalar);
    H5Tclose(pair);
    H5Tclose(text);
    H5Fclose(file);
  }
  static void Add(hid_t file, const char* name, hid_t type, const std::vector<hsize_t>& shape, const void* values) {
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t set = H5Dcreate2(file, name, type, space, links, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(links);
  }

  std::string path() const { return dir_ / "from/00000.h5"; }
  std::string Copy(const std::string& from, const std::string& to, const std::vector<std::uint32_t>& faces) {
    const auto exporter = MakeExporter({"shards", dir_ / to});
    exporter->Add(ShardReader(from), faces);
    exporter->Finish();
    return dir_ / (to + "/00000.h5");
  }

  tests::TempDir dir_;
};

bool SameValue(const storage::StoredValue& a, const storage::StoredValue& b) {
  return a.type == b.type && a.shape == b.shape && a.bytes == b.bytes;
}

TEST_F(WholeShards, AllFacesAreTheWholeShardButImagesWithoutAFace) {
  const std::string to = Copy(path(), "to", {0, 1, 2, 3, 4});
  EXPECT_TRUE(VerifyShard(to).empty());
  const storage::Hdf5Reader a(path()), b(to);
  EXPECT_EQ(a.Objects(), b.Objects());
  std::vector<std::string> objects = a.Objects();
  objects.insert(objects.begin(), "/");
  for (const std::string& name : objects) {
    storage::StoredObject in = a.ReadStored(name, true);
    const storage::StoredObject out = b.ReadStored(name, true);
    ASSERT_EQ(in.attributes.size(), out.attributes.size()) << name;
    for (std::size_t i = 0; i < in.attributes.size(); ++i)
      EXPECT_TRUE(SameValue(in.attributes[i].value, out.attributes[i].value)) << name << "@" << in.attributes[i].name;
    ASSERT_EQ(in.data.has_value(), out.data.has_value()) << name;
    if (!in.data || name == "/faces/sample") continue;
    if (!in.data->shape.empty() && in.data->shape[0] == kImages) {
      const auto row = static_cast<std::ptrdiff_t>(in.data->bytes.size() / kImages);
      in.data->bytes.erase(in.data->bytes.begin() + 2 * row, in.data->bytes.begin() + 3 * row);
      in.data->shape[0] = kImages - 1;
    }
    EXPECT_TRUE(SameValue(*in.data, *out.data)) << name;
  }
}

TEST_F(WholeShards, ChosenFacesTakeTheirRowsOfEverything) {
  const std::string to = Copy(path(), "to", {1, 4});
  EXPECT_TRUE(VerifyShard(to).empty());
  const storage::Hdf5Reader file(to);
  EXPECT_EQ(file.Read<float>("/faces/au_visible").values, (std::vector<float>{0, 1, 1, 1}));
  const auto dense = file.Read<float>("/faces/landmarks_dense");
  EXPECT_EQ(dense.shape, (std::vector<std::uint64_t>{2, 82, 2}));
  EXPECT_EQ(dense.values[163], 2 * 164 - 1);
  EXPECT_EQ(dense.values[164], 4 * 164);
  EXPECT_EQ(file.Read<std::int64_t>("/faces/track").values, (std::vector<std::int64_t>{2, -5}));
  EXPECT_EQ(file.ReadStrings("/faces/note"), (std::vector<std::string>{"bb", "e"}));
  EXPECT_EQ(file.Read<double>("/faces/once").values, std::vector<double>{0.1});
  EXPECT_EQ(file.ReadStrings("/samples/licence"), (std::vector<std::string>{"by", "by-sa"}));
  EXPECT_EQ(file.Shape("/deep/er/pairs"), std::vector<std::uint64_t>{2});
  EXPECT_EQ(file.Read<std::uint8_t>("/codebook").values, (std::vector<std::uint8_t>{7, 8, 9}));
  EXPECT_EQ(file.ReadString("/deep", "note"), "dddd");
  // What has been copied once is copied again bit by bit.
  EXPECT_EQ(tests::ReadText(Copy(to, "again", {0, 1})), tests::ReadText(to));
}

TEST_F(WholeShards, ColumnsThatAShardDoesNotHaveAreNotInvented) {
  const hid_t file = H5Fopen(path().c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  H5Ldelete(file, "/faces/emotion_score", H5P_DEFAULT);
  H5Fclose(file);
  const ShardReader copy(Copy(path(), "to", {0, 3}));
  EXPECT_TRUE(copy.EmotionScore().empty());
}

TEST_F(WholeShards, WhatCannotBeCopiedIsNamedAndNotLeftOut) {
  const hid_t file = H5Fopen(path().c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t lists = H5Tvlen_create(H5T_NATIVE_INT);
  const hvl_t none[kFaces] = {};
  Add(file, "/faces/lists", lists, {kFaces}, none);
  H5Tclose(lists);
  H5Fclose(file);
  try {
    Copy(path(), "to", {0});
    FAIL() << "lists of any length were left out";
  } catch (const storage::BadContent& error) {
    EXPECT_NE(std::string(error.what()).find("/faces/lists"), std::string::npos) << error.what();
  }
}

TEST_F(WholeShards, GroupsInCirclesEnd) {
  const hid_t file = H5Fopen(path().c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  H5Lcreate_hard(file, "/deep", file, "/deep/er/again", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  EXPECT_THROW(Copy(path(), "to", {0}), storage::BadContent);
}

}  // namespace
}  // namespace auforge::datasets
