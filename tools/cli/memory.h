// Running out of memory, said so that the user knows which limit it was.
//
// This file also looks at the limits before the libraries start (.preinit_array). OpenBLAS starts a thread for each
// core before main; under a limit on memory it ends the program when it cannot, and its threads, waiting for memory
// for ever, keep it from ending. There the program starts itself again with one BLAS thread.
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
// Makes running out of memory where no exception can pass (another thread, a destructor) an ordinary failure.
void FailWhenMemoryRunsOut();

}  // namespace auforge::tools
