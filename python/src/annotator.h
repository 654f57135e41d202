#pragma once

#include <pybind11/pybind11.h>

namespace auforge::python {

void BindAnnotator(pybind11::module_& module);

}  // namespace auforge::python
