// Running out of memory, as the libraries that we use say it. It is never a property of an input: whoever turns
// failures of one file into data must let it pass.
#pragma once

#include <cstddef>
#include <exception>

namespace auforge::datasets::storage {

// Memory, or a thread for want of memory, could not be had: of the standard library, OpenCV, LibTorch, SQLite,
// dlib and the image libraries.
bool IsOutOfMemory(const std::exception& error);
// For libraries that report a failure without its reason: throws std::bad_alloc when that many bytes cannot be had
// now. Costs nothing else.
void RequireMemory(std::size_t bytes);

}  // namespace auforge::datasets::storage
