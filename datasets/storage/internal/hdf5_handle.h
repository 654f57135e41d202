// What reading and writing HDF5 share: identifiers that close themselves, types, failures that name file and
// object.
#pragma once

#include <hdf5.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "datasets/storage/hdf5_file.h"

namespace auforge::datasets::storage {

[[noreturn]] inline void Fail(const std::string& file, const std::string& object, const char* what) {
  throw std::runtime_error(file + ": " + (object.empty() ? "" : object + ": ") + what);
}

// The same for a reader: BadContent, unless the HDF5 call that came last failed because the system did; then the
// system's reason is told. Must be called before any other HDF5 call.
[[noreturn]] void FailReading(const std::string& file, const std::string& object, const char* what);

// An HDF5 identifier with the function that closes it.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() { Reset(); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  hid_t get() const { return id_; }
  bool valid() const { return id_ >= 0; }
  herr_t Reset() {
    const hid_t id = std::exchange(id_, -1);
    return id >= 0 ? close_(id) : 0;
  }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

// HDF5 would print every failure itself.
inline void SilenceHdf5() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

// HDF5 1.10 has no type of its own for it.
inline hid_t HalfType() {
  static const hid_t type = [] {
    const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(half, /*sign=*/15, /*exponent=*/10, 5, /*mantissa=*/0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    return half;
  }();
  return type;
}

template <typename T>
hid_t NativeType() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::is_same_v<T, std::int16_t>) return H5T_NATIVE_INT16;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, std::uint32_t>) return H5T_NATIVE_UINT32;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_NATIVE_UINT64;
  if constexpr (std::is_same_v<T, Half>) return HalfType();
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
}

// Applies a macro to each type of number that files hold: those that NativeType knows.
#define AUFORGE_FOR_EACH_STORED_TYPE(apply)                                                            \
  apply(std::uint8_t) apply(std::int16_t) apply(std::int32_t) apply(std::int64_t) apply(std::uint32_t) \
      apply(std::uint64_t) apply(Half) apply(float) apply(double)

inline Handle StringType(std::size_t length) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), std::max<std::size_t>(1, length));
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  return type;
}

}  // namespace auforge::datasets::storage
