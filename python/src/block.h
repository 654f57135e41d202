// Numbers on their way to numpy: a block of memory of one type that Python sees through the buffer protocol, so that
// neither numpy's headers nor its version matter, and numpy is loaded by whoever uses it.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace auforge::python {

struct Block {
  std::vector<std::uint8_t> bytes;
  std::string format;               // of the struct module: "f", "B", "q"
  std::vector<pybind11::ssize_t> shape;  // row-major
};

template <typename T>
Block MakeBlock(std::span<const T> values, std::vector<pybind11::ssize_t> shape) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(values.data());
  return {{begin, begin + values.size_bytes()}, pybind11::format_descriptor<T>::format(), std::move(shape)};
}

void BindBlock(pybind11::module_& module);

}  // namespace auforge::python
