// Text files as people's programs write them: UTF-8 or UTF-16, lines that end in \n, \r\n or \r, fields between
// commas, semicolons, tabs or bars, in quotes or not.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auforge::datasets::labels {

// The file as UTF-8 without a byte order mark; nullopt when it cannot be read. Throws std::runtime_error naming the
// file and what it is where that is no text: another encoding, a packed file, a workbook.
std::optional<std::string> ReadText(const std::string& path);
// Its lines without their ends.
std::optional<std::vector<std::string>> ReadLines(const std::string& path);

// Fields of one line. Quotes around a field are removed ("" inside them is one quote), and so are blanks around it; a
// quote that does not begin a field is a character like any other.
std::vector<std::string> SplitFields(std::string_view line, char separator);
// Fields between runs of blanks.
std::vector<std::string> SplitBlanks(std::string_view line);

struct TableRow {
  std::size_t line = 0;  // on which it begins, from 1
  std::vector<std::string> fields;
};
struct TextTable {
  std::string file;
  char separator = ',';
  std::vector<TableRow> rows;  // the header, where there is one, is the first; empty lines are left out
};
// What stands between the fields is seen in the first row, or said there ("sep=;", as Excel does). Fields in quotes
// may go over several lines. nullopt when the file cannot be read; throws std::runtime_error as ReadText does, and
// where two separators would do equally well.
std::optional<TextTable> ReadTable(const std::string& path);

// A field of the table as a number. A decimal comma is one where commas do not stand between fields.
std::optional<double> NumberOf(std::string_view field, char separator);

}  // namespace auforge::datasets::labels
