// SIGINT and SIGTERM ask long work to end cleanly; a second one ends the program at once.
#pragma once

namespace auforge::tools {

void InstallStopSignals();
// The signal that asked us to stop, 0 while none has. Async-signal-safe; may be polled from any thread.
int StopSignal();

}  // namespace auforge::tools
