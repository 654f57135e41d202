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
#include "features/number.h"

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
AuColumns FindAus(const std::vector<std::string>& header) {
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

// A table of pictures: its rows, which fields hold AUs, and where the pictures lie.
struct PictureTable {
  TextTable text;
  std::size_t first = 1;     // row of the first picture
  std::size_t width = 0;     // fields of a row
  std::string width_wanted;  // how a message goes on about another number of fields
  AuColumns columns;
  PictureIndex pictures;
};

// With a header in the first row. Sets the schema of `set`.
PictureTable TableOf(TextTable text, AuColumns columns, const LabelOptions& options, LabelSet& set) {
  set.schema = SchemaOfColumns(text.file, columns.aus);
  PictureTable table{
      .text = {}, .width_wanted = {}, .columns = std::move(columns), .pictures = IndexFor(text.file, options)};
  table.width = text.rows.front().fields.size();
  table.width_wanted = " fields; the header has " + std::to_string(table.width);
  table.text = std::move(text);
  return table;
}

// The table with its header. Throws std::runtime_error saying what was looked for where there is none.
TextTable TableWithHeader(const std::string& path, const std::string& looked_for) {
  auto table = ReadTable(path);
  if (!table || table->rows.empty()) NothingFound(path, looked_for);
  return std::move(*table);
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

// Adds a picture for each row with the right number of fields; other rows are faults. Of several rows for one
// picture the first counts. row_of(row): nullopt where the row is none; value(cell): an AU's intensity or kMissing.
template <typename RowOf, typename Value>
void ReadRows(PictureTable& table, LabelSet& set, const RowOf& row_of, const Value& value) {
  std::map<std::string, std::size_t> line_of;  // of each picture
  for (std::size_t i = table.first; i < table.text.rows.size(); ++i) {
    const auto& [line, fields] = table.text.rows[i];
    if (fields.size() != table.width) {
      AddFault(set, table.text.file, line, std::to_string(fields.size()) + table.width_wanted);
      continue;
    }
    const std::optional<Row> row = row_of(table.text.rows[i]);
    if (!row) continue;
    const auto place = table.pictures.Find(row->name, set);
    LabelledImage image{.image = place ? place->file : table.pictures.Expected(row->name),
                        .subject = row->subject,
                        .intensity = {},
                        .landmarks = {},
                        .member = place ? place->member : ""};
    const auto [before, is_first] = line_of.try_emplace(NameOf(image), line);
    if (!is_first) {
      ++set.labelled_twice;
      AddFault(set, table.text.file, line,
               row->name + " is labelled in line " + std::to_string(before->second) + " already; left out");
      continue;
    }
    for (std::size_t j = 0; j < table.columns.aus.size(); ++j) {
      image.intensity.push_back(value(Cell{line, table.columns.aus[j], fields[table.columns.at[j]]}));
    }
    AddImage(set, std::move(image));
  }
  set.images_without_label = table.pictures.Unused();
}

// EmotioNet's two files: a picture by the name that its URL ends in; 0, 1 and 999 = not scored.
void ReadEmotioNet(PictureTable& table, LabelSet& set) {
  ReadRows(
      table, set, [](const TableRow& row) -> std::optional<Row> { return Row{UrlName(row.fields[0]), ""}; },
      [&](const Cell& cell) {
        const auto value = features::ParseNumber(cell.text);
        if (value && *value == 0) return 0.0F;
        if (value && *value == 1) return kUngradedIntensity;
        if (!value || *value != 999) {
          AddFault(set, table.text.file, cell.line,
                   "AU" + std::to_string(cell.au) + " = \"" + cell.text + "\" is none of 0, 1, 999");
        }
        return kMissing;
      });
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

float IntensityOfLevel(LabelSet& set, const TextTable& table, const Cell& cell) {
  if (IsUnknown(cell.text)) return kMissing;
  const auto level = NumberOf(cell.text, table.separator);
  for (std::size_t l = 0; l < kIntensityOfLevel.size(); ++l) {
    if (level == static_cast<double>(l)) return kIntensityOfLevel[l];
  }
  AddFault(set, table.file, cell.line,
           "AU" + std::to_string(cell.au) + " = " + cell.text +
               (level ? " is not a level of 0, 1, 2, 3; left out" : " is no number"));
  return kMissing;
}

}  // namespace

LabelSet ImportPlainCsv(const std::string& path, const LabelOptions& options) {
  LabelSet set = EmptySet(options);
  TextTable text = TableWithHeader(path, "a CSV with a header image[,subject],AU1,AU12,...");
  const std::vector<std::string> header = text.rows.front().fields;
  const std::size_t image = ColumnNamed(header, {"image", "file", "filename", "path", "name"});
  const std::size_t subject = ColumnNamed(header, {"subject", "identity", "person"});
  AuColumns columns = FindAus(header);
  if (image == header.size() || columns.aus.empty()) {
    NothingFound(path, "a header with a column image and columns AU1, AU12, ..., with commas, semicolons or tabs "
                       "between them");
  }
  PictureTable table = TableOf(std::move(text), std::move(columns), options, set);
  const std::size_t doubt = options.drop_doubts ? ColumnNamed(header, {"doubt", "doubts"}) : header.size();
  if (options.drop_doubts && doubt == header.size()) NothingFound(path, "the column doubt that doubt=drop asks for");
  Doubts doubts;  // of the row
  ReadRows(
      table, set,
      [&](const TableRow& row) -> std::optional<Row> {
        if (doubt < header.size()) doubts = ReadDoubts(set, path, row.line, row.fields[doubt]);
        return Row{row.fields[image], subject < header.size() ? row.fields[subject] : ""};
      },
      [&](const Cell& cell) {
        if (doubts.Has(cell.au)) return kMissing;
        return options.scale == 3 ? IntensityOfLevel(set, table.text, cell)
                                  : IntensityOf(set, table.text, cell.line, cell.au, cell.text);
      });
  return set;
}

LabelSet ImportCfee(const std::string& path, const LabelOptions& options) {
  LabelSet set = EmptySet(options);
  set.graded = false;
  const std::string inside = FirstExisting({Under(path, "AU_annotation_all_subjects.csv")});
  const std::string file = inside.empty() ? path : inside;
  TextTable text = TableWithHeader(file, "AU_annotation_all_subjects.csv, exported from the sheet summary of the .xls");
  const std::vector<std::string>& header = text.rows.front().fields;
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
  PictureTable table = TableOf(std::move(text), std::move(columns), options, set);
  ReadRows(
      table, set,
      [&](const TableRow& row) -> std::optional<Row> {
        std::string name = row.fields[0];
        if (fs::path(name).extension().empty()) name += ".jpg";
        // EE_SSS_NNNN: emotion, subject, number.
        const auto parts = SplitFields(Stem(name), '_');
        if (parts.size() != 3) {
          AddFault(set, file, row.line, "\"" + row.fields[0] + "\" is not named EE_SSS_NNNN");
          return std::nullopt;
        }
        return Row{name, parts[1]};
      },
      [&](const Cell& cell) {
        if (cell.text.empty()) return 0.0F;
        const float value = IntensityOf(set, table.text, cell.line, cell.au, cell.text);
        return value == 1 ? kUngradedIntensity : value;
      });
  return set;
}

LabelSet ImportEmotioNetManual(const std::string& path, const LabelOptions& options) {
  LabelSet set = EmptySet(options);
  set.graded = false;
  constexpr const char* kLookedFor = "the header URL,URL orig,'AU 1',...,'AU 60'";
  TextTable text = TableWithHeader(path, kLookedFor);
  AuColumns columns = FindAus(text.rows.front().fields);
  if (columns.aus.empty() || text.rows.front().fields[0] != "URL") NothingFound(path, kLookedFor);
  PictureTable table = TableOf(std::move(text), std::move(columns), options, set);
  ReadEmotioNet(table, set);
  return set;
}

LabelSet ImportEmotioNetAutomatic(const std::string& path, const LabelOptions& options) {
  constexpr std::size_t kFirst = 2, kAus = 60;
  LabelSet set = EmptySet(options);
  set.graded = false;
  AuColumns columns;
  for (std::size_t j = 0; j < kAus; ++j) {
    columns.aus.push_back(static_cast<int>(j) + 1);
    columns.at.push_back(kFirst + j);
  }
  PictureTable table = TableOf(TableWithHeader(path, "lines of image URL, original URL and AU1..AU60 between TABs"),
                               std::move(columns), options, set);
  table.first = 0;
  table.width = kFirst + kAus;
  table.width_wanted = " fields between TABs; must be 62";
  ReadEmotioNet(table, set);
  return set;
}

}  // namespace auforge::datasets::labels
