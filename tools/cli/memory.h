// Running out of memory, said so that the user knows which limit it was.
#pragma once

#include <string>

namespace auforge::tools {

// "out of memory: the process may use 300000 KB (ulimit -v); raise the limit, or use fewer --jobs".
std::string OutOfMemoryText();
// The limit on the process's memory in kilobytes, and the letter by which the shell's ulimit sets it; 0: none.
struct MemoryLimit {
  unsigned long kilobytes = 0;
  char letter = 'v';
};
MemoryLimit FindMemoryLimit();

}  // namespace auforge::tools
