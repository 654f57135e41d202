// One table for many pictures: plain CSV, CFEE, EmotioNet's manual and automatic files.
#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <map>
#include <stdexcept>

#include "datasets/labels/internal/importer.h"
#include "datasets/labels/internal/picture_index.h"
#include "datasets/storage/paths.h"

namespace auforge::datasets::labels {
namespace {

namespace fs = std::filesystem;

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr int kLastFacs = 64;

// AU columns of a header, whose names may be 'AU 1', AU01, AU1 or AU1_r.
struct AuColumns {
  std::vector<int> aus;
  std::vector<std::size_t> at;
};
AuColumns FindAus(std::vector<std::string> header) {
  AuColumns columns;
  for (std::size_t i = 0; i < header.size(); ++i) {
    std::string name = header[i];
    std::erase(name, '\'');
    if (name.starts_with("AU") || name.starts_with("au")) {
      const auto au = features::ParseAu(name);
      if (au && *au >= 1 && *au <= kLastFacs) {
        columns.aus.push_back(*au);
        columns.at.push_back(i);
      }
    }
  }
  return columns;
}

std::size_t ColumnNamed(const std::vector<std::string>& header, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (std::find(names.begin(), names.end(), header[i]) != names.end()) return i;
  }
  return header.size();
}

std::string UrlName(const std::string& url) {
  const std::size_t query = url.find_first_of("?#");
  const std::string path = url.substr(0, query);
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// Where a table's pictures are: where the options say, else beside it.
PictureIndex IndexFor(const std::string& path, const LabelOptions& options) {
  if (!options.images.empty()) return PictureIndex(options.images);
  const std::string parent = fs::path(path).parent_path().string();
  return PictureIndex({parent.empty() ? "." : parent});
}

// The schema of a header's columns. Which of two columns of one AU is meant cannot be guessed.
features::AuSchema SchemaOfColumns(const std::string& file, const std::vector<int>& aus) {
  try {
    return features::AuSchema(aus);
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(file + ": the header: " + error.what() + "; leave one column of each AU");
  }
}

// EmotioNet's values: 0, 1 and 999 = not scored.
float Presence(LabelSet& set, const std::string& file, std::size_t line, int au, const std::string& text) {
  const auto value = ParseNumber(text);
  if (value && *value == 0) return 0;
  if (value && *value == 1) return kUngradedIntensity;
  if (!value || *value != 999)
    AddFault(set, file, line, "AU" + std::to_string(au) + " = \"" + text + "\" is none of 0, 1, 999");
  return kMissing;
}

// A table of pictures: its lines, which fields hold AUs, and where the pictures lie.
struct Table {
  std::string file;
  std::vector<std::string> lines;
  std::size_t first = 1;  // line of the first row, counted from 0
  char separator = ',';
  std::size_t width = 0;     // fields of a row
  std::string width_wanted;  // how a message goes on about another number of fields
  AuColumns columns;
  PictureIndex pictures;
};

// With a header in the first line. Sets the schema of `set`.
Table TableOf(const std::string& file, std::vector<std::string> lines, AuColumns columns,
              const LabelOptions& options, LabelSet& set) {
  set.schema = SchemaOfColumns(file, columns.aus);
  Table table{.file = file, .lines = {}, .width_wanted = {}, .columns = {}, .pictures = IndexFor(file, options)};
  table.width = SplitFields(lines.front(), ',').size();
  table.width_wanted = " fields; the header has " + std::to_string(table.width);
  table.lines = std::move(lines);
  table.columns = std::move(columns);
  return table;
}

// Where a value stands, for faults.
struct Cell {
  std::size_t line;
  int au;
  const std::string& text;
};

// What a line says of its picture, besides the AUs.
struct Row {
  std::string name;  // of the picture
  std::string subject;
};

// Adds a picture for each line with the right number of fields; other lines are faults. Of several lines for one
// picture the first counts. row(line, fields): nullopt where the line is none; value(cell): an AU's intensity or
// kMissing.
template <typename RowOf, typename Value>
void ReadRows(Table& table, LabelSet& set, const RowOf& row_of, const Value& value) {
  std::map<std::string, std::size_t> line_of;  // of each picture
  for (std::size_t i = table.first; i < table.lines.size(); ++i) {
    if (table.lines[i].empty()) continue;
    const auto fields = SplitFields(table.lines[i], table.separator);
    if (fields.size() != table.width) {
      AddFault(set, table.file, i + 1, std::to_string(fields.size()) + table.width_wanted);
      continue;
    }
    const std::optional<Row> row = row_of(i + 1, fields);
    if (!row) continue;
    const auto place = table.pictures.Find(row->name, set);
    LabelledImage image{.image = place ? place->file : table.pictures.Expected(row->name),
                        .subject = row->subject,
                        .intensity = {},
                        .landmarks = {},
                        .member = place ? place->member : ""};
    const auto [before, is_first] = line_of.try_emplace(NameOf(image), i + 1);
    if (!is_first) {
      ++set.labelled_twice;
      AddFault(set, table.file, i + 1,
               row->name + " is labelled in line " + std::to_string(before->second) + " already; left out");
      continue;
    }
    for (std::size_t j = 0; j < table.columns.aus.size(); ++j) {
      image.intensity.push_back(value(Cell{i + 1, table.columns.aus[j], fields[table.columns.at[j]]}));
    }
    AddImage(set, std::move(image));
  }
  set.images_without_label = table.pictures.Unused();
}

void FaultOfNumber(LabelSet& set, const std::string& file, const Cell& cell) {
  AddFault(set, file, cell.line, "AU" + std::to_string(cell.au) + " = \"" + cell.text + "\" is no number");
}

// The AUs that a row's reader was not sure of: "AU2 AU15", 1 for all of them, 0 or nothing for none.
struct Doubts {
  bool all = false;
  std::vector<int> aus;
  bool Has(int au) const { return all || std::find(aus.begin(), aus.end(), au) != aus.end(); }
};
Doubts ReadDoubts(LabelSet& set, const std::string& file, std::size_t line, const std::string& text) {
  Doubts doubts;
  for (const std::string& word : SplitBlanks(text)) {
    const auto au = word.starts_with("AU") ? features::ParseAu(word) : std::nullopt;
    if (au) {
      doubts.aus.push_back(*au);
    } else if (word == "1") {
      doubts.all = true;
    } else if (word != "0") {
      AddFault(set, file, line, "doubt \"" + word + "\" is none of 0, 1, AU2; nothing of the row is taken as sure");
      doubts.all = true;
    }
  }
  return doubts;
}

// Levels of a reader who grades in three steps: slight (A to B), marked (C), severe to maximum (D to E).
constexpr std::array<float, 4> kIntensityOfLevel{0, 1.5F, 3, 4.5F};

float IntensityOfLevel(LabelSet& set, const std::string& file, const Cell& cell, double level) {
  for (std::size_t l = 0; l < kIntensityOfLevel.size(); ++l) {
    if (level == static_cast<double>(l)) return kIntensityOfLevel[l];
  }
  AddFault(set, file, cell.line,
           "AU" + std::to_string(cell.au) + " = " + cell.text + " is not a level of 0, 1, 2, 3; left out");
  return kMissing;
}

}  // namespace

LabelSet ImportPlainCsv(const std::string& path, const LabelOptions& options) {
  LabelSet set;
  auto lines = ReadLines(path);
  if (!lines || lines->empty()) NothingFound(path, "a CSV with a header image[,subject],AU1,AU12,...");
  const auto header = SplitFields(lines->front(), ',');
  const std::size_t image = ColumnNamed(header, {"image", "file", "filename", "path", "name"});
  const std::size_t subject = ColumnNamed(header, {"subject", "identity", "person"});
  AuColumns columns = FindAus(header);
  if (image == header.size() || columns.aus.empty())
    NothingFound(path, "a header with a column image and columns AU1, AU12, ...");
  Table table = TableOf(path, std::move(*lines), std::move(columns), options, set);
  const std::size_t doubt = options.drop_doubts ? ColumnNamed(header, {"doubt", "doubts"}) : header.size();
  if (options.drop_doubts && doubt == header.size()) NothingFound(path, "the column doubt that doubt=drop asks for");
  Doubts doubts;  // of the row
  ReadRows(
      table, set,
      [&](std::size_t line, const std::vector<std::string>& fields) -> std::optional<Row> {
        if (doubt < header.size()) doubts = ReadDoubts(set, path, line, fields[doubt]);
        return Row{fields[image], subject < header.size() ? fields[subject] : ""};
      },
      [&](const Cell& cell) {
        if (doubts.Has(cell.au)) return kMissing;
        if (cell.text.empty() || cell.text == "nan" || cell.text == "NaN" || cell.text == "999")
          return kMissing;
        const auto value = ParseNumber(cell.text);
        if (!value) FaultOfNumber(set, path, cell);
        if (!value) return kMissing;
        return options.scale == 3 ? IntensityOfLevel(set, path, cell, *value)
                                  : CheckedIntensity(set, path, cell.line, cell.au, *value);
      });
  return set;
}

LabelSet ImportCfee(const std::string& path, const LabelOptions& options) {
  LabelSet set;
  set.graded = false;
  const std::string file =
      storage::IsFolder(path) ? FirstExisting({Under(path, "AU_annotation_all_subjects.csv")}) : path;
  auto lines = file.empty() ? std::nullopt : ReadLines(file);
  if (!lines || lines->empty())
    NothingFound(path, "AU_annotation_all_subjects.csv, exported from the sheet summary of the .xls");
  const auto header = SplitFields(lines->front(), ',');
  AuColumns columns = FindAus(header);
  if (columns.aus.empty()) {  // columns named by the number alone
    for (std::size_t i = 1; i < header.size(); ++i) {
      if (const auto au = features::ParseAu(header[i])) {
        columns.aus.push_back(*au);
        columns.at.push_back(i);
      }
    }
  }
  if (columns.aus.empty()) NothingFound(file, "a header with AU columns");
  Table table = TableOf(file, std::move(*lines), std::move(columns), options, set);
  ReadRows(
      table, set,
      [&](std::size_t line, const std::vector<std::string>& fields) -> std::optional<Row> {
        std::string name = fields[0];
        if (fs::path(name).extension().empty()) name += ".jpg";
        // EE_SSS_NNNN: emotion, subject, number.
        const auto parts = SplitFields(Stem(name), '_');
        if (parts.size() != 3) {
          AddFault(set, file, line, "\"" + fields[0] + "\" is not named EE_SSS_NNNN");
          return std::nullopt;
        }
        return Row{name, parts[1]};
      },
      [&](const Cell& cell) {
        const auto value = cell.text.empty() ? std::optional<double>(0) : ParseNumber(cell.text);
        if (!value) FaultOfNumber(set, file, cell);
        if (!value) return kMissing;
        return CheckedIntensity(set, file, cell.line, cell.au, *value == 1 ? kUngradedIntensity : *value);
      });
  return set;
}

LabelSet ImportEmotioNetManual(const std::string& path, const LabelOptions& options) {
  LabelSet set;
  set.graded = false;
  auto lines = ReadLines(path);
  const auto header =
      lines && !lines->empty() ? SplitFields(lines->front(), ',') : std::vector<std::string>{};
  AuColumns columns = FindAus(header);
  if (columns.aus.empty() || header[0] != "URL")
    NothingFound(path, "the header URL,URL orig,'AU 1',...,'AU 60'");
  Table table = TableOf(path, std::move(*lines), std::move(columns), options, set);
  ReadRows(
      table, set,
      [](std::size_t, const std::vector<std::string>& fields) -> std::optional<Row> {
        return Row{UrlName(fields[0]), ""};
      },
      [&](const Cell& cell) { return Presence(set, path, cell.line, cell.au, cell.text); });
  return set;
}

LabelSet ImportEmotioNetAutomatic(const std::string& path, const LabelOptions& options) {
  constexpr std::size_t kFirst = 2, kAus = 60;
  LabelSet set;
  set.graded = false;
  auto lines = ReadLines(path);
  if (!lines || lines->empty())
    NothingFound(path, "lines of image URL, original URL and AU1..AU60 between TABs");
  AuColumns columns;
  for (std::size_t j = 0; j < kAus; ++j) {
    columns.aus.push_back(static_cast<int>(j) + 1);
    columns.at.push_back(kFirst + j);
  }
  Table table = TableOf(path, std::move(*lines), std::move(columns), options, set);
  table.first = 0;
  table.separator = '\t';
  table.width = kFirst + kAus;
  table.width_wanted = " fields between TABs; must be 62";
  ReadRows(
      table, set,
      [](std::size_t, const std::vector<std::string>& fields) -> std::optional<Row> {
        return Row{UrlName(fields[0]), ""};
      },
      [&](const Cell& cell) { return Presence(set, path, cell.line, cell.au, cell.text); });
  return set;
}

}  // namespace auforge::datasets::labels
