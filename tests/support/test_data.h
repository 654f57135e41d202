// Where the tests find what they need.
#pragma once

#include <optional>
#include <string>

namespace auforge::tests {

// A file of the checkout, e.g. SourcePath("tests/golden/parity.h5").
std::string SourcePath(const std::string& relative);
// A file below $AUFORGE_DATA (default: ../shared/data beside the checkout); nullopt when it is not there. A test
// labelled `data` then calls GTEST_SKIP() with the reason.
std::optional<std::string> DataPath(const std::string& relative);

}  // namespace auforge::tests
