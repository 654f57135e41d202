// What is wrong with a file, in two kinds. BadContent: its bytes were read, and they are damaged, of another kind or
// of another version; reading them again will not help. Any other std::runtime_error: the file could not be read
// (no permission, no such file, a failing disk), which says nothing about what is in it.
#pragma once

#include <stdexcept>

namespace auforge::datasets::storage {

struct BadContent : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace auforge::datasets::storage
