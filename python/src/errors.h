// C++ failures as the exceptions of auforge/_errors.py, by the rule by which the programs choose their exit status.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

namespace auforge::python {

// What Python code threw under our feet (a signal, a faulty argument) is passed on as it is.
void RegisterErrors(pybind11::module_& module);
// Raises auforge.UsageError.
[[noreturn]] void Refuse(const std::string& text);

}  // namespace auforge::python
