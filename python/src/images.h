// Pictures as Python has them (paths, encoded bytes, arrays, what read_images gives) to what the pipeline takes.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>

#include "datasets/image_source.h"

namespace auforge::python {

// With the GIL held, which is given away while pixels are copied or a file is read. What is wrong with an image is its
// status; what is no image at all (an array of floats, a number) raises UsageError.
datasets::ImageItem ToImage(pybind11::handle object, std::uint64_t max_bytes);

// SourceImage and ImageReader.
void BindImages(pybind11::module_& module);

}  // namespace auforge::python
