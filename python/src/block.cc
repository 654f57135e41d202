#include "src/block.h"

namespace py = pybind11;

namespace auforge::python {

void BindBlock(py::module_& module) {
  py::class_<Block>(module, "Block", py::buffer_protocol()).def_buffer([](Block& block) {
    const auto item = static_cast<py::ssize_t>(block.format == "B" ? 1 : block.format == "f" || block.format == "i" ? 4 : 8);
    std::vector<py::ssize_t> strides(block.shape.size());
    py::ssize_t stride = item;
    for (std::size_t i = block.shape.size(); i-- > 0;) {
      strides[i] = stride;
      stride *= block.shape[i];
    }
    return py::buffer_info(block.bytes.data(), item, block.format, static_cast<py::ssize_t>(block.shape.size()),
                           block.shape, strides);
  });
}

}  // namespace auforge::python
