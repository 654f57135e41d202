#include "tests/support/program.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>

namespace auforge::tests {

ProgramOutcome RunCommand(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {};
  ProgramOutcome outcome;
  std::array<char, 4096> buffer;
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) outcome.text.append(buffer.data(), got);
  outcome.code = WEXITSTATUS(pclose(pipe));
  return outcome;
}

}  // namespace auforge::tests
