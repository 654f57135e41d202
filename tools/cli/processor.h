// Whether the processor has the instructions that the program was compiled for (AUFORGE_ARCH).
#pragma once

namespace auforge::tools {

// Ends the program with a sentence and exit code 1 where it has not; else the first of them would end it with SIGILL.
// To be called before anything else: uses neither such instructions nor the heap.
void RequireProcessor(const char* program);

}  // namespace auforge::tools
