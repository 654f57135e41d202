#include "datasets/labels/internal/text_table.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "features/number.h"

namespace auforge::datasets::labels {
namespace {

constexpr std::string_view kSeparators = ",;\t|";
// A quotation mark that is never closed must not swallow the rest of a file.
constexpr std::size_t kLongestRecord = 1U << 20;

std::string_view Trim(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

[[noreturn]] void NoText(const std::string& path, const std::string& what) {
  throw std::runtime_error(path + ": is " + what + "; save it as text in UTF-8");
}

void AppendUtf8(std::uint32_t code, std::string& text) {
  if (code < 0x80) {
    text += static_cast<char>(code);
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr unsigned kLead[] = {0, 0xC0, 0xE0, 0xF0};
  text += static_cast<char>(kLead[more] | (code >> (6 * more)));
  for (int shift = 6 * (more - 1); shift >= 0; shift -= 6) text += static_cast<char>(0x80 | ((code >> shift) & 0x3F));
}

std::string FromUtf16(std::string_view bytes, bool low_first, const std::string& path) {
  std::string text;
  const auto unit = [&](std::size_t i) {
    const auto a = static_cast<unsigned char>(bytes[i]), b = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<std::uint32_t>(low_first ? a | (b << 8) : b | (a << 8));
  };
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    std::uint32_t code = unit(i);
    const bool is_pair = code >= 0xD800 && code < 0xDC00 && i + 3 < bytes.size();
    if (is_pair && unit(i + 2) >= 0xDC00 && unit(i + 2) < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (unit(i + 2) - 0xDC00);
      i += 2;
    }
    if (code == 0 || (code >= 0xD800 && code < 0xE000)) NoText(path, "no text: damaged UTF-16");
    AppendUtf8(code, text);
  }
  if (bytes.size() % 2 != 0) NoText(path, "no text: UTF-16 of an odd number of bytes");
  return text;
}

// Text with a zero in every other byte is UTF-16 without a byte order mark.
bool HasZeroAtEveryOther(std::string_view bytes, std::size_t first) {
  if (bytes.size() < 4) return false;
  for (std::size_t i = 0; i + 1 < std::min<std::size_t>(bytes.size(), 64); i += 2) {
    if (bytes[i + first] != 0 || bytes[i + 1 - first] == 0) return false;
  }
  return true;
}

std::string Decode(std::string bytes, const std::string& path) {
  using namespace std::string_view_literals;
  const std::string_view all = bytes;
  if (all.starts_with("\xEF\xBB\xBF")) return Decode(bytes.substr(3), path);
  if (all.starts_with("\xFF\xFE\0\0"sv) || all.starts_with("\0\0\xFE\xFF"sv)) NoText(path, "in UTF-32");
  if (all.starts_with("\xFF\xFE")) return FromUtf16(all.substr(2), true, path);
  if (all.starts_with("\xFE\xFF")) return FromUtf16(all.substr(2), false, path);
  if (all.starts_with("\x1F\x8B") || all.starts_with("\x28\xB5\x2F\xFD")) NoText(path, "packed (gzip or zstd)");
  if (all.starts_with("PK\x03\x04") || all.starts_with("\xD0\xCF\x11\xE0")) NoText(path, "a workbook or an archive");
  if (HasZeroAtEveryOther(all, 1)) return FromUtf16(all, true, path);
  if (HasZeroAtEveryOther(all, 0)) return FromUtf16(all, false, path);
  if (all.find('\0') != std::string_view::npos) NoText(path, "no text: it holds bytes of zero");
  return bytes;
}

// One record of `text` from `at` on; moves `at` behind its end and `line` by the lines that it takes.
class RecordReader {
 public:
  RecordReader(std::string_view text, char separator) : text_(text), separator_(separator) {}

  bool AtEnd() const { return at_ >= text_.size(); }

  TableRow Next() {
    TableRow row;
    row.line = line_;
    const std::size_t begin = at_;
    if (!Read(row.fields, true)) {
      at_ = begin;
      line_ = row.line;
      row.fields.clear();
      Read(row.fields, false);
    }
    return row;
  }

 private:
  // False where a quotation mark is not closed.
  bool Read(std::vector<std::string>& fields, bool with_quotes) {
    const std::size_t begin = at_;
    std::string field;
    bool is_quoted = false, was_quoted = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (is_quoted) {
        if (at_ - begin > kLongestRecord) return false;
        if (c == '"' && at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
          field += text_[++at_];
        } else if (c == '"') {
          is_quoted = false;
        } else {
          if (IsLineEnd()) ++line_;
          field += c;
        }
      } else if (c == '"' && with_quotes && !was_quoted && Trim(field).empty()) {
        field.clear();
        is_quoted = was_quoted = true;
      } else if (c == separator_) {
        fields.emplace_back(Trim(field));
        field.clear();
        was_quoted = false;
      } else if (c == '\n' || c == '\r') {
        break;
      } else {
        field += c;
      }
    }
    if (is_quoted) return false;
    fields.emplace_back(Trim(field));
    if (at_ + 1 < text_.size() && text_[at_] == '\r' && text_[at_ + 1] == '\n') ++at_;
    ++at_;
    ++line_;
    return true;
  }
  // \r\n is one end, counted at its \n.
  bool IsLineEnd() const {
    return text_[at_] == '\n' || (text_[at_] == '\r' && !(at_ + 1 < text_.size() && text_[at_ + 1] == '\n'));
  }

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0, line_ = 1;
};

bool IsEmpty(const TableRow& row) { return row.fields.size() == 1 && row.fields.front().empty(); }

std::string NameOf(char separator) {
  return separator == '\t' ? "tabs" : separator == ';' ? "semicolons" : separator == ',' ? "commas" : "bars";
}

// The first row that is not empty.
TableRow FirstRow(std::string_view text, char separator) {
  for (RecordReader reader(text, separator); !reader.AtEnd();) {
    TableRow row = reader.Next();
    if (!IsEmpty(row)) return row;
  }
  return {};
}

char SeparatorOf(std::string_view text, const std::string& path) {
  char best = ',', rival = 0;
  std::size_t most = 1;
  for (const char separator : kSeparators) {
    const std::size_t fields = FirstRow(text, separator).fields.size();
    if (fields > most) {
      most = fields;
      best = separator;
      rival = 0;
    } else if (fields == most && fields > 1) {
      rival = separator;
    }
  }
  if (rival != 0) {
    throw std::runtime_error(path + ": its first line has as many " + NameOf(best) + " as " + NameOf(rival) +
                             "; which of them stand between fields cannot be told: write a first line sep=" + best);
  }
  return best;
}

// "sep=;" as the first row of all.
std::optional<char> SaidSeparator(const TableRow& row) {
  if (row.fields.size() != 1 || row.fields[0].size() > 5) return std::nullopt;
  const std::string& text = row.fields[0];
  if (!text.starts_with("sep=") && !text.starts_with("SEP=")) return std::nullopt;
  const char said = text.size() == 5 ? text[4] : '\t';  // blanks at the end are trimmed away
  return kSeparators.find(said) != std::string_view::npos ? std::optional(said) : std::nullopt;
}

}  // namespace

std::optional<std::string> ReadText(const std::string& path) {
  std::error_code error;
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path, error)) return std::nullopt;
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return std::nullopt;
  return Decode(std::move(bytes), path);
}

std::optional<std::vector<std::string>> ReadLines(const std::string& path) {
  const auto text = ReadText(path);
  if (!text) return std::nullopt;
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find_first_of("\r\n", at), text->size());
    lines.push_back(text->substr(at, end - at));
    at = end + (text->compare(end, 2, "\r\n") == 0 ? 2 : 1);
  }
  return lines;
}

std::vector<std::string> SplitFields(std::string_view line, char separator) {
  return RecordReader(line, separator).Next().fields;
}

std::vector<std::string> SplitBlanks(std::string_view line) {
  std::vector<std::string> fields;
  while (!(line = Trim(line)).empty()) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    fields.emplace_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return fields;
}

std::optional<TextTable> ReadTable(const std::string& path) {
  const auto text = ReadText(path);
  if (!text) return std::nullopt;
  TextTable table;
  table.file = path;
  constexpr char kInNoText = '\0';  // the first line as it is
  const auto said = SaidSeparator(FirstRow(*text, kInNoText));
  table.separator = said ? *said : SeparatorOf(*text, path);
  bool is_said = said.has_value();
  for (RecordReader reader(*text, table.separator); !reader.AtEnd();) {
    TableRow row = reader.Next();
    if (IsEmpty(row)) continue;
    if (!is_said) table.rows.push_back(std::move(row));
    is_said = false;
  }
  return table;
}

std::optional<double> NumberOf(std::string_view field, char separator) {
  if (separator == ',' || std::count(field.begin(), field.end(), ',') != 1) return features::ParseNumber(field);
  std::string point(field);
  std::replace(point.begin(), point.end(), ',', '.');
  return features::ParseNumber(point);
}

}  // namespace auforge::datasets::labels
