#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>

#include "datasets/storage/bad_content.h"
#include "datasets/storage/hdf5_file.h"
#include "datasets/storage/internal/hdf5_chunks.h"
#include "datasets/storage/internal/hdf5_handle.h"
#include "datasets/storage/internal/hdf5_stored.h"

namespace auforge::datasets::storage {
namespace {

// deflate cannot shrink data by more than about 1,030; a dataset that claims more than this times the file's
// size is a lie that would have us allocate the machine away.
constexpr std::uint64_t kLargestExpansion = 1100;
constexpr int kDeepestGroup = 16;
constexpr std::size_t kCoreIncrement = 1 << 16;  // bytes by which a file in memory would grow; it never does

std::vector<std::string> Unpack(const std::vector<char>& packed, std::size_t count, std::size_t length) {
  std::vector<std::string> values;
  values.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* begin = packed.data() + i * length;
    values.emplace_back(begin, std::find(begin, begin + length, '\0'));
  }
  return values;
}

// Basic information on an object. H5O_info_t and its function were given new versions in HDF5 1.12.
herr_t ObjectInfo(hid_t object, H5O_info_t& info) {
#if H5_VERSION_GE(1, 12, 0)
  return H5Oget_info3(object, &info, H5O_INFO_BASIC);
#else
  return H5Oget_info2(object, &info, H5O_INFO_BASIC);
#endif
}

// What the system said when HDF5's last call failed: "... errno = 13, error message = 'Permission denied' ...", the one
// place where HDF5 tells it. Empty where the system had nothing against it.
std::string SystemReason() {
  std::string reason;
  const auto look = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    constexpr std::string_view kMark = "errno = ";
    const std::string text = error->desc != nullptr ? error->desc : "";
    std::string& told = *static_cast<std::string*>(out);
    if (error->maj_num == H5E_RESOURCE_g) told = "cannot be read: there is not enough memory";
    // The last one: file names stand before it.
    const std::size_t at = text.rfind(kMark);
    const int code = at == std::string::npos ? 0 : std::atoi(text.c_str() + at + kMark.size());
    if (code == 0) return 0;
    // Locks are asked for by the environment alone.
    const bool is_lock = text.starts_with("unable to lock file");
    told = (is_lock ? "cannot be locked: " : "cannot be read: ") + std::string(std::strerror(code)) +
           (is_lock ? "; HDF5_USE_FILE_LOCKING asks for locks, unset it" : "");
    return 1;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, look, &reason);
  return reason;
}

// The size of a file that can be opened. HDF5 would not say why another cannot.
std::uint64_t SizeOf(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) throw std::runtime_error(path + ": cannot be opened: " + std::strerror(errno));
  struct stat status {};
  const bool is_known = fstat(file, &status) == 0;
  const int error = errno;
  close(file);
  if (!is_known) throw std::runtime_error(path + ": cannot be read: " + std::strerror(error));
  if (S_ISDIR(status.st_mode)) throw std::runtime_error(path + ": is a folder, not a file");
  if (!S_ISREG(status.st_mode)) throw std::runtime_error(path + ": is not a regular file");
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

void FailReading(const std::string& file, const std::string& object, const char* what) {
  const std::string where = file + ": " + (object.empty() ? "" : object + ": ");
  if (const std::string reason = SystemReason(); !reason.empty()) throw std::runtime_error(where + reason);
  throw BadContent(where + what);
}

struct Hdf5Reader::Impl {
  std::string path;
  std::uint64_t bytes = 0;
  Handle file{-1, H5Fclose};

  void Open(const std::string& name, hid_t access) {
    if (bytes == 0) throw BadContent(path + ": is empty");
    // Files are written under another name and renamed when they are whole: nobody changes one that can be read, and
    // where locks fail (NFS without its lock daemon) it can still be read.
    H5Pset_file_locking(access, /*use_file_locking=*/false, /*ignore_when_disabled=*/true);
    file = Handle(H5Fopen(name.c_str(), H5F_ACC_RDONLY, access), H5Fclose);
    if (!file.valid()) FailReading(path, "", "is not a readable HDF5 file (damaged, truncated or of another kind)");
  }
  Handle OpenSet(const std::string& name) const {
    Handle set(H5Dopen2(file.get(), name.c_str(), H5P_DEFAULT), H5Dclose);
    if (!set.valid()) FailReading(path, name, "is missing");
    CheckStorage(set.get(), name);
    return set;
  }
  // HDF5 believes what a file says of its storage: it would allocate the size that a chunk claims to have,
  // and follow references to any other file.
  void CheckStorage(hid_t set, const std::string& name) const {
    const Handle how(H5Dget_create_plist(set), H5Pclose);
    H5O_info_t own, root;
    const bool is_here =
        ObjectInfo(set, own) >= 0 && ObjectInfo(file.get(), root) >= 0 && own.fileno == root.fileno;
    const H5D_layout_t layout = H5Pget_layout(how.get());
    if (!is_here || layout == H5D_VIRTUAL || H5Pget_external_count(how.get()) != 0) {
      FailReading(path, name, "lies in another file; it is damaged");
    }
    if (H5Dget_storage_size(set) > bytes)
      FailReading(path, name, "claims more data than the file can hold; it is damaged");
    if (layout != H5D_CHUNKED) return;
    std::vector<hsize_t> chunk(H5S_MAX_RANK);
    const int rank = H5Pget_chunk(how.get(), H5S_MAX_RANK, chunk.data());
    if (rank < 0) FailReading(path, name, "has no readable layout; it is damaged");
    chunk.resize(static_cast<std::size_t>(rank));
    const Handle type(H5Dget_type(set), H5Tclose);
    Elements({chunk.begin(), chunk.end()}, H5Tget_size(type.get()), name);
  }
  // HDF5's answer to whether something is there. What cannot be asked because the disk fails is not "no".
  bool Answer(htri_t answer, const std::string& name) const {
    if (answer < 0 && !SystemReason().empty()) FailReading(path, name, "cannot be looked for");
    return answer > 0;
  }
  static bool IsChunked(hid_t set) {
    const Handle how(H5Dget_create_plist(set), H5Pclose);
    return H5Pget_layout(how.get()) == H5D_CHUNKED;
  }
  // Elements of a chunked dataset as they are stored.
  void ReadStored(hid_t set, const std::vector<std::uint64_t>& extent, std::size_t element,
                  const std::string& name, void* out) const {
    const Handle how(H5Dget_create_plist(set), H5Pclose);
    ReadChunks({set, how.get(), extent, element, bytes, path, name}, static_cast<std::uint8_t*>(out));
  }
  // The same for numbers, which may be stored in another type than the one that is wanted.
  template <typename T>
  void ReadChunkedNumbers(hid_t set, hid_t type, const std::string& name, NdArray<T>& array) const {
    if (H5Tequal(type, NativeType<T>()) > 0)
      return ReadStored(set, array.shape, sizeof(T), name, array.values.data());
    const std::size_t element = H5Tget_size(type), count = array.values.size();
    std::vector<std::uint8_t> stored(count * std::max(element, sizeof(T)));
    ReadStored(set, array.shape, element, name, stored.data());
    if (H5Tconvert(type, NativeType<T>(), count, stored.data(), nullptr, H5P_DEFAULT) < 0) {
      FailReading(path, name, "cannot be read; the file is damaged");
    }
    std::memcpy(array.values.data(), stored.data(), count * sizeof(T));
  }
  Handle OpenAttribute(const std::string& object, const std::string& name) const {
    Handle attribute(H5Aopen_by_name(file.get(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
                     H5Aclose);
    if (!attribute.valid()) FailReading(path, object + "@" + name, "is missing");
    return attribute;
  }
  std::vector<std::uint64_t> Extent(hid_t space, const std::string& name) const {
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || rank > 8) FailReading(path, name, "has no simple extent");
    std::vector<hsize_t> extent(static_cast<std::size_t>(rank));
    H5Sget_simple_extent_dims(space, extent.data(), nullptr);
    return {extent.begin(), extent.end()};
  }
  // Elements of that extent, refusing what the file cannot hold.
  std::uint64_t Elements(const std::vector<std::uint64_t>& extent, std::uint64_t size,
                         const std::string& name) const {
    const std::uint64_t most = bytes * kLargestExpansion / std::max<std::uint64_t>(1, size);
    std::uint64_t count = 1;
    for (const std::uint64_t e : extent) {
      if (e != 0 && count > most / e)
        FailReading(path, name, "claims more data than the file can hold; it is damaged");
      count *= e;
    }
    return count;
  }
  std::vector<StoredAttribute> Attributes(hid_t object, const std::string& name) const;
  StoredValue Values(hid_t set, const std::string& name) const;
  std::vector<std::string> Strings(hid_t type, hid_t space, const std::string& name, const auto& read) const {
    if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0) {
      FailReading(path, name, "is not made of fixed-length strings");
    }
    const std::size_t length = H5Tget_size(type);
    const std::vector<std::uint64_t> extent = Extent(space, name);
    const std::uint64_t count = Elements(extent, length, name);
    std::vector<char> packed(std::max<std::size_t>(1, count * length));
    const Handle memory = StringType(length);
    H5Tset_cset(memory.get(), H5Tget_cset(type));  // HDF5 converts no ASCII to UTF-8, though it is the same
    if (count > 0 && read(memory.get(), packed.data()) < 0)
      FailReading(path, name, "cannot be read; the file is damaged");
    return Unpack(packed, count, length);
  }
};

Hdf5Reader::Hdf5Reader(const std::string& path) : impl_(std::make_unique<Impl>()) {
  SilenceHdf5();
  impl_->path = path;
  impl_->bytes = SizeOf(path);
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  impl_->Open(path, access.get());
}
Hdf5Reader::Hdf5Reader(std::span<const std::uint8_t> bytes, const std::string& name)
    : impl_(std::make_unique<Impl>()) {
  SilenceHdf5();
  impl_->path = name;
  impl_->bytes = bytes.size();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(access.get(), kCoreIncrement, /*backing_store=*/false);
  // HDF5 copies the image; its interface is not const.
  H5Pset_file_image(access.get(), const_cast<std::uint8_t*>(bytes.data()), bytes.size());
  // It takes two open files of one name for the same file.
  static std::atomic<std::uint64_t> opened{0};
  impl_->Open("memory-" + std::to_string(opened++), access.get());
}
Hdf5Reader::~Hdf5Reader() = default;
Hdf5Reader::Hdf5Reader(Hdf5Reader&&) noexcept = default;
Hdf5Reader& Hdf5Reader::operator=(Hdf5Reader&&) noexcept = default;

bool Hdf5Reader::Exists(const std::string& path) const {
  // Every link of the way is asked for: H5Lexists fails on a missing parent.
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (part != "/" && !impl_->Answer(H5Lexists(impl_->file.get(), part.c_str(), H5P_DEFAULT), part)) return false;
    if (at == std::string::npos) return true;
  }
}
bool Hdf5Reader::HasAttribute(const std::string& object, const std::string& name) const {
  return impl_->Answer(H5Aexists_by_name(impl_->file.get(), object.c_str(), name.c_str(), H5P_DEFAULT), object);
}

std::vector<std::string> Hdf5Reader::ReadStringList(const std::string& object,
                                                    const std::string& name) const {
  const Handle attribute = impl_->OpenAttribute(object, name);
  const Handle type(H5Aget_type(attribute.get()), H5Tclose);
  const Handle space(H5Aget_space(attribute.get()), H5Sclose);
  return impl_->Strings(type.get(), space.get(), object + "@" + name,
                        [&](hid_t memory, char* out) { return H5Aread(attribute.get(), memory, out); });
}
std::string Hdf5Reader::ReadString(const std::string& object, const std::string& name) const {
  const std::vector<std::string> values = ReadStringList(object, name);
  if (values.size() != 1) FailReading(impl_->path, object + "@" + name, "is not one string");
  return values[0];
}
std::vector<std::int64_t> Hdf5Reader::ReadIntegerList(const std::string& object,
                                                      const std::string& name) const {
  const Handle attribute = impl_->OpenAttribute(object, name);
  const Handle type(H5Aget_type(attribute.get()), H5Tclose);
  if (H5Tget_class(type.get()) != H5T_INTEGER) FailReading(impl_->path, object + "@" + name, "is not an integer");
  const Handle space(H5Aget_space(attribute.get()), H5Sclose);
  std::vector<std::int64_t> values(impl_->Elements(impl_->Extent(space.get(), name), 8, name));
  std::int64_t none = 0;
  if (H5Aread(attribute.get(), H5T_NATIVE_INT64, values.empty() ? &none : values.data()) < 0) {
    FailReading(impl_->path, object + "@" + name, "cannot be read");
  }
  return values;
}
std::int64_t Hdf5Reader::ReadInteger(const std::string& object, const std::string& name) const {
  const std::vector<std::int64_t> values = ReadIntegerList(object, name);
  if (values.size() != 1) FailReading(impl_->path, object + "@" + name, "is not one integer");
  return values[0];
}
double Hdf5Reader::ReadDouble(const std::string& object, const std::string& name) const {
  const Handle attribute = impl_->OpenAttribute(object, name);
  const Handle space(H5Aget_space(attribute.get()), H5Sclose);
  double value = 0;
  if (impl_->Elements(impl_->Extent(space.get(), name), 8, name) != 1 ||
      H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, &value) < 0) {
    FailReading(impl_->path, object + "@" + name, "is not one number");
  }
  return value;
}

std::vector<std::uint64_t> Hdf5Reader::Shape(const std::string& path) const {
  const Handle set = impl_->OpenSet(path);
  const Handle space(H5Dget_space(set.get()), H5Sclose);
  return impl_->Extent(space.get(), path);
}

std::vector<std::string> Hdf5Reader::List(const std::string& group) const {
  std::vector<std::string> names;
  const auto visit = [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  if (H5Literate_by_name(impl_->file.get(), group.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &names,
                         H5P_DEFAULT) < 0) {
    FailReading(impl_->path, group, "is not a group");
  }
  return names;
}

template <typename T>
NdArray<T> Hdf5Reader::Read(const std::string& path) const {
  const Handle set = impl_->OpenSet(path);
  const Handle type(H5Dget_type(set.get()), H5Tclose);
  const bool is_fraction = std::is_floating_point_v<T> || std::is_same_v<T, Half>;
  const H5T_class_t wanted = is_fraction ? H5T_FLOAT : H5T_INTEGER;
  if (H5Tget_class(type.get()) != wanted) FailReading(impl_->path, path, "has another type than expected");
  const Handle space(H5Dget_space(set.get()), H5Sclose);
  NdArray<T> array;
  array.shape = impl_->Extent(space.get(), path);
  array.values.resize(impl_->Elements(array.shape, H5Tget_size(type.get()), path));
  if (Impl::IsChunked(set.get())) {
    if (!array.values.empty()) impl_->ReadChunkedNumbers(set.get(), type.get(), path, array);
    return array;
  }
  if (!array.values.empty() &&
      H5Dread(set.get(), NativeType<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()) < 0) {
    FailReading(impl_->path, path, "cannot be read; the file is damaged");
  }
  return array;
}

template <typename T>
bool Hdf5Reader::Stores(const std::string& path) const {
  const Handle set = impl_->OpenSet(path);
  const Handle type(H5Dget_type(set.get()), H5Tclose);
  return H5Tequal(type.get(), NativeType<T>()) > 0;
}

std::vector<std::string> Hdf5Reader::ReadStrings(const std::string& path) const {
  const Handle set = impl_->OpenSet(path);
  const Handle type(H5Dget_type(set.get()), H5Tclose);
  const Handle space(H5Dget_space(set.get()), H5Sclose);
  return impl_->Strings(type.get(), space.get(), path, [&](hid_t memory, char* out) -> herr_t {
    if (!Impl::IsChunked(set.get())) return H5Dread(set.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, out);
    impl_->ReadStored(set.get(), impl_->Extent(space.get(), path), H5Tget_size(type.get()), path, out);
    return 0;
  });
}

bool Hdf5Reader::IsDataset(const std::string& path) const {
  const Handle object(H5Oopen(impl_->file.get(), path.c_str(), H5P_DEFAULT), H5Oclose);
  if (!object.valid()) FailReading(impl_->path, path, "cannot be opened");
  return H5Iget_type(object.get()) == H5I_DATASET;
}

std::vector<std::string> Hdf5Reader::Objects() const {
  std::vector<std::string> paths;
  const auto walk = [&](const auto& self, const std::string& group, int depth) -> void {
    if (depth > kDeepestGroup) FailReading(impl_->path, group, "lies in too many groups, or in a circle of them");
    for (const std::string& name : List(group.empty() ? "/" : group)) {
      const std::string path = group + "/" + name;
      paths.push_back(path);
      if (!IsDataset(path)) self(self, path, depth + 1);
    }
  };
  walk(walk, "", 0);
  return paths;
}

std::vector<StoredAttribute> Hdf5Reader::Impl::Attributes(hid_t object, const std::string& name) const {
  std::vector<std::string> names;
  const auto visit = [](hid_t, const char* attribute, const H5A_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(attribute);
    return 0;
  };
  if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &names) < 0)
    FailReading(path, name, "has no readable attributes; the file is damaged");
  std::vector<StoredAttribute> attributes;
  for (const std::string& attribute : names) {
    const Handle handle = OpenAttribute(name, attribute);
    const Handle type(H5Aget_type(handle.get()), H5Tclose), space(H5Aget_space(handle.get()), H5Sclose);
    StoredPlace place{type.get(), space.get(), Extent(space.get(), name), 0, {}, path, name + "@" + attribute};
    place.count = Elements(place.shape, H5Tget_size(type.get()), place.name);
    place.read = [&](hid_t memory, void* out) { return H5Aread(handle.get(), memory, out) >= 0; };
    attributes.push_back({attribute, ReadValue(place)});
  }
  return attributes;
}

StoredValue Hdf5Reader::Impl::Values(hid_t set, const std::string& name) const {
  const Handle type(H5Dget_type(set), H5Tclose), space(H5Dget_space(set), H5Sclose);
  StoredPlace place{type.get(), space.get(), Extent(space.get(), name), 0, {}, path, name};
  place.count = Elements(place.shape, H5Tget_size(type.get()), name);
  const bool is_chunked = IsChunked(set);
  if (is_chunked && H5Tis_variable_str(type.get()) > 0)
    FailReading(path, name, "holds texts of variable length in chunks; write it anew in one piece, or remove it");
  place.read = [&](hid_t memory, void* out) {
    if (!is_chunked) return H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0;
    ReadStored(set, place.shape, H5Tget_size(type.get()), name, out);
    return true;
  };
  return ReadValue(place);
}

StoredObject Hdf5Reader::ReadStored(const std::string& path, bool with_data) const {
  StoredObject object{path, std::nullopt, {}};
  const Handle handle(H5Oopen(impl_->file.get(), path.c_str(), H5P_DEFAULT), H5Oclose);
  if (!handle.valid()) FailReading(impl_->path, path, "cannot be opened");
  object.attributes = impl_->Attributes(handle.get(), path);
  if (with_data && H5Iget_type(handle.get()) == H5I_DATASET) object.data = impl_->Values(impl_->OpenSet(path).get(), path);
  return object;
}

template <typename T>
std::vector<T> Hdf5Reader::ReadRange(const std::string& path, std::uint64_t begin,
                                     std::uint64_t count) const {
  const Handle set = impl_->OpenSet(path);
  const Handle space(H5Dget_space(set.get()), H5Sclose);
  const std::vector<std::uint64_t> extent = impl_->Extent(space.get(), path);
  if (extent.size() != 1 || begin > extent[0] || count > extent[0] - begin) {
    FailReading(impl_->path, path, "is shorter than its index says; the file is damaged");
  }
  if (Impl::IsChunked(set.get()))
    FailReading(impl_->path, path, "is stored in chunks, not in one piece; write it anew");
  impl_->Elements({count}, sizeof(T), path);
  std::vector<T> values(count);
  if (count == 0) return values;
  const hsize_t start = begin, length = count;
  H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &start, nullptr, &length, nullptr);
  const Handle memory(H5Screate_simple(1, &length, nullptr), H5Sclose);
  if (H5Dread(set.get(), NativeType<T>(), memory.get(), space.get(), H5P_DEFAULT, values.data()) < 0) {
    FailReading(impl_->path, path, "cannot be read; the file is damaged");
  }
  return values;
}

#define AUFORGE_INSTANTIATE(T)                                       \
  template NdArray<T> Hdf5Reader::Read<T>(const std::string&) const; \
  template bool Hdf5Reader::Stores<T>(const std::string&) const;     \
  template std::vector<T> Hdf5Reader::ReadRange<T>(const std::string&, std::uint64_t, std::uint64_t) const;
AUFORGE_FOR_EACH_STORED_TYPE(AUFORGE_INSTANTIATE)
#undef AUFORGE_INSTANTIATE

}  // namespace auforge::datasets::storage
