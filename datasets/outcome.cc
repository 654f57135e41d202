#include "datasets/outcome.h"

#include <array>

namespace auforge::datasets {
namespace {

constexpr std::array<std::string_view, 9> kNames{"ok",          "no_face",    "undecodable", "too_large",  "too_small",
                                                 "low_quality", "unreadable", "duplicate",   "unsupported"};

}  // namespace

std::string_view OutcomeName(Outcome outcome) {
  const auto at = static_cast<std::size_t>(outcome);
  return at < kNames.size() ? kNames[at] : "unknown";
}

std::vector<std::string> OutcomeNames() { return {kNames.begin(), kNames.end()}; }

}  // namespace auforge::datasets
