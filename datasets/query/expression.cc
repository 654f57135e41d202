// Expressions as values: joined, written out, explained.
#include "datasets/query/expression.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

#include "datasets/query/internal/expression_words.h"

namespace auforge::datasets::query {
namespace {

using Kind = Expression::Kind;

std::string QuotedText(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string_view Symbol(Comparison comparison) {
  if (comparison == Comparison::kEqual) return "=";
  for (const auto& [symbol, value] : kComparisons) {
    if (value == comparison) return symbol;
  }
  return "=";
}

std::string FieldText(Field field, int number) {
  const std::string au = "AU" + std::to_string(number);
  switch (field) {
    case Field::kAuIntensity:
      return au;
    case Field::kAuProbability:
      return au + ".probability";
    case Field::kAuPresent:
      return au + ".present";
    case Field::kAuLeft:
      return au + ".left";
    case Field::kAuRight:
      return au + ".right";
    default:
      break;
  }
  const auto found = std::find_if(kFields.begin(), kFields.end(),
                                  [&](const NamedField& f) { return f.field == field; });
  return std::string(found->name);
}

std::string FloatText(float value) {
  char text[64];
  const auto [end, fault] = std::to_chars(text, text + sizeof(text), value, std::chars_format::fixed);
  return fault == std::errc() ? std::string(text, end) : "0";
}

std::string FlagText(Kind kind) {
  const auto found = std::find_if(kFlags.begin(), kFlags.end(), [kind](const auto& flag) { return flag.second == kind; });
  return std::string(found->first);
}

std::string FieldText(const Expression& term) { return FieldText(term.field, term.au); }

// What a comparison has on its right.
std::string RightText(const Expression& term) {
  if (!term.against) return FloatText(term.value);
  const std::string other = FieldText(term.other, term.other_au);
  if (term.value == 0) return other;
  return other + (term.value < 0 ? " - " : " + ") + FloatText(std::abs(term.value));
}

// Two comparisons that were written as one: AU12=1..3.
bool IsRange(const Expression& e) {
  if (e.kind != Kind::kAnd || e.children.size() != 2) return false;
  const Expression &low = e.children[0], &high = e.children[1];
  return low.kind == Kind::kNumber && high.kind == Kind::kNumber && low.field == high.field &&
         low.au == high.au && !low.against && !high.against && low.comparison == Comparison::kGreaterOrEqual &&
         high.comparison == Comparison::kLessOrEqual;
}

// Whether it needs brackets as an operand.
bool IsChain(const Expression& e) { return (e.kind == Kind::kAnd && !IsRange(e)) || e.kind == Kind::kOr; }

// As few brackets as there can be: the text must not be nested deeper than the one it was read from.
std::string ChainText(const Expression& chain) {
  if (IsRange(chain)) {
    const Expression& low = chain.children[0];
    return FieldText(low) + "=" + FloatText(low.value) + ".." + FloatText(chain.children[1].value);
  }
  const bool is_or = chain.kind == Kind::kOr;
  std::string text;
  for (const Expression& child : chain.children) {
    if (!text.empty()) text += is_or ? " | " : " & ";
    const bool binds_tighter = is_or && child.kind == Kind::kAnd;
    text += IsChain(child) && !binds_tighter ? "(" + ToText(child) + ")" : ToText(child);
  }
  return text;
}

}  // namespace

Expression And(Expression a, Expression b) {
  if (a.kind == Kind::kAll) return b;
  if (b.kind == Kind::kAll) return a;
  Expression both;
  both.kind = Kind::kAnd;
  both.column = a.column;
  both.children = {std::move(a), std::move(b)};
  return both;
}

std::string ToText(const Expression& expression) {
  switch (expression.kind) {
    case Kind::kAll:
      return "";
    case Kind::kNumber:
      return FieldText(expression) + std::string(Symbol(expression.comparison)) + RightText(expression);
    case Kind::kEmotion:
      return "emotion:" + QuotedText(expression.text);
    case Kind::kEmotionRule:
      return "emotion_rule:" + QuotedText(expression.text);
    case Kind::kKeyword:
      return "keyword:" + QuotedText(expression.text);
    case Kind::kSource:
      return "source:" + QuotedText(expression.text);
    case Kind::kLicence:
      return "licence:" + QuotedText(expression.text);
    case Kind::kRobots:
      return "robots:" + QuotedText(expression.text);
    case Kind::kDuplicateOf:
      return "duplicate of " + QuotedText(expression.text);
    case Kind::kNoAi:
    case Kind::kNearDuplicate:
      return FlagText(expression.kind);
    case Kind::kNot:
      break;
    case Kind::kAnd:
    case Kind::kOr:
      return ChainText(expression);
  }
  const Expression& child = expression.children[0];
  return "!" + (IsChain(child) ? "(" + ToText(child) + ")" : ToText(child));
}

std::string Explain(std::string_view text, const ExpressionError& error) {
  // A long expression is cut around the column.
  constexpr std::size_t kShown = 70;
  const std::size_t at = error.column > 0 ? error.column - 1 : 0;
  const std::size_t begin = at > kShown ? at - kShown / 2 : 0;
  std::string line;
  std::size_t caret = 0;
  for (std::size_t i = begin; i < std::min(text.size(), begin + kShown + 30); ++i) {
    const char c = text[i];
    // The caret stands under a character, and those of UTF-8 beyond its first byte take no place.
    if (i < at && (static_cast<unsigned char>(c) & 0xC0) != 0x80) ++caret;
    line += std::iscntrl(static_cast<unsigned char>(c)) != 0 ? ' ' : c;
  }
  if (at >= text.size()) caret += at - std::min(at, text.size());
  return line + "\n" + std::string(caret, ' ') + "^\n" + error.what();
}

bool Compare(float left, Comparison comparison, float right) {
  switch (comparison) {
    case Comparison::kLess:
      return left < right;
    case Comparison::kLessOrEqual:
      return left <= right;
    case Comparison::kGreater:
      return left > right;
    case Comparison::kGreaterOrEqual:
      return left >= right;
    case Comparison::kEqual:
      return left == right;
    case Comparison::kNotEqual:
      return left != right;
  }
  return false;
}

std::vector<int> NamedAus(const Expression& expression) {
  std::vector<int> aus;
  if (expression.kind == Kind::kNumber && expression.au > 0) aus.push_back(expression.au);
  if (expression.kind == Kind::kNumber && expression.other_au > 0) aus.push_back(expression.other_au);
  for (const Expression& child : expression.children) {
    const std::vector<int> below = NamedAus(child);
    aus.insert(aus.end(), below.begin(), below.end());
  }
  std::sort(aus.begin(), aus.end());
  aus.erase(std::unique(aus.begin(), aus.end()), aus.end());
  return aus;
}

}  // namespace auforge::datasets::query
