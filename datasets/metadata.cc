#include <algorithm>
#include <cctype>
#include <cstddef>

#include "datasets/content_kind.h"
#include "datasets/internal/metadata.h"
#include "datasets/internal/shard_layout.h"
#include "datasets/internal/text_encoding.h"
#include "datasets/robots.h"

namespace auforge::datasets {
namespace {

// At most as long as a shard keeps it, cut between two characters.
std::string Kept(std::string text) {
  if (text.size() <= layout::kLongestText) return text;
  std::size_t end = layout::kLongestText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

// "X-Robots-Tag", "x_robots_tag": headers and columns are spelled by many hands.
std::string PlainName(std::string_view name) {
  std::string plain(name);
  for (char& c : plain) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return plain;
}

// Words of lists that say that nothing is known (LAION-400M's "?", what pandas makes of an empty cell).
bool IsUnknownLicence(std::string_view licence) {
  const std::string plain = PlainName(licence);
  return plain == "?" || plain == "unknown" || plain == "none" || plain == "null" || plain == "nan";
}

// Reads one record from left to right, never back, nothing nested that is not skipped by counting.
class RecordReader {
 public:
  explicit RecordReader(std::string_view text) : text_(text) {}

  Metadata Read() {
    SkipSpace();
    if (!Take('{')) return Broken();
    for (;;) {
      SkipSpace();
      while (Take(',')) SkipSpace();
      if (Take('}')) break;
      std::string name;
      if (!AtQuote() || !String(name)) return Broken();
      SkipSpace();
      if (!Take(':')) return Broken();
      SkipSpace();
      if (!Value(name)) return Broken();
      SkipSpace();
      if (Peek() != ',' && Peek() != '}') return Broken();
    }
    SkipSpace();
    found_.is_whole = found_.is_whole && at_ == text_.size();
    return found_;
  }

 private:
  Metadata Broken() {
    found_.is_whole = false;
    return found_;
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool AtQuote() const { return Peek() == '"' || Peek() == '\''; }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    while (at_ < text_.size() && (std::isspace(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '\0')) ++at_;
  }

  // The field that a name belongs to, while nothing stands in it.
  std::string* Field(const std::string& name) {
    const std::string plain = PlainName(name);
    std::string* field = name == "url" ? &found_.url : name == "caption" ? &found_.caption
                         : plain == "license" || plain == "licence" ? &found_.licence : nullptr;
    return field != nullptr && field->empty() ? field : nullptr;
  }

  bool Value(const std::string& name) {
    const std::string plain = PlainName(name);
    if (plain == "robots" || plain == "x_robots_tag") return Directives();
    if (plain == "noai" || plain == "noimageai") return Refusal(plain);
    std::string* field = Field(name);
    if (AtQuote()) {
      std::string value;
      const bool whole = String(value);
      if (field == &found_.licence && IsUnknownLicence(value)) value.clear();
      if (field != nullptr) *field = Kept(std::move(value));
      return whole;
    }
    if (Peek() == '[' && field != nullptr && field != &found_.url) return Texts(*field, " ");
    if (Peek() == '{' || Peek() == '[') return SkipNested();
    return SkipWord();
  }

  // What a site asks of robots: a text, or several.
  bool Directives() {
    std::string value;
    bool whole = true;
    if (AtQuote()) {
      whole = String(value);
    } else if (Peek() == '[') {
      whole = Texts(value, ", ");
    } else {
      whole = Peek() == '{' ? SkipNested() : SkipWord();
    }
    AddRobots(value);
    return whole;
  }

  // "noai": true, 1, "yes"; or false: then it says that nothing is asked. null says nothing.
  bool Refusal(const std::string& directive) {
    std::string value;
    bool whole = true;
    if (AtQuote()) {
      whole = String(value);
    } else if (Peek() == '{' || Peek() == '[') {
      whole = SkipNested();
    } else {
      const std::size_t begin = at_;
      whole = SkipWord();
      value = text_.substr(begin, at_ - begin);
    }
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back())) != 0) value.pop_back();
    const std::string plain = PlainName(value);
    if (plain == "true" || plain == "1" || plain == "yes" || plain == directive) AddRobots(directive);
    if (plain == "false" || plain == "0" || plain == "no") AddRobots(kNothingAsked);
    return whole;
  }

  void AddRobots(std::string_view directives) {
    const std::string plain = PlainDirectives(directives);
    if (plain.empty() || found_.robots.size() >= layout::kLongestText) return;
    found_.robots = Kept(found_.robots.empty() ? plain : found_.robots + ", " + plain);
  }

  // Several texts of one image, one after the other.
  bool Texts(std::string& to, const std::string& between) {
    Take('[');
    for (;;) {
      SkipSpace();
      while (Take(',')) SkipSpace();
      if (Take(']')) return true;
      if (AtQuote()) {
        std::string value;
        const bool whole = String(value);
        if (to.size() < layout::kLongestText && !value.empty()) to = Kept(to.empty() ? value : to + between + value);
        if (!whole) return false;
      } else if (Peek() == '{' || Peek() == '[') {
        if (!SkipNested()) return false;
      } else if (!SkipWord()) {
        return false;
      }
    }
  }

  bool SkipNested() {
    std::size_t depth = 0;
    std::string ignored;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        if (!String(ignored)) return false;
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return true;
    }
    return false;
  }

  // A number, true, null, NaN, -Infinity, None, …: anything up to what can follow a value.
  bool SkipWord() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::string_view(",}]{[\"':").find(text_[at_]) == std::string_view::npos) ++at_;
    return at_ > begin && at_ < text_.size();
  }

  // From quote to quote; false when the text ends before. `to` gets what there is.
  bool String(std::string& to) {
    const char quote = text_[at_++];
    to.clear();
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == quote) return true;
      if (c == '\\') {
        if (at_ < text_.size()) Escape(to);
      } else {
        to += c;
      }
    }
    return false;
  }

  void Escape(std::string& to) {
    const char c = text_[at_++];
    switch (c) {
      case 'b': to += '\b'; return;
      case 'f': to += '\f'; return;
      case 'n': to += '\n'; return;
      case 'r': to += '\r'; return;
      case 't': to += '\t'; return;
      case 'u': return EscapedCharacter(to);
      default: to += c;
    }
  }

  void EscapedCharacter(std::string& to) {
    char32_t c = 0;
    if (!Hex(c)) {
      AppendUtf8(0xFFFD, to);
      return;
    }
    char32_t second = 0;
    const std::size_t before = at_;
    if (c >= 0xD800 && c < 0xDC00 && Take('\\') && Take('u') && Hex(second) && second >= 0xDC00 && second < 0xE000) {
      c = 0x10000 + ((c - 0xD800) << 10) + (second - 0xDC00);
    } else {
      at_ = before;
    }
    AppendUtf8(c, to);
  }

  bool Hex(char32_t& value) {
    if (text_.size() - at_ < 4) return false;
    value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const char c = text_[at_ + i];
      if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return false;
      const int digit = c <= '9' ? c - '0' : std::tolower(c) - 'a' + 10;
      value = value << 4 | static_cast<char32_t>(digit);
    }
    at_ += 4;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Metadata found_;
};

}  // namespace

Metadata ReadCaption(std::string_view bytes) {
  Metadata found;
  const auto head = std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), std::min(bytes.size(), kContentHead));
  const ContentKind kind = TellContent(head);
  const auto controls = std::count_if(head.begin(), head.end(), [](std::uint8_t c) { return c < 0x09 || (c > 0x0D && c < 0x20); });
  // A stray control character makes no caption unreadable; a picture or noise under its name is none.
  found.is_whole = IsTextKind(kind) || (kind.content == Content::kUnknown && static_cast<std::size_t>(controls) <= 1 + head.size() / 10);
  if (!found.is_whole) return found;
  std::string text = Utf8Text(bytes);
  while (!text.empty() && (std::isspace(static_cast<unsigned char>(text.back())) != 0 || text.back() == '\0')) text.pop_back();
  found.caption = Kept(std::move(text));
  return found;
}

Metadata ReadJsonRecord(std::string_view bytes) { return RecordReader(Utf8Text(bytes)).Read(); }

void Fill(const Metadata& found, ImageItem& item) {
  if (item.url.empty()) item.url = found.url;
  if (item.keywords.empty()) item.keywords = found.caption;
  if (item.licence.empty()) item.licence = found.licence;
  if (item.robots.empty()) item.robots = found.robots;
}

}  // namespace auforge::datasets
