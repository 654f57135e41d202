#include <gtest/gtest.h>
#include <hdf5.h>

#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/hdf5_file.h"
#include "datasets/storage/memory_fault.h"
#include "datasets/storage/temporary_files.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets::storage {
namespace {

std::span<const std::uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// One bit at a time, straight from the polynomial.
std::uint32_t PlainCrc32c(const std::string& text) {
  std::uint32_t crc = ~0U;
  for (const char c : text) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0);
  }
  return ~crc;
}

TEST(Checksum, Crc32cMatchesItsDefinition) {
  EXPECT_EQ(Crc32c(Bytes("123456789")), 0xE3069283U);  // the check value of RFC 3720
  std::string text;
  for (int length = 0; length < 70; ++length) {
    EXPECT_EQ(Crc32c(Bytes(text)), PlainCrc32c(text)) << length;
    text += static_cast<char>(length * 37);
  }
}

TEST(Checksum, Crc32cGoesOnFromASeed) {
  const std::string a = "first part", b = "and the second";
  EXPECT_EQ(Crc32c(Bytes(b), Crc32c(Bytes(a))), Crc32c(Bytes(a + b)));
}

TEST(Checksum, Sha256OfTheEmptyString) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(AtomicFile, WritesWholeAndLeavesNothingBeside) {
  const tests::TempDir dir;
  WriteFileAtomically(dir / "a.txt", "one");
  WriteFileAtomically(dir / "a.txt", "two");
  EXPECT_EQ(ReadFile(dir / "a.txt"), "two");
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir.path())) ++files;
  EXPECT_EQ(files, 1);
}

TEST(AtomicFile, SaysWhatCannotBeWritten) {
  try {
    WriteFileAtomically("/nonexistent/folder/file", "x");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("/nonexistent/folder/file"), std::string::npos) << error.what();
  }
}

TEST(AtomicFile, TemporaryNamesOfARequeuedTaskDiffer) {
  setenv("SLURM_JOB_ID", "7", 1);
  setenv("SLURM_ARRAY_TASK_ID", "3", 1);
  const std::string first = TemporaryName("x.h5");
  setenv("SLURM_RESTART_COUNT", "1", 1);
  const std::string second = TemporaryName("x.h5");
  unsetenv("SLURM_JOB_ID");
  unsetenv("SLURM_ARRAY_TASK_ID");
  unsetenv("SLURM_RESTART_COUNT");
  EXPECT_NE(first, second);
  EXPECT_TRUE(first.starts_with("x.h5.tmp.7_3")) << first;
}

TEST(AtomicFile, ATemporaryNameIsCutToWhatFileSystemsTake) {
  const std::string name = TemporaryName("folder/" + std::string(255, 'x'));
  EXPECT_EQ(name.size(), 7U + 255U);
  EXPECT_NE(name.find(".tmp."), std::string::npos);
}

TEST(OutputFile, IsThereWhenItIsCommittedAndGoneOtherwise) {
  const tests::TempDir dir;
  {
    OutputFile file(dir / "a");
    file.Write("half");
    EXPECT_FALSE(std::filesystem::exists(dir / "a"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
  OutputFile first(dir / "a");
  first.Write("one");
  tests::WriteText(dir / "a", "two");
  EXPECT_FALSE(first.CommitNew()) << "another came between";
  EXPECT_EQ(ReadFile(dir / "a"), "two");
  first.Commit();
  EXPECT_EQ(ReadFile(dir / "a"), "one");
}

TEST(OutputFile, ASignalHandlerFindsWhatIsBeingWritten) {
  const tests::TempDir dir;
  const OutputFile file(dir / "a");
  EXPECT_FALSE(std::filesystem::is_empty(dir.path()));
  RemoveTemporaryFiles();
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(OutputFile, TriesTellUsageFromWhatMayPass) {
  const tests::TempDir dir;
  WriteFileAtomically(dir / "file", "x");
  EXPECT_THROW(RequireOutputFile(dir / "missing/file"), std::invalid_argument);
  EXPECT_THROW(RequireOutputFile(dir.path().string()), std::invalid_argument);
  EXPECT_THROW(RequireOutputFile(dir / "file/below"), std::invalid_argument);
  EXPECT_THROW(RequireOutputFile(""), std::invalid_argument);
  EXPECT_THROW(RequireOutputFolder(dir / "file"), std::invalid_argument);
  EXPECT_THROW(RequireOutputFolder(dir / "file/below"), std::invalid_argument);
  EXPECT_THROW(RequireNewFolder(dir.path().string()), std::invalid_argument);
  EXPECT_THROW(RequireOutputFolder("/proc/none"), std::runtime_error);
  EXPECT_NO_THROW(RequireOutputFile(dir / "file"));
  EXPECT_NO_THROW(RequireOutputFile("/dev/null"));
  EXPECT_NO_THROW(RequireOutputFolder(dir / "a/b/c"));
  EXPECT_THROW(RequireSeekableFile("/dev/null", "a model"), std::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists(dir / "a"));
}

TEST(MemoryFault, IsToldFromOtherFailures) {
  EXPECT_TRUE(IsOutOfMemory(std::bad_alloc()));
  EXPECT_TRUE(IsOutOfMemory(std::system_error(EAGAIN, std::generic_category())));
  EXPECT_TRUE(IsOutOfMemory(std::runtime_error("x.h5: cannot be read: Cannot allocate memory")));
  EXPECT_FALSE(IsOutOfMemory(std::system_error(ENOSPC, std::generic_category())));
  EXPECT_FALSE(IsOutOfMemory(std::runtime_error("x.h5: is damaged")));
}

void WriteSample(const std::string& path) {
  Hdf5Writer file(path);
  file.WriteAttribute("/", "name", std::string("grüße"));
  file.WriteAttribute("/", "number", std::int64_t{-5});
  file.WriteAttribute("/", "real", 0.25);
  file.WriteAttribute("/", "list", std::vector<std::string>{"a", "", "long one"});
  file.WriteAttribute("/", "integers", std::vector<std::int64_t>{3, 1, 2});
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  file.Write<float>("/group/plain", values, {2, 3});
  file.Write<float>("/group/packed", values, {2, 3}, 5);
  const std::vector<std::uint8_t> none;
  file.Write<std::uint8_t>("/empty", none, {0});
  file.WriteStrings("/texts", {"one", "", "dreizehn"});
  file.Close();
}

TEST(Hdf5File, RoundTrip) {
  const tests::TempDir dir;
  WriteSample(dir / "a.h5");
  const Hdf5Reader file(dir / "a.h5");
  EXPECT_EQ(file.ReadString("/", "name"), "grüße");
  EXPECT_EQ(file.ReadInteger("/", "number"), -5);
  EXPECT_EQ(file.ReadDouble("/", "real"), 0.25);
  EXPECT_EQ(file.ReadStringList("/", "list"), (std::vector<std::string>{"a", "", "long one"}));
  EXPECT_EQ(file.ReadIntegerList("/", "integers"), (std::vector<std::int64_t>{3, 1, 2}));
  for (const char* path : {"/group/plain", "/group/packed"}) {
    const auto array = file.Read<float>(path);
    EXPECT_EQ(array.shape, (std::vector<std::uint64_t>{2, 3}));
    EXPECT_EQ(array.values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  }
  EXPECT_TRUE(file.Read<std::uint8_t>("/empty").values.empty());
  EXPECT_EQ(file.ReadStrings("/texts"), (std::vector<std::string>{"one", "", "dreizehn"}));
  EXPECT_TRUE(file.Exists("/group/plain"));
  EXPECT_FALSE(file.Exists("/nothing/there"));
  EXPECT_EQ(file.List("/group"), (std::vector<std::string>{"packed", "plain"}));
}

// Halves are numbers to every reader: 1, -2 and the smallest, read as floats; and their bits, as they are.
TEST(Hdf5File, HalvesAreNumbers) {
  const tests::TempDir dir;
  const std::vector<Half> bits{Half{0x3C00}, Half{0xC000}, Half{0x0001}, Half{0x7BFF}};
  for (const int gzip : {0, 4}) {
    {
      Hdf5Writer file(dir / "a.h5");
      file.Write<Half>("/x", bits, {2, 2}, gzip);
      file.Write<float>("/y", std::vector<float>{0.5F}, {1}, gzip);
      file.Close();
    }
    const Hdf5Reader file(dir / "a.h5");
    EXPECT_TRUE(file.Stores<Half>("/x"));
    EXPECT_FALSE(file.Stores<float>("/x"));
    EXPECT_FALSE(file.Stores<Half>("/y"));
    EXPECT_EQ(file.Read<Half>("/x").values, bits);
    EXPECT_EQ(file.Read<float>("/x").values, (std::vector<float>{1, -2, 0x1p-24F, 65504}));
    EXPECT_EQ(file.Read<Half>("/y").values, std::vector<Half>{Half{0x3800}});
    EXPECT_THROW(file.Read<std::uint8_t>("/x"), std::runtime_error);
  }
}

TEST(Hdf5File, SameContentSameBytes) {
  const tests::TempDir dir;
  WriteSample(dir / "a.h5");
  WriteSample(dir / "b.h5");
  EXPECT_EQ(ReadFile(dir / "a.h5"), ReadFile(dir / "b.h5"));
}

TEST(Hdf5File, FaultsNameFileAndObject) {
  const tests::TempDir dir;
  WriteSample(dir / "a.h5");
  const Hdf5Reader file(dir / "a.h5");
  const auto message = [](const auto& action) -> std::string {
    try {
      action();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message([&] { file.Read<float>("/missing"); }), (dir / "a.h5") + ": /missing: is missing");
  EXPECT_NE(message([&] { file.Read<std::int32_t>("/group/plain"); }).find("another type"),
            std::string::npos);
  EXPECT_NE(message([&] { file.ReadRange<std::uint8_t>("/empty", 0, 9); }).find("shorter"),
            std::string::npos);
  EXPECT_NE(message([&] { Hdf5Reader((dir / "none.h5")); }).find("No such file"), std::string::npos);
}

TEST(Hdf5File, RefusesTruncatedAndForeignFiles) {
  const tests::TempDir dir;
  WriteSample(dir / "a.h5");
  const std::string whole = ReadFile(dir / "a.h5");
  for (const std::size_t length : {std::size_t{0}, std::size_t{10}, whole.size() / 2}) {
    tests::WriteText(dir / "cut.h5", whole.substr(0, length));
    EXPECT_THROW(Hdf5Reader((dir / "cut.h5")), std::runtime_error) << length;
  }
  tests::WriteText(dir / "text.h5", "this is no HDF5 file");
  EXPECT_THROW(Hdf5Reader((dir / "text.h5")), std::runtime_error);
}

// "/lie": `size` floats in chunks of `chunk`, none of which is there.
void WriteEmptyChunked(const std::string& path, hsize_t size, hsize_t chunk) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  // HDF5 refuses chunks larger than a dataset that cannot grow.
  const hsize_t most = chunk > size ? H5S_UNLIMITED : size;
  const hid_t space = H5Screate_simple(1, &size, &most);
  const hid_t create = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(create, 1, &chunk);
  H5Dclose(H5Dcreate2(file, "/lie", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, create, H5P_DEFAULT));
  H5Pclose(create);
  H5Sclose(space);
  H5Fclose(file);
}

TEST(Hdf5File, AHeaderThatClaimsTerabytesCostsNothing) {
  const tests::TempDir dir;
  // 4 TB without a single chunk: a few hundred bytes on disk.
  WriteEmptyChunked(dir / "big.h5", hsize_t{1} << 40, 1024);
  const Hdf5Reader reader(dir / "big.h5");
  EXPECT_THROW(reader.Read<float>("/lie"), std::runtime_error);
}

TEST(Hdf5File, ReadsTheSameFromMemory) {
  const tests::TempDir dir;
  WriteSample(dir / "a.h5");
  const std::string whole = ReadFile(dir / "a.h5");
  {
    Hdf5Writer other(dir / "b.h5");
    other.WriteAttribute("/", "name", std::string("another"));
    other.Close();
  }
  const std::string second = ReadFile(dir / "b.h5");
  // Both at once, under one name: they stay two files.
  const Hdf5Reader a(Bytes(whole), "x"), b(Bytes(second), "x");
  EXPECT_EQ(a.ReadString("/", "name"), "grüße");
  EXPECT_EQ(b.ReadString("/", "name"), "another");
  EXPECT_EQ(a.Read<float>("/group/packed").values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_THROW(Hdf5Reader(Bytes(whole).first(whole.size() / 2), "cut"), std::runtime_error);
  EXPECT_THROW(Hdf5Reader(Bytes(""), "empty"), std::runtime_error);
}

// A hostile file must not have another one read in its name.
TEST(Hdf5File, RefusesDataThatLiesInOtherFiles) {
  const tests::TempDir dir;
  tests::WriteText(dir / "secret", "12345678");
  WriteSample(dir / "a.h5");
  const hid_t file = H5Fcreate((dir / "b.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t size = 8, shape[] = {2, 3};
  const hid_t line = H5Screate_simple(1, &size, nullptr), plane = H5Screate_simple(2, shape, nullptr);
  const hid_t external = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(external, (dir / "secret").c_str(), 0, size);
  H5Dclose(H5Dcreate2(file, "/external", H5T_NATIVE_UINT8, line, H5P_DEFAULT, external, H5P_DEFAULT));
  const hid_t view = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_virtual(view, plane, (dir / "a.h5").c_str(), "/group/plain", plane);
  H5Dclose(H5Dcreate2(file, "/virtual", H5T_NATIVE_FLOAT, plane, H5P_DEFAULT, view, H5P_DEFAULT));
  H5Lcreate_external((dir / "a.h5").c_str(), "/group/plain", file, "/link", H5P_DEFAULT, H5P_DEFAULT);
  H5Pclose(external);
  H5Pclose(view);
  H5Sclose(line);
  H5Sclose(plane);
  H5Fclose(file);
  const Hdf5Reader reader(dir / "b.h5");
  EXPECT_THROW(reader.Read<std::uint8_t>("/external"), std::runtime_error);
  EXPECT_THROW(reader.ReadRange<std::uint8_t>("/external", 0, 8), std::runtime_error);
  EXPECT_THROW(reader.Read<float>("/virtual"), std::runtime_error);
  EXPECT_THROW(reader.Read<float>("/link"), std::runtime_error);
}

TEST(Hdf5File, AChunkThatClaimsGigabytesIsRefused) {
  const tests::TempDir dir;
  WriteEmptyChunked(dir / "big.h5", 4, hsize_t{1} << 29);
  EXPECT_THROW(Hdf5Reader(dir / "big.h5").Read<float>("/lie"), std::runtime_error);
}

// A dataset of 5 x 7 x 3 in chunks of 2 x 4 x 3, so that the last ones are cut off, as HDF5 itself writes it.
template <typename T>
void WriteChunked(const std::string& path, hid_t stored, hid_t native, bool shuffle, bool deflate) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t extent[] = {5, 7, 3}, chunk[] = {2, 4, 3};
  const hid_t space = H5Screate_simple(3, extent, nullptr), create = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(create, 3, chunk);
  if (shuffle) H5Pset_shuffle(create);
  if (deflate) H5Pset_deflate(create, 4);
  const hid_t set = H5Dcreate2(file, "/set", stored, space, H5P_DEFAULT, create, H5P_DEFAULT);
  std::vector<T> values(105);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(3 * i);
  H5Dwrite(set, native, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(set);
  H5Pclose(create);
  H5Sclose(space);
  H5Fclose(file);
}

TEST(Hdf5File, ChunksAreReadAsHdf5WroteThem) {
  const tests::TempDir dir;
  for (const bool shuffle : {false, true}) {
    for (const bool deflate : {false, true}) {
      WriteChunked<float>(dir / "a.h5", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, shuffle, deflate);
      WriteChunked<std::int16_t>(dir / "b.h5", H5T_STD_I16BE, H5T_NATIVE_INT16, shuffle, deflate);
      const auto same = Hdf5Reader(dir / "a.h5").Read<float>("/set");
      const auto turned = Hdf5Reader(dir / "b.h5").Read<std::int64_t>("/set");
      EXPECT_EQ(same.shape, (std::vector<std::uint64_t>{5, 7, 3}));
      ASSERT_EQ(same.values.size(), 105U);
      ASSERT_EQ(turned.values.size(), 105U);
      for (std::size_t i = 0; i < 105; ++i) {
        EXPECT_EQ(same.values[i], static_cast<float>(3 * i));
        EXPECT_EQ(turned.values[i], static_cast<std::int64_t>(3 * i));
      }
    }
  }
}

// HDF5's own reader runs beyond the end of such a chunk.
TEST(Hdf5File, AChunkThatUnpacksToLessThanItShouldIsRefused) {
  const tests::TempDir dir;
  WriteChunked<float>(dir / "a.h5", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, false, true);
  const hid_t file = H5Fopen((dir / "a.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t set = H5Dopen2(file, "/set", H5P_DEFAULT);
  // zlib's stream of the 4 bytes "abcd", stored.
  const unsigned char few[] = {0x78, 0x01, 1, 4, 0, 0xFB, 0xFF, 'a', 'b', 'c', 'd', 0x03, 0xD8, 0x01, 0x8B};
  const hsize_t first[] = {0, 0, 0};
  ASSERT_GE(H5Dwrite_chunk(set, H5P_DEFAULT, 0, first, sizeof(few), few), 0);
  H5Dclose(set);
  H5Fclose(file);
  EXPECT_THROW(Hdf5Reader(dir / "a.h5").Read<float>("/set"), std::runtime_error);
}

}  // namespace
}  // namespace auforge::datasets::storage
