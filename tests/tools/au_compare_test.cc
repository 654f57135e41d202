#include "tools/au/au_compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/annotator/toy_data.h"

namespace auforge::tools {
namespace {

// Every kind of feature that the faces have, each set once; no kind that they lack.
TEST(AuCompare, TheAblationHasARowForEveryKindOfFeature) {
  const auto names = [](const annotator::TrainingData& data) {
    std::vector<std::string> rows;
    for (const Way& way : Ablate(data, annotator::ToyOptions(), {})) rows.push_back(way.name);
    return rows;
  };
  EXPECT_THAT(names(annotator::LearntData(120, 3)),
              testing::ElementsAre("everything", "shape only", "learnt only", "whole face only",
                                   "not averaged with the mirror"));
  EXPECT_THAT(names(annotator::ToyData(120, 3)),
              testing::ElementsAre("everything", "whole face only", "not averaged with the mirror"));
}

}  // namespace
}  // namespace auforge::tools
