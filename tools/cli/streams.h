// The standard streams as tools should treat them: results that could not be written are a failure, and a stream
// that was closed is not the next file that is opened.
#pragma once

#include <string>

namespace auforge::tools {

// Puts something in the place of closed standard streams whose use fails as theirs would; before any file is
// opened.
void GuardStandardStreams();

// What a command that cannot go on without its stdout throws as std::runtime_error; Main says more.
inline constexpr const char* kStdoutFault = "the standard output cannot be written";

struct StdoutFault {
  bool failed = false;
  bool reader_left = false;  // a broken pipe: `| head` has seen enough, which is no news to anybody
  std::string reason;        // the system's, where it is known
};
// Flushes stdout and tells whether all of it was written.
StdoutFault FlushStdout();

}  // namespace auforge::tools
