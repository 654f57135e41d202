// HDF5 files without the C API: RAII handles, typed datasets, checked sizes. Used for shards, AU models and face
// models. HDF5's own error printing is off; every failure is a std::runtime_error naming file and object.
// Debian's HDF5 is thread-safe; objects here may be used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/stored_value.h"

namespace auforge::datasets::storage {

// The bits of an IEEE half float, which HDF5 and h5py know as a number of two bytes.
enum class Half : std::uint16_t {};

// T is one of std::uint8_t, std::int16_t, std::int32_t, std::int64_t, std::uint32_t, std::uint64_t, Half, float,
// double.
template <typename T>
struct NdArray {
  std::vector<std::uint64_t> shape;  // row-major
  std::vector<T> values;             // size = product of shape
};

// The file is put together in memory and reaches the disk in Close, by OutputFile: HDF5 does not survive a disk that
// fills up under it. Costs as much memory as the file has bytes. Byte-for-byte reproducible: no time stamps.
class Hdf5Writer {
 public:
  // Throws when the path cannot be written or is a stream; nothing is seen there before Close.
  explicit Hdf5Writer(const std::string& path);
  explicit Hdf5Writer(OutputFile file);
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  // Attributes of an object ("/" is the root; the object must exist).
  void WriteAttribute(const std::string& object, const std::string& name, const std::string& value);
  void WriteAttribute(const std::string& object, const std::string& name, std::int64_t value);
  void WriteAttribute(const std::string& object, const std::string& name, double value);
  void WriteAttribute(const std::string& object, const std::string& name, const std::vector<std::string>& values);
  void WriteAttribute(const std::string& object, const std::string& name, const std::vector<std::int64_t>& values);
  // Creates intermediate groups. gzip 0 = contiguous; 1..9 = chunked + shuffle + deflate.
  template <typename T>
  void Write(const std::string& path, std::span<const T> values, const std::vector<std::uint64_t>& shape, int gzip = 0);
  // Fixed-length UTF-8 strings, as long as the longest (at least 1).
  void WriteStrings(const std::string& path, const std::vector<std::string>& values);
  // What another file has: the dataset or group is made where it is not there yet, attributes are added where they are
  // not there yet.
  void WriteStored(const StoredObject& object);
  // Writes; throws when the disk is full. The file is there when what is returned has been committed.
  OutputFile Finish();
  void Close() { Finish().Commit(); }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class Hdf5Reader {
 public:
  explicit Hdf5Reader(const std::string& path);
  // The same from a file's bytes, which are copied; `name` stands for the file in messages.
  Hdf5Reader(std::span<const std::uint8_t> bytes, const std::string& name);
  ~Hdf5Reader();
  Hdf5Reader(Hdf5Reader&&) noexcept;
  Hdf5Reader& operator=(Hdf5Reader&&) noexcept;

  bool Exists(const std::string& path) const;
  bool HasAttribute(const std::string& object, const std::string& name) const;
  std::string ReadString(const std::string& object, const std::string& name) const;
  std::int64_t ReadInteger(const std::string& object, const std::string& name) const;
  double ReadDouble(const std::string& object, const std::string& name) const;
  std::vector<std::string> ReadStringList(const std::string& object, const std::string& name) const;
  std::vector<std::int64_t> ReadIntegerList(const std::string& object, const std::string& name) const;
  std::vector<std::uint64_t> Shape(const std::string& path) const;
  // Names of the links in a group, sorted.
  std::vector<std::string> List(const std::string& group) const;
  // Throws when the type class does not fit, or the dataset claims more bytes than the file could hold
  // uncompressed times 1,100 (a hostile header cannot make us allocate the machine away).
  template <typename T>
  NdArray<T> Read(const std::string& path) const;
  // Whether its elements are stored as T, so that reading them converts nothing.
  template <typename T>
  bool Stores(const std::string& path) const;
  std::vector<std::string> ReadStrings(const std::string& path) const;
  // Paths of all groups and datasets below the root, each group before what is in it, by name. Throws BadContent for
  // groups in a circle or too deep.
  std::vector<std::string> Objects() const;
  bool IsDataset(const std::string& path) const;
  // A dataset, a group or the root, as it is stored; texts of variable length become texts of the longest one's.
  // with_data: or only the attributes. Throws BadContent naming a dataset or an attribute of another type of variable
  // length and of references to other places, which no other file could hold.
  StoredObject ReadStored(const std::string& path, bool with_data) const;
  // Elements [begin, begin + count) of a one-dimensional dataset, without reading the rest.
  template <typename T>
  std::vector<T> ReadRange(const std::string& path, std::uint64_t begin, std::uint64_t count) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auforge::datasets::storage
