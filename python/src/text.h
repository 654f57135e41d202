// Texts of files and crawls, which need not be UTF-8, as Python's str and back without loss.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

namespace auforge::python {

inline pybind11::str Text(const std::string& text) {
  return pybind11::reinterpret_steal<pybind11::str>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<pybind11::ssize_t>(text.size()), "surrogateescape"));
}

}  // namespace auforge::python
