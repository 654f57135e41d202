#include "tools/cli/progress.h"

#include <unistd.h>

#include <cstdio>

namespace auforge::tools {
namespace {

// In a log, a line this often.
constexpr std::chrono::seconds kLogInterval{15};

}  // namespace

std::string Duration(double seconds) {
  const auto total = static_cast<long>(seconds + 0.5);
  char text[48];
  if (total >= 3600) {
    std::snprintf(text, sizeof(text), "%ld h %02ld min", total / 3600, total % 3600 / 60);
  } else if (total >= 60) {
    std::snprintf(text, sizeof(text), "%ld min %02ld s", total / 60, total % 60);
  } else {
    std::snprintf(text, sizeof(text), "%ld s", total);
  }
  return text;
}

ProgressLine::ProgressLine(std::string label, bool quiet)
    : label_(std::move(label)), quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {
  last_ = std::chrono::steady_clock::now();
}

ProgressLine::~ProgressLine() { Finish(); }

void ProgressLine::Update(std::uint64_t done, std::uint64_t expected, double seconds, const std::string& unit,
                          const std::string& extra) {
  if (quiet_) return;
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ && now - last_ < kLogInterval) return;
  last_ = now;
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string line = label_ + ": " + std::to_string(done);
  if (expected > 0) line += " of " + std::to_string(expected);
  char per_second[32];
  std::snprintf(per_second, sizeof(per_second), ", %.1f/s", rate);
  line += " " + unit + extra + per_second;
  if (expected > done && rate > 0) line += ", " + Duration(static_cast<double>(expected - done) / rate) + " left";
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", line.c_str());
  std::fflush(stderr);
  open_ = terminal_;
}

void ProgressLine::Finish() {
  if (open_) std::fputc('\n', stderr);
  open_ = false;
}

}  // namespace auforge::tools
