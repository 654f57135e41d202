// For programs, not for libraries that others load: whoever calls this gets a look at the limits on memory before the
// libraries start, too (.preinit_array). OpenBLAS starts a thread for each core before main; under a limit on memory it
// ends the program when it cannot, and its threads, waiting for memory for ever, keep it from ending. There the program
// starts itself again with one BLAS thread.
#pragma once

namespace auforge::tools {

// Makes running out of memory where no exception can pass (another thread, a destructor) an ordinary failure.
void FailWhenMemoryRunsOut();

}  // namespace auforge::tools
