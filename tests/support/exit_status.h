// What a test program's exit status tells ctest.
#pragma once

namespace auforge::tests {

inline constexpr int kAllSkipped = 77;

// status: of RUN_ALL_TESTS(), 0 or 1.
constexpr int ExitStatus(int status, int run, int skipped) {
  return status == 0 && run > 0 && skipped == run ? kAllSkipped : status;
}
static_assert(ExitStatus(0, 3, 0) == 0 && ExitStatus(0, 3, 2) == 0 && ExitStatus(0, 3, 3) == kAllSkipped);
static_assert(ExitStatus(1, 3, 2) == 1 && ExitStatus(1, 1, 1) == 1 && ExitStatus(0, 0, 0) == 0);

}  // namespace auforge::tests
