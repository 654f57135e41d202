// Small programs whose answer is wanted: sbatch, kubectl.
#pragma once

#include <string>
#include <vector>

namespace auforge::tools {

struct Answer {
  int code = 0;  // exit status; 127: could not be started; 128 + the signal that ended it
  std::string out, err;
};
// command[0] is looked for on the PATH. Waits for its end.
Answer Ask(const std::vector<std::string>& command);

}  // namespace auforge::tools
