#include <algorithm>
#include <cstring>
#include <new>

#include "datasets/storage/internal/hdf5_handle.h"
#include "datasets/storage/internal/hdf5_stored.h"

namespace auforge::datasets::storage {
namespace {

constexpr int kDeepestType = 8;  // structures in structures

std::vector<std::uint8_t> Encoded(hid_t type) {
  std::size_t size = 0;
  if (H5Tencode(type, nullptr, &size) < 0) throw std::bad_alloc();
  std::vector<std::uint8_t> code(size);
  if (H5Tencode(type, code.data(), &size) < 0) throw std::bad_alloc();
  return code;
}

// Whether an element is all that it means, and no pointer to it.
bool IsFlat(hid_t type, int depth = 0) {
  if (depth > kDeepestType) return false;
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_STRING) return H5Tis_variable_str(type) == 0;
  if (kind == H5T_ARRAY) return IsFlat(Handle(H5Tget_super(type), H5Tclose).get(), depth + 1);
  if (kind != H5T_COMPOUND) return kind != H5T_VLEN && kind != H5T_REFERENCE && kind != H5T_NO_CLASS;
  for (int i = H5Tget_nmembers(type) - 1; i >= 0; --i) {
    if (!IsFlat(Handle(H5Tget_member_type(type, static_cast<unsigned>(i)), H5Tclose).get(), depth + 1)) return false;
  }
  return true;
}

void Read(const StoredPlace& place, hid_t memory_type, void* out) {
  if (place.count > 0 && !place.read(memory_type, out))
    FailReading(place.file, place.name, "cannot be read; the file is damaged");
}

// Texts of any length, which HDF5 gives as pointers.
StoredValue ReadTexts(const StoredPlace& place) {
  const Handle memory(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(memory.get(), H5T_VARIABLE);
  H5Tset_cset(memory.get(), H5Tget_cset(place.type));
  std::vector<char*> texts(place.count, nullptr);
  Read(place, memory.get(), texts.data());
  const auto length = [](const char* text) { return text != nullptr ? std::strlen(text) : 0; };
  StoredValue value;
  value.element = 1;
  for (const char* text : texts) value.element = std::max(value.element, length(text));
  value.type = Encoded(StringType(value.element).get());
  value.shape = place.shape;
  value.bytes.resize(texts.size() * value.element);
  for (std::size_t i = 0; i < texts.size(); ++i)
    std::copy_n(texts[i], length(texts[i]), value.bytes.begin() + static_cast<std::ptrdiff_t>(i * value.element));
  if (place.count > 0) H5Dvlen_reclaim(memory.get(), place.space, H5P_DEFAULT, texts.data());
  return value;
}

}  // namespace

StoredValue ReadValue(const StoredPlace& place) {
  if (H5Tget_class(place.type) == H5T_STRING && H5Tis_variable_str(place.type) > 0) return ReadTexts(place);
  if (!IsFlat(place.type)) {
    FailReading(place.file, place.name,
                "is of a type that cannot be copied (variable length, or references into its file); write it anew as plain "
                "numbers or texts, or remove it");
  }
  // A type that the file names is an object of that file; a copy of it is not.
  const Handle type(H5Tcopy(place.type), H5Tclose);
  StoredValue value;
  value.type = Encoded(type.get());
  value.element = H5Tget_size(type.get());
  value.shape = place.shape;
  value.bytes.resize(place.count * value.element);
  Read(place, type.get(), value.bytes.data());
  return value;
}

}  // namespace auforge::datasets::storage
