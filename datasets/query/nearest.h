// "Did you mean …": the valid word nearest to a mistyped one. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace auforge::datasets::query {

// Edits (insert, delete, replace, exchange of neighbours) between two words, letters of either case alike.
std::size_t EditDistance(std::string_view a, std::string_view b);
// The nearest of the words; empty when there are none or none shares as much as half of its letters.
std::string Nearest(std::string_view word, const std::vector<std::string>& words);
// "happiness", "Happily_Surprised" -> the category's name as shards have it ("happy", "happily surprised").
std::string CanonicalEmotion(std::string_view name);
// The nouns that CanonicalEmotion knows.
std::vector<std::string> EmotionNouns();
// * any run of characters, ? any one; letters of either case are alike (ASCII).
bool MatchesPattern(std::string_view pattern, std::string_view text);
bool IsPattern(std::string_view text);

}  // namespace auforge::datasets::query
