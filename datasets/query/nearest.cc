#include "datasets/query/nearest.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <utility>

namespace auforge::datasets::query {
namespace {

char Lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

// Nouns by which EmotioNet's categories are asked for, and the adjectives that name them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kNouns{{
    {"happiness", "happy"},
    {"joy", "happy"},
    {"sadness", "sad"},
    {"fear", "fearful"},
    {"anger", "angry"},
    {"surprise", "surprised"},
    {"disgust", "disgusted"},
    {"awe", "awed"},
    {"hate", "hatred"},
    {"neutrality", "neutral"},
}};

}  // namespace

std::size_t EditDistance(std::string_view a, std::string_view b) {
  // Three rows of the table of Damerau and Levenshtein (optimal string alignment).
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (Lower(a[i - 1]) == Lower(b[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && Lower(a[i - 1]) == Lower(b[j - 2]) && Lower(a[i - 2]) == Lower(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string Nearest(std::string_view word, const std::vector<std::string>& words) {
  word = word.substr(0, 64);  // a long mistake is no word, and distances cost length times length
  std::string nearest;
  std::size_t least = word.size();
  for (const std::string& candidate : words) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < least && 2 * distance <= std::max(word.size(), candidate.size())) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string CanonicalEmotion(std::string_view name) {
  std::string canonical;
  for (const char c : name) canonical += c == '_' || c == '-' ? ' ' : Lower(c);
  for (const auto& [noun, adjective] : kNouns) {
    if (canonical == noun) return std::string(adjective);
  }
  return canonical;
}

std::vector<std::string> EmotionNouns() {
  std::vector<std::string> nouns;
  for (const auto& [noun, adjective] : kNouns) nouns.emplace_back(noun);
  return nouns;
}

bool IsPattern(std::string_view text) { return text.find_first_of("*?") != std::string_view::npos; }

bool MatchesPattern(std::string_view pattern, std::string_view text) {
  // Greedy with one point to return to, so that no pattern takes more than pattern times text steps.
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || Lower(pattern[p]) == Lower(text[t]))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace auforge::datasets::query
