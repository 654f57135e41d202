// Text to expression: a parser by recursive descent; the grammar is in docs/using-the-crawl.md.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>
#include <utility>

#include "datasets/query/expression.h"
#include "datasets/query/internal/expression_words.h"
#include "datasets/query/nearest.h"
#include "features/au_schema.h"
#include "features/number.h"

namespace auforge::datasets::query {
namespace {

using Kind = Expression::Kind;

bool IsWordCharacter(char c) {
  // Bytes of UTF-8 beyond ASCII are letters of words.
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

Expression Number(Field field, int au, Comparison comparison, float value, std::size_t column) {
  Expression term;
  term.kind = Kind::kNumber;
  term.field = field;
  term.au = au;
  term.comparison = comparison;
  term.value = value;
  term.column = column;
  return term;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Expression Parse() {
    SkipSpace();
    if (at_ == text_.size()) return {};
    Expression whole = Either(0);
    if (at_ < text_.size()) {
      if (text_[at_] == ')') Fail("\")\" without its \"(\"");
      Fail("expected & or | before " + Here());
    }
    return whole;
  }

 private:
  [[noreturn]] void Fail(const std::string& message, std::size_t at) const {
    throw ExpressionError(message, at + 1);
  }
  [[noreturn]] void Fail(const std::string& message) const { Fail(message, at_); }

  std::string Here() const {
    if (at_ == text_.size()) return "the end";
    std::size_t end = at_ + 1;
    while (IsWordCharacter(text_[at_]) && end < text_.size() && IsWordCharacter(text_[end]) && end - at_ < 24)
      ++end;
    return "\"" + std::string(text_.substr(at_, end - at_)) + "\"";
  }

  void SkipSpace() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  // Steps over a symbol and the space behind it.
  bool Take(std::string_view symbol) {
    if (!text_.substr(at_).starts_with(symbol)) return false;
    at_ += symbol.size();
    SkipSpace();
    return true;
  }
  // Steps over a word that is an operator ("and").
  bool TakeWord(std::string_view word) {
    if (LowerCase(text_.substr(at_, word.size())) != word) return false;
    const std::size_t end = at_ + word.size();
    if (end < text_.size() && IsWordCharacter(text_[end])) return false;
    at_ = end;
    SkipSpace();
    return true;
  }

  Expression Either(int depth) { return Chain(Kind::kOr, depth); }

  // a | b | c, or a & b & c.
  Expression Chain(Kind kind, int depth) {
    const bool is_or = kind == Kind::kOr;
    const auto operand = [&] { return is_or ? Chain(Kind::kAnd, depth) : Not(depth); };
    Expression first = operand();
    Expression chain;
    chain.kind = kind;
    chain.column = first.column;
    const auto go_on = [&] {
      return is_or ? Take("||") || Take("|") || TakeWord("or") : Take("&&") || Take("&") || TakeWord("and");
    };
    while (go_on()) {
      if (chain.children.empty()) chain.children.push_back(std::move(first));
      chain.children.push_back(operand());
    }
    return chain.children.empty() ? first : chain;
  }

  Expression Not(int depth) {
    if (depth > kDeepestNesting) Fail("nested more than " + std::to_string(kDeepestNesting) + " deep");
    const std::size_t begin = at_;
    const bool is_unequal = text_.substr(at_).starts_with("!=");
    if (!is_unequal && (Take("!") || TakeWord("not"))) {
      Expression negation;
      negation.kind = Kind::kNot;
      negation.column = begin + 1;
      negation.children.push_back(Not(depth + 1));
      return negation;
    }
    if (!Take("(")) return Term();
    Expression inner = Either(depth + 1);
    if (!Take(")"))
      Fail("expected \")\" for the \"(\" at column " + std::to_string(begin + 1) + " before " + Here());
    return inner;
  }

  Expression Term() {
    const std::size_t begin = at_;
    if (++terms_ > kMostTerms) Fail("more than " + std::to_string(kMostTerms) + " terms");
    const std::string word = TakeWordText();
    if (word.empty()) Fail("expected an Action Unit, a field or \"(\" before " + Here());
    const std::string lower = LowerCase(word);
    if (std::find(kTextFields.begin(), kTextFields.end(), lower) != kTextFields.end())
      return TextTerm(lower, begin);
    for (const auto& [name, kind] : kFlags) {
      if (lower == name) return Flag(kind, begin);
    }
    if (lower == "duplicate") return DuplicateOf(begin);
    return NumberTerm(OperandOf(word, begin), begin);
  }

  std::string TakeWordText() {
    std::size_t end = at_;
    while (end < text_.size() && IsWordCharacter(text_[end])) ++end;
    const std::string word(text_.substr(at_, end - at_));
    at_ = end;
    return word;
  }

  // What has a number: a field, or one of an Action Unit's.
  struct Operand {
    Field field = Field::kQuality;
    int au = 0;
    std::string name;
    bool may_stand_alone = false;  // and then means "is present"
  };

  static bool IsNumberField(const std::string& word) {
    const std::string lower = LowerCase(word);
    const bool is_au =
        lower.starts_with("au") && lower.size() > 2 && std::isdigit(static_cast<unsigned char>(lower[2])) != 0;
    return is_au || std::any_of(kFields.begin(), kFields.end(), [&](const NamedField& f) { return f.name == lower; });
  }

  // word: already stepped over; it began at `begin`.
  Operand OperandOf(const std::string& word, std::size_t begin) {
    const std::string lower = LowerCase(word);
    for (const NamedField& field : kFields) {
      if (field.name == lower) return {field.field, 0, std::string(field.name), false};
    }
    if (IsNumberField(word)) return AuOperand(word, begin);
    FailUnknown(word, begin);
  }

  [[noreturn]] void FailUnknown(const std::string& word, std::size_t begin) const {
    std::vector<std::string> words{"AU12"};
    for (const NamedField& field : kFields) words.emplace_back(field.name);
    for (const std::string_view field : kTextFields) words.emplace_back(field);
    for (const auto& [name, kind] : kFlags) words.emplace_back(name);
    words.emplace_back("duplicate");
    const std::string nearest = Nearest(word, words);
    Fail("\"" + word.substr(0, 40) + "\" is not a field" +
             (nearest.empty() || nearest == "AU12"
                  ? "; there are AU1 … AU64, quality, score, yaw, pitch, roll, size, "
                    "face, emotion_score, noai, near_duplicate, duplicate of, emotion:, emotion_rule:, keyword:, source:, licence:, robots:"
                  : "; did you mean " + nearest + "?"),
         begin);
  }

  Operand AuOperand(const std::string& word, std::size_t begin) {
    const std::optional<int> number = features::ParseAu(word);
    if (!number || features::AuName(*number).empty()) {
      std::vector<std::string> known;
      for (int au = 1; au <= 64; ++au) {
        if (!features::AuName(au).empty()) known.push_back("AU" + std::to_string(au));
      }
      const std::string nearest = Nearest(word, known);
      Fail(word.substr(0, 40) + " is not an Action Unit of FACS" +
               (nearest.empty() ? "" : "; did you mean " + nearest + "?"),
           begin);
    }
    Operand operand{Field::kAuIntensity, *number, word, true};
    if (at_ >= text_.size() || text_[at_] != '.') return operand;
    const std::size_t dot = at_++;
    operand.may_stand_alone = false;
    if (TakeWord("probability") || TakeWord("p")) {
      operand.field = Field::kAuProbability;
    } else if (TakeWord("present")) {
      operand.field = Field::kAuPresent;
      operand.may_stand_alone = true;
    } else if (TakeWord("left") || TakeWord("right")) {
      operand.field = LowerCase(text_.substr(dot + 1, 4)) == "left" ? Field::kAuLeft : Field::kAuRight;
      if (!features::AuHasSides(*number))
        Fail(word + " has no sides: it is one movement of the whole face", dot);
    } else if (!TakeWord("intensity")) {
      Fail("expected .probability, .present, .intensity, .left or .right behind " + word, dot);
    }
    return operand;
  }

  // Needs a comparison unless the term alone means "is present".
  Expression NumberTerm(const Operand& left, std::size_t begin) {
    SkipSpace();
    const float added = TakeSummand();
    for (const auto& [symbol, comparison] : kComparisons) {
      if (!Take(symbol)) continue;
      if (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_])) != 0)
        return Against(left, comparison, added, begin);
      const std::size_t number = at_;
      const float low = TakeNumber(symbol) - added;
      if (!std::isfinite(low)) Fail("the numbers are too large", number);
      const std::size_t dots = at_;
      if (!Take("..")) return Number(left.field, left.au, comparison, low, begin + 1);
      if (comparison != Comparison::kEqual) Fail("a range is written with \"=\": " + left.name + "=1..3", dots);
      const float high = TakeNumber("..") - added;
      if (!std::isfinite(high)) Fail("the numbers are too large", dots);
      return And(Number(left.field, left.au, Comparison::kGreaterOrEqual, low, begin + 1),
                 Number(left.field, left.au, Comparison::kLessOrEqual, high, begin + 1));
    }
    if (!left.may_stand_alone || added != 0)
      Fail("expected >=, <=, >, <, = or != behind " + left.name + ", found " + Here());
    return Number(Field::kAuPresent, left.au, Comparison::kGreaterOrEqual, 1, begin + 1);
  }

  // left + added compared with another field and what is added to that.
  Expression Against(const Operand& left, Comparison comparison, float added, std::size_t begin) {
    const std::size_t right_begin = at_;
    const std::string found = Here(), word = TakeWordText();
    if (!IsNumberField(word))
      Fail("expected a number, an Action Unit or a field with a number, found " + found, right_begin);
    const Operand right = OperandOf(word, right_begin);
    SkipSpace();
    const float value = TakeSummand() - added;
    if (!std::isfinite(value)) Fail("the numbers are too large", right_begin);
    Expression term = Number(left.field, left.au, comparison, value, begin + 1);
    term.against = true;
    term.other = right.field;
    term.other_au = right.au;
    return term;
  }

  // "+ 1", "- 0.5", or nothing: 0.
  float TakeSummand() {
    const bool is_minus = at_ < text_.size() && text_[at_] == '-';
    if (!is_minus && (at_ >= text_.size() || text_[at_] != '+')) return 0;
    Take(is_minus ? "-" : "+");
    if (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_])) != 0)
      Fail("only numbers are added; two fields are compared, as in AU12.left > AU12.right + 1");
    const float value = TakeNumber(is_minus ? "-" : "+");
    return is_minus ? -value : value;
  }

  float TakeNumber(std::string_view behind) {
    std::size_t end = at_;
    const auto is_part = [&](std::size_t i) {
      const char c = text_[i];
      if (c == '.') return i + 1 >= text_.size() || text_[i + 1] != '.';
      return std::isdigit(static_cast<unsigned char>(c)) != 0 || (i == at_ && (c == '-' || c == '+'));
    };
    while (end < text_.size() && is_part(end)) ++end;
    const auto number = features::ParseNumber(text_.substr(at_, end - at_));
    const float value = static_cast<float>(number.value_or(INFINITY));
    if (!std::isfinite(value)) Fail("expected a number behind \"" + std::string(behind) + "\", found " + Here());
    at_ = end;
    SkipSpace();
    return value;
  }

  Expression Flag(Kind kind, std::size_t begin) {
    SkipSpace();
    Expression term;
    term.kind = kind;
    term.column = begin + 1;
    return term;
  }

  // "duplicate of KEY", as a sentence.
  Expression DuplicateOf(std::size_t begin) {
    SkipSpace();
    if (!TakeWord("of")) Fail("expected \"of\" and an image's key behind duplicate, found " + Here());
    Expression term;
    term.kind = Kind::kDuplicateOf;
    term.column = begin + 1;
    term.text = TakeText("duplicate of");
    return term;
  }

  Expression TextTerm(const std::string& field, std::size_t begin) {
    SkipSpace();
    if (!Take(":") && !Take("==") && !Take("=")) Fail("expected \":\" behind " + field + ", found " + Here());
    Expression term;
    term.kind = field == "emotion"        ? Kind::kEmotion
                : field == "emotion_rule" ? Kind::kEmotionRule
                : field == "keyword"      ? Kind::kKeyword
                : field == "robots"       ? Kind::kRobots
                : field.starts_with("licen") ? Kind::kLicence
                                          : Kind::kSource;
    term.column = begin + 1;
    term.text = TakeText(field);
    return term;
  }

  std::string TakeText(const std::string& field) {
    std::string value;
    const std::size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '"') {
      for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        value += text_[at_];
      }
      if (at_ == text_.size()) Fail("the quotation mark is never closed", begin);
      ++at_;
    } else {
      const std::string_view others = field == "duplicate of" ? "*?-./%+@':#" : "*?-./%+@'";  // of keys, too
      const auto is_part = [others](char c) {
        return IsWordCharacter(c) || others.find(c) != std::string_view::npos;
      };
      while (at_ < text_.size() && is_part(text_[at_])) value += text_[at_++];
    }
    if (value.empty()) Fail("expected a word or \"several words\" behind " + field + ", found " + Here());
    SkipSpace();
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t terms_ = 0;
};

}  // namespace

Expression ParseExpression(std::string_view text) {
  if (text.size() > kLongestExpression) {
    throw ExpressionError("the expression is longer than " + std::to_string(kLongestExpression) + " bytes",
                          kLongestExpression + 1);
  }
  return Parser(text).Parse();
}

}  // namespace auforge::datasets::query
