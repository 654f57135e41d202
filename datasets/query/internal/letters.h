// Scripts that put no spaces between words: Chinese, Japanese, Korean (whose endings hang on the word), Thai, Lao,
// Burmese and Khmer. A full-text index takes a whole sentence of them for one word; with a space around every letter, a
// phrase of letters is found wherever they follow each other. Pure functions on UTF-8; other bytes pass unchanged.
#pragma once

#include <string>
#include <string_view>

namespace auforge::datasets::query {

bool HasUnspacedScript(std::string_view text);
std::string SpreadLetters(std::string_view text);

}  // namespace auforge::datasets::query
