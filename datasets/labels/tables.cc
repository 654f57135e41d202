// One table for many pictures: plain CSV, CFEE, EmotioNet's manual and automatic files.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>

#include "datasets/labels/internal/importer.h"

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

// Pictures below a folder by their name, for tables that name no folders.
std::map<std::string, std::string> PicturesByName(const std::string& folder) {
  std::map<std::string, std::string> found;
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(folder, error); it != fs::recursive_directory_iterator();
       it.increment(error)) {
    if (error) break;
    if (it->is_regular_file()) found.emplace(it->path().filename().string(), it->path().string());
  }
  return found;
}

// The picture of a table's row: in the folder, by its whole path or by its name.
std::string Locate(const std::map<std::string, std::string>& pictures, const std::string& folder,
                   const std::string& name) {
  const std::string direct = Under(folder, name);
  if (fs::is_regular_file(direct)) return direct;
  const auto at = pictures.find(fs::path(name).filename().string());
  return at == pictures.end() ? direct : at->second;
}

std::string FolderOf(const std::string& path, const LabelOptions& options) {
  if (!options.images.empty()) return options.images;
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
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
  std::string folder;
  std::map<std::string, std::string> pictures;  // by name
};

// With a header in the first line. Sets the schema of `set`.
Table TableOf(const std::string& file, std::vector<std::string> lines, AuColumns columns,
              const LabelOptions& options, LabelSet& set) {
  set.schema = SchemaOfColumns(file, columns.aus);
  Table table;
  table.file = file;
  table.width = SplitFields(lines.front(), ',').size();
  table.width_wanted = " fields; the header has " + std::to_string(table.width);
  table.lines = std::move(lines);
  table.columns = std::move(columns);
  table.folder = FolderOf(file, options);
  table.pictures = PicturesByName(table.folder);
  return table;
}

// Where a value stands, for faults.
struct Cell {
  std::size_t line;
  int au;
  const std::string& text;
};

// Adds a picture for each line with the right number of fields; other lines are faults.
// picture(line, fields): the row without its AUs, or nothing; value(cell): an AU's intensity or kMissing.
template <typename Picture, typename Value>
void ReadRows(const Table& table, LabelSet& set, const Picture& picture, const Value& value) {
  for (std::size_t i = table.first; i < table.lines.size(); ++i) {
    if (table.lines[i].empty()) continue;
    const auto fields = SplitFields(table.lines[i], table.separator);
    if (fields.size() != table.width) {
      AddFault(set, table.file, i + 1, std::to_string(fields.size()) + table.width_wanted);
      continue;
    }
    std::optional<LabelledImage> row = picture(i + 1, fields);
    if (!row) continue;
    for (std::size_t j = 0; j < table.columns.aus.size(); ++j) {
      row->intensity.push_back(value(Cell{i + 1, table.columns.aus[j], fields[table.columns.at[j]]}));
    }
    AddImage(set, std::move(*row));
  }
}

void CountUnlabelled(const std::map<std::string, std::string>& pictures, const LabelSet& before,
                     LabelSet& set) {
  std::set<std::string> used;
  for (const LabelledImage& image : before.images) used.insert(image.image);
  for (const auto& [name, path] : pictures) {
    const std::string extension = fs::path(path).extension().string();
    const bool picture =
        extension == ".jpg" || extension == ".jpeg" || extension == ".png" || extension == ".JPG";
    if (picture && !used.contains(path)) ++set.images_without_label;
  }
}

void FaultOfNumber(LabelSet& set, const std::string& file, const Cell& cell) {
  AddFault(set, file, cell.line, "AU" + std::to_string(cell.au) + " = \"" + cell.text + "\" is no number");
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
  const Table table = TableOf(path, std::move(*lines), std::move(columns), options, set);
  ReadRows(
      table, set,
      [&](std::size_t, const std::vector<std::string>& fields) -> std::optional<LabelledImage> {
        return LabelledImage{Locate(table.pictures, table.folder, fields[image]),
                             subject < header.size() ? fields[subject] : "",
                             {},
                             {}};
      },
      [&](const Cell& cell) {
        if (cell.text.empty() || cell.text == "nan" || cell.text == "NaN" || cell.text == "999")
          return kMissing;
        const auto value = ParseNumber(cell.text);
        if (!value) FaultOfNumber(set, path, cell);
        return value ? CheckedIntensity(set, path, cell.line, cell.au, *value) : kMissing;
      });
  CountUnlabelled(table.pictures, set, set);
  return set;
}

LabelSet ImportCfee(const std::string& path, const LabelOptions& options) {
  LabelSet set;
  set.graded = false;
  const std::string file =
      fs::is_directory(path) ? FirstExisting({Under(path, "AU_annotation_all_subjects.csv")}) : path;
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
  const Table table = TableOf(file, std::move(*lines), std::move(columns), options, set);
  ReadRows(
      table, set,
      [&](std::size_t line, const std::vector<std::string>& fields) -> std::optional<LabelledImage> {
        std::string name = fields[0];
        if (fs::path(name).extension().empty()) name += ".jpg";
        // EE_SSS_NNNN: emotion, subject, number.
        const auto parts = SplitFields(Stem(name), '_');
        if (parts.size() != 3) {
          AddFault(set, file, line, "\"" + fields[0] + "\" is not named EE_SSS_NNNN");
          return std::nullopt;
        }
        return LabelledImage{Locate(table.pictures, table.folder, name), parts[1], {}, {}};
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
  const Table table = TableOf(path, std::move(*lines), std::move(columns), options, set);
  ReadRows(
      table, set,
      [&](std::size_t, const std::vector<std::string>& fields) -> std::optional<LabelledImage> {
        return LabelledImage{Locate(table.pictures, table.folder, UrlName(fields[0])), "", {}, {}};
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
      [&](std::size_t, const std::vector<std::string>& fields) -> std::optional<LabelledImage> {
        return LabelledImage{Locate(table.pictures, table.folder, UrlName(fields[0])), "", {}, {}};
      },
      [&](const Cell& cell) { return Presence(set, path, cell.line, cell.au, cell.text); });
  return set;
}

}  // namespace auforge::datasets::labels
