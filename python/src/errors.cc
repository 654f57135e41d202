#include "src/errors.h"

#include <stdexcept>

#include "datasets/storage/bad_content.h"
#include "datasets/storage/memory_fault.h"
#include "tools/cli/cli.h"
#include "tools/cli/memory.h"

namespace py = pybind11;

namespace auforge::python {
namespace {

void Raise(const char* name, const std::string& text) {
  const py::object kind = py::module_::import("auforge._errors").attr(name);
  // Texts name files, whose names need not be UTF-8.
  const auto decoded = py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "surrogateescape"));
  PyErr_SetObject(kind.ptr(), decoded.ptr());
}

void Translate(std::exception_ptr fault) {
  try {
    if (fault) std::rethrow_exception(fault);
  } catch (const py::builtin_exception&) {
    throw;
  } catch (const py::error_already_set&) {
    throw;
  } catch (const tools::UsageError& error) {
    Raise("UsageError", error.what());
  } catch (const tools::BadInputError& error) {
    Raise("BadInputError", error.what());
  } catch (const datasets::storage::BadContent& error) {
    Raise("BadInputError", error.what());
  } catch (const std::exception& error) {
    if (datasets::storage::IsOutOfMemory(error)) {
      PyErr_SetString(PyExc_MemoryError, tools::OutOfMemoryText().c_str());
    } else if (dynamic_cast<const std::invalid_argument*>(&error) != nullptr) {
      Raise("UsageError", error.what());
    } else {
      Raise("Error", error.what());
    }
  }
}

}  // namespace

void RegisterErrors(py::module_&) { py::register_local_exception_translator(Translate); }

void Refuse(const std::string& text) { throw tools::UsageError(text); }

}  // namespace auforge::python
