// The language in which faces are asked for: "AU12>=2 & !AU4 & (AU6 | AU7) & emotion:happy". Its grammar is
// in docs/using-the-crawl.md. Plain values; free to copy and share between threads.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace auforge::datasets::query {

// Limits that hold for every expression, whoever sent it.
inline constexpr std::size_t kLongestExpression = 4096;  // bytes
inline constexpr std::size_t kMostTerms = 256;           // comparisons and words
inline constexpr int kDeepestNesting = 64;               // brackets and "!"

// What an expression is wrong about. column: 1-based position in the text, 0 when there is none.
struct ExpressionError : std::invalid_argument {
  ExpressionError(const std::string& message, std::size_t at_column)
      : std::invalid_argument((at_column > 0 ? "column " + std::to_string(at_column) + ": " : "") + message),
        column(at_column) {}
  std::size_t column;
};

enum class Field {
  kAuIntensity,    // 0..5
  kAuProbability,  // 0..1
  kAuPresent,      // 0 or 1
  kAuLeft,         // 0..5, of the subject's left half, and
  kAuRight,        // of the right one
  kEmotionScore,   // 0..1
  kQuality,        // 0..1
  kScore,          // of the detector
  kYaw,            // degrees, as kPitch and kRoll
  kPitch,
  kRoll,
  kSize,  // width of the face's box, pixels of the image
  kFace,  // 0, 1, … within its image
};

enum class Comparison { kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kEqual, kNotEqual };

struct Expression {
  enum class Kind { kAll, kAnd, kOr, kNot, kNumber, kEmotion, kEmotionRule, kKeyword, kSource, kLicence, kRobots, kNoAi,
                    kNearDuplicate, kDuplicateOf };
  Kind kind = Kind::kAll;
  std::vector<Expression> children;  // kAnd, kOr: two or more; kNot: one
  // kNumber: field (of Action Unit `au`, a FACS number) compared with value, or, where `against` says so, with
  // another field plus value: AU12.left > AU12.right + 1.
  Field field = Field::kQuality;
  int au = 0;
  Comparison comparison = Comparison::kGreaterOrEqual;
  float value = 0;
  bool against = false;
  Field other = Field::kQuality;
  int other_au = 0;
  // kEmotion (the nearest), kEmotionRule (by the exact rule): a name or a pattern with * and ?. kKeyword: words that stand next to each other; a trailing *
  // makes the last one a beginning. kSource: a part (or, with * and ?, the whole) of the source shard's name,
  // the key or the URL. kLicence: the image's licence, or a pattern of it. kRobots: one of the site's directives for robots,
  // or a pattern. kNoAi has none: the site asks that no models be trained on the image.
  // kNearDuplicate has none: the face looks like one before it. kDuplicateOf: looks like a face of the image with this key, or
  // like face 12 of shard 00003.h5, "00003.h5:12".
  std::string text;
  std::size_t column = 0;  // where the term begins, 1-based

  friend bool operator==(const Expression&, const Expression&) = default;
};

// Empty text: everything. Throws ExpressionError, which points at the column and names the nearest valid
// word.
Expression ParseExpression(std::string_view text);
// Both; either may be kAll.
Expression And(Expression a, Expression b);
// Text that parses to the same expression (columns apart).
std::string ToText(const Expression& expression);
// The expression's own line with a caret under the column that `error` means, and the message.
std::string Explain(std::string_view text, const ExpressionError& error);

bool Compare(float left, Comparison comparison, float right);
// Action Units that the expression names, each once.
std::vector<int> NamedAus(const Expression& expression);

}  // namespace auforge::datasets::query
