// Runs a program as a script would.
#pragma once

#include <string>

namespace auforge::tests {

struct ProgramOutcome {
  int code = -1;     // exit status
  std::string text;  // stdout and stderr
};

// command: as typed into a shell.
ProgramOutcome RunCommand(const std::string& command);

}  // namespace auforge::tests
