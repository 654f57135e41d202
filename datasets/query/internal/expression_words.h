// The words and symbols of the query language, for what reads it and what writes it.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "datasets/query/expression.h"

namespace auforge::datasets::query {

struct NamedField {
  std::string_view name;
  Field field;
};
inline constexpr std::array<NamedField, 8> kFields{{{"quality", Field::kQuality},
                                                    {"score", Field::kScore},
                                                    {"yaw", Field::kYaw},
                                                    {"pitch", Field::kPitch},
                                                    {"roll", Field::kRoll},
                                                    {"size", Field::kSize},
                                                    {"face", Field::kFace},
                                                    {"emotion_score", Field::kEmotionScore}}};
inline constexpr std::array<std::string_view, 7> kTextFields{"emotion", "emotion_rule", "keyword", "source",
                                                                 "licence", "license",      "robots"};
// Words that stand alone: true or not.
inline constexpr std::array<std::pair<std::string_view, Expression::Kind>, 2> kFlags{
    {{"noai", Expression::Kind::kNoAi}, {"near_duplicate", Expression::Kind::kNearDuplicate}}};

// A symbol stands before those that it begins with.
inline constexpr std::array<std::pair<std::string_view, Comparison>, 7> kComparisons{
    {{">=", Comparison::kGreaterOrEqual},
     {"<=", Comparison::kLessOrEqual},
     {"!=", Comparison::kNotEqual},
     {"==", Comparison::kEqual},
     {">", Comparison::kGreater},
     {"<", Comparison::kLess},
     {"=", Comparison::kEqual}}};

}  // namespace auforge::datasets::query
