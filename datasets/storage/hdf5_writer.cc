#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "datasets/storage/hdf5_file.h"
#include "datasets/storage/internal/hdf5_handle.h"

namespace auforge::datasets::storage {
namespace {

constexpr std::size_t kChunkElements = 1 << 16;

// Strings of one length back to back, padded with zeros.
std::vector<char> Pack(const std::vector<std::string>& values, std::size_t length) {
  std::vector<char> packed(std::max<std::size_t>(1, values.size() * length), '\0');
  for (std::size_t i = 0; i < values.size(); ++i)
    std::copy(values[i].begin(), values[i].end(), packed.begin() + static_cast<std::ptrdiff_t>(i * length));
  return packed;
}

std::size_t LongestOf(const std::vector<std::string>& values) {
  std::size_t longest = 1;
  for (const std::string& value : values) longest = std::max(longest, value.size());
  return longest;
}

const std::string& RequireNoStream(const std::string& path, bool is_stream) {
  if (is_stream) Fail(path, "", "is a device or a pipe, where an HDF5 file cannot be written; name a file");
  return path;
}

// Memory is asked for by this much more at a time.
constexpr std::size_t kIncrement = 1 << 20;

// In memory nothing else can go wrong.
[[noreturn]] void OutOfMemory() { throw std::bad_alloc(); }

// The bytes of the core driver's file, which it would free when it is closed: only then are they those of a file that
// nobody has open (its superblock says so, under a checksum).
struct FileImage {
  FileImage() = default;
  ~FileImage() { std::free(bytes); }
  FileImage(const FileImage&) = delete;
  FileImage& operator=(const FileImage&) = delete;

  void Capture(hid_t access) {
    H5FD_file_image_callbacks_t callbacks{};
    callbacks.image_malloc = [](std::size_t size, H5FD_file_image_op_t, void*) { return std::malloc(size); };
    callbacks.image_memcpy = [](void* to, const void* from, std::size_t size, H5FD_file_image_op_t, void*) {
      return std::memcpy(to, from, size);
    };
    callbacks.image_realloc = [](void* old, std::size_t size, H5FD_file_image_op_t, void*) {
      return std::realloc(old, size);
    };
    callbacks.image_free = [](void* image, H5FD_file_image_op_t when, void* self) -> herr_t {
      void* const gone = when == H5FD_FILE_IMAGE_OP_FILE_CLOSE
                             ? std::exchange(static_cast<FileImage*>(self)->bytes, image)
                             : image;
      std::free(gone);
      return 0;
    };
    callbacks.udata_copy = [](void* self) { return self; };
    callbacks.udata_free = [](void*) -> herr_t { return 0; };
    callbacks.udata = this;
    H5Pset_file_image_callbacks(access, &callbacks);
  }

  void* bytes = nullptr;
};

}  // namespace

struct Hdf5Writer::Impl {
  explicit Impl(OutputFile to) : output(std::move(to)), path(output.path()) {}

  OutputFile output;
  std::string path;
  FileImage image;  // outlives the file
  Handle file{-1, H5Fclose};

  Handle OpenObject(const std::string& object) {
    Handle handle(H5Oopen(file.get(), object.c_str(), H5P_DEFAULT), H5Oclose);
    if (!handle.valid()) Fail(path, object, "does not exist, cannot carry an attribute");
    return handle;
  }
  void Attribute(const std::string& object, const std::string& name, hid_t type, hid_t space,
                 const void* data) {
    const Handle owner = OpenObject(object);
    const Handle attribute(H5Acreate2(owner.get(), name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
                           H5Aclose);
    if (!attribute.valid() || H5Awrite(attribute.get(), type, data) < 0) {
      OutOfMemory();
    }
  }
  // The groups above an object, without the time stamps that HDF5 would give them: equal runs must give equal
  // files.
  void MakeGroups(const std::string& object) {
    const Handle create(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
    H5Pset_obj_track_times(create.get(), false);
    for (std::size_t at = object.find('/', 1); at != std::string::npos; at = object.find('/', at + 1)) {
      const std::string group = object.substr(0, at);
      if (H5Lexists(file.get(), group.c_str(), H5P_DEFAULT) > 0) continue;
      const Handle made(H5Gcreate2(file.get(), group.c_str(), H5P_DEFAULT, create.get(), H5P_DEFAULT),
                        H5Gclose);
      if (!made.valid()) OutOfMemory();
    }
  }
  void Dataset(const std::string& name, hid_t type, const std::vector<std::uint64_t>& shape, const void* data,
               int gzip) {
    const std::vector<hsize_t> extent(shape.begin(), shape.end());
    const Handle space(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), H5Sclose);
    MakeGroups(name);
    const Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    // Time stamps would make equal runs differ.
    H5Pset_obj_track_times(create.get(), false);
    const bool is_empty = std::find(extent.begin(), extent.end(), hsize_t{0}) != extent.end();
    if (gzip > 0 && !is_empty) {
      std::vector<hsize_t> chunk = extent;
      std::uint64_t row = 1;
      for (std::size_t i = 1; i < extent.size(); ++i) row *= extent[i];
      chunk[0] = std::clamp<hsize_t>(kChunkElements / std::max<std::uint64_t>(1, row), 1, extent[0]);
      H5Pset_chunk(create.get(), static_cast<int>(chunk.size()), chunk.data());
      H5Pset_shuffle(create.get());
      H5Pset_deflate(create.get(), static_cast<unsigned>(gzip));
    }
    const Handle set(
        H5Dcreate2(file.get(), name.c_str(), type, space.get(), H5P_DEFAULT, create.get(), H5P_DEFAULT),
        H5Dclose);
    if (!set.valid()) OutOfMemory();
    if (!is_empty && H5Dwrite(set.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
      OutOfMemory();
    }
  }
};

// Before it is opened: a FIFO would wait for its reader.
Hdf5Writer::Hdf5Writer(const std::string& path) : Hdf5Writer(OutputFile(RequireNoStream(path, FollowOutput(path).is_stream))) {}
Hdf5Writer::Hdf5Writer(OutputFile output) : impl_(std::make_unique<Impl>(std::move(output))) {
  SilenceHdf5();
  RequireNoStream(impl_->path, impl_->output.is_stream());
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18);
  H5Pset_fapl_core(access.get(), kIncrement, /*backing_store=*/false);
  impl_->image.Capture(access.get());
  const Handle create(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_obj_track_times(create.get(), false);
  // HDF5 takes two open files of one name for the same file, and would read one that there is: nothing lies below
  // a device.
  static std::atomic<std::uint64_t> made{0};
  const std::string name = "/dev/null/" + std::to_string(made++);
  impl_->file = Handle(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, create.get(), access.get()), H5Fclose);
  if (!impl_->file.valid()) OutOfMemory();
}
Hdf5Writer::~Hdf5Writer() = default;

void Hdf5Writer::WriteAttribute(const std::string& object, const std::string& name,
                                const std::string& value) {
  const Handle type = StringType(value.size());
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  impl_->Attribute(object, name, type.get(), space.get(),
                   Pack({value}, std::max<std::size_t>(1, value.size())).data());
}
void Hdf5Writer::WriteAttribute(const std::string& object, const std::string& name, std::int64_t value) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  impl_->Attribute(object, name, H5T_NATIVE_INT64, space.get(), &value);
}
void Hdf5Writer::WriteAttribute(const std::string& object, const std::string& name, double value) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  impl_->Attribute(object, name, H5T_NATIVE_DOUBLE, space.get(), &value);
}
void Hdf5Writer::WriteAttribute(const std::string& object, const std::string& name,
                                const std::vector<std::string>& values) {
  const std::size_t length = LongestOf(values);
  const Handle type = StringType(length);
  const hsize_t count = values.size();
  const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  impl_->Attribute(object, name, type.get(), space.get(), Pack(values, length).data());
}
void Hdf5Writer::WriteAttribute(const std::string& object, const std::string& name,
                                const std::vector<std::int64_t>& values) {
  const hsize_t count = values.size();
  const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  const std::int64_t none = 0;
  impl_->Attribute(object, name, H5T_NATIVE_INT64, space.get(), values.empty() ? &none : values.data());
}

template <typename T>
void Hdf5Writer::Write(const std::string& path, std::span<const T> values,
                       const std::vector<std::uint64_t>& shape, int gzip) {
  std::uint64_t count = 1;
  for (const std::uint64_t extent : shape) count *= extent;
  if (count != values.size()) Fail(impl_->path, path, "the shape does not fit the number of values");
  impl_->Dataset(path, NativeType<T>(), shape, values.data(), gzip);
}

void Hdf5Writer::WriteStrings(const std::string& path, const std::vector<std::string>& values) {
  const std::size_t length = LongestOf(values);
  const Handle type = StringType(length);
  impl_->Dataset(path, type.get(), {values.size()}, Pack(values, length).data(), 0);
}

void Hdf5Writer::WriteStored(const StoredObject& object) {
  const hid_t file = impl_->file.get();
  const bool is_root = object.path == "/";
  impl_->MakeGroups(object.data || is_root ? object.path : object.path + "/");
  if (object.data && H5Lexists(file, object.path.c_str(), H5P_DEFAULT) <= 0) {
    const Handle type(H5Tdecode(object.data->type.data()), H5Tclose);
    impl_->Dataset(object.path, type.get(), object.data->shape, object.data->bytes.data(), 0);
  }
  for (const StoredAttribute& attribute : object.attributes) {
    if (H5Aexists_by_name(file, object.path.c_str(), attribute.name.c_str(), H5P_DEFAULT) > 0) continue;
    const StoredValue& value = attribute.value;
    const Handle type(H5Tdecode(value.type.data()), H5Tclose);
    const std::vector<hsize_t> extent(value.shape.begin(), value.shape.end());
    const Handle space(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), H5Sclose);
    const std::uint8_t none = 0;
    impl_->Attribute(object.path, attribute.name, type.get(), space.get(), value.bytes.empty() ? &none : value.bytes.data());
  }
}

OutputFile Hdf5Writer::Finish() {
  const hid_t file = impl_->file.get();
  if (H5Fflush(file, H5F_SCOPE_GLOBAL) < 0) OutOfMemory();
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  if (size < 0 || impl_->file.Reset() < 0 || impl_->image.bytes == nullptr) OutOfMemory();
  impl_->output.Write({static_cast<const char*>(impl_->image.bytes), static_cast<std::size_t>(size)});
  return std::move(impl_->output);
}

#define AUFORGE_INSTANTIATE(T)                                               \
  template void Hdf5Writer::Write<T>(const std::string&, std::span<const T>, \
                                     const std::vector<std::uint64_t>&, int);
AUFORGE_FOR_EACH_STORED_TYPE(AUFORGE_INSTANTIATE)
#undef AUFORGE_INSTANTIATE

}  // namespace auforge::datasets::storage
