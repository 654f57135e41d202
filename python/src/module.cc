// auforge._core: what the package's Python code stands on. Nothing here is for users; python/auforge is.
#include <pybind11/pybind11.h>

#include "src/annotator.h"
#include "src/block.h"
#include "src/errors.h"
#include "src/images.h"
#include "src/models.h"
#include "src/shards.h"

#ifndef AUFORGE_VERSION
#error "AUFORGE_VERSION comes from CMake"
#endif

PYBIND11_MODULE(_core, module) {
  module.attr("version") = AUFORGE_VERSION;
  auforge::python::RegisterErrors(module);
  auforge::python::BindBlock(module);
  auforge::python::BindImages(module);
  auforge::python::BindAnnotator(module);
  auforge::python::BindShards(module);
  auforge::python::BindModels(module);
}
