// Signals that end a program. SIGINT, SIGTERM and SIGHUP ask long work to end cleanly; a second one ends the program
// at once.
#pragma once

namespace auforge::tools {

// For every command: whatever signal ends it leaves no temporary file and no child group behind. Signals that whoever started us
// ignores (nohup) stay ignored. A file that would grow beyond ulimit -f becomes an ordinary failure to write.
void InstallEndSignals();
// For commands that look at StopSignal.
void InstallStopSignals();
// The signal that asked us to stop, 0 while none has. Async-signal-safe; may be polled from any thread.
int StopSignal();

}  // namespace auforge::tools
