// Progress on stderr: one line that is rewritten on a terminal, a line now and then in a log file.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace auforge::tools {

class ProgressLine {
 public:
  // label: "annotate". Quiet when told so.
  explicit ProgressLine(std::string label, bool quiet = false);
  ~ProgressLine();
  // done and expected in units ("images"); expected 0: unknown. extra: ", 43 faces".
  void Update(std::uint64_t done, std::uint64_t expected, double seconds, const std::string& unit,
              const std::string& extra = "");
  // Ends the line so that other output starts on a fresh one.
  void Finish();

 private:
  std::string label_;
  bool quiet_;
  bool terminal_;
  bool open_ = false;
  std::chrono::steady_clock::time_point last_{};
};

// "3 h 12 min", "4 min 5 s", "12 s".
std::string Duration(double seconds);

}  // namespace auforge::tools
