#pragma once

#include <pybind11/pybind11.h>

namespace auforge::python {

void BindShards(pybind11::module_& module);

}  // namespace auforge::python
