// main of every test program. Exits with 77 when every test that ran was skipped, which ctest shows as skipped
// (SKIP_RETURN_CODE); a failure beside a skipped test stays a failure.
#include <gtest/gtest.h>

#include "tests/support/exit_status.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const int status = RUN_ALL_TESTS();
  const auto& all = *::testing::UnitTest::GetInstance();
  return auforge::tests::ExitStatus(status, all.test_to_run_count(), all.skipped_test_count());
}
