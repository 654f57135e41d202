// OpenFace's CSV (of its image and its video programs), and GANimation's folders, whose AUs are OpenFace's.
#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "datasets/labels/internal/importer.h"
#include "datasets/labels/internal/openface_frames.h"
#include "datasets/storage/paths.h"

namespace auforge::datasets::labels {
namespace {

namespace fs = std::filesystem;

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr double kLeastConfidence = 0.7;  // OpenFace's own advice for what to leave out

// A CSV with the places of its columns.
struct OpenFaceTable {
  TextTable text;
  std::map<std::string, std::size_t> columns;
  std::optional<std::size_t> Find(const std::string& name) const {
    const auto found = columns.find(name);
    return found == columns.end() ? std::nullopt : std::optional(found->second);
  }
  // The row's field of a column; nullptr where there is no such column.
  const std::string* Field(const TableRow& row, const std::string& name) const {
    const auto at = Find(name);
    return at ? &row.fields[*at] : nullptr;
  }
  std::optional<double> Number(const TableRow& row, const std::string& name) const {
    const std::string* field = Field(row, name);
    return field == nullptr ? std::nullopt : NumberOf(*field, text.separator);
  }
};

// nullopt, with a fault, for what is no OpenFace CSV. Rows of another width are faults and gone.
std::optional<OpenFaceTable> ReadOpenFace(const std::string& file, LabelSet& set) {
  auto text = ReadTable(file);
  OpenFaceTable table;
  if (text && !text->rows.empty()) {
    const auto& names = text->rows.front().fields;
    for (std::size_t i = 0; i < names.size(); ++i) table.columns.emplace(names[i], i);
    const std::size_t width = names.size();
    if (table.Find("AU01_r") && table.Find("confidence")) {
      text->rows.erase(text->rows.begin());
      std::erase_if(text->rows, [&](const TableRow& row) {
        if (row.fields.size() == width) return false;
        AddFault(set, file, row.line,
                 std::to_string(row.fields.size()) + " fields; the header has " + std::to_string(width));
        return true;
      });
      table.text = std::move(*text);
      return table;
    }
  }
  AddFault(set, file, 0, "is no OpenFace CSV: has no columns confidence and AU01_r");
  return std::nullopt;
}

std::string RegressionName(int au) {
  return std::string("AU") + (au < 10 ? "0" : "") + std::to_string(au) + "_r";
}

// The 68 points, when all of them are there.
std::optional<features::Landmarks68> Points(const OpenFaceTable& table, const TableRow& row) {
  features::Landmarks68 points{};
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto x = table.Number(row, "x_" + std::to_string(i)), y = table.Number(row, "y_" + std::to_string(i));
    if (!x || !y) return std::nullopt;
    // OpenFace counts pixel centres from 0.
    points[i] = {static_cast<float>(*x) + 0.5F, static_cast<float>(*y) + 0.5F};
  }
  return points;
}

bool IsSure(const OpenFaceTable& table, const TableRow& row) {
  const auto confidence = table.Number(row, "confidence");
  const bool has_failed = table.Find("success") && table.Number(row, "success").value_or(0) == 0;
  return confidence && *confidence >= kLeastConfidence && !has_failed;
}

// The picture that a CSV of the image program speaks of: the same name beside it. Throws std::runtime_error naming
// them where there are two.
std::string PictureOf(const std::string& csv, const std::string& folder) {
  const std::string beside = folder.empty() ? fs::path(csv).parent_path().string() : folder;
  std::string found;
  for (const char* ending : kPictureEndings) {
    const std::string picture = Under(beside, Stem(csv) + ending);
    std::error_code error;
    if (!fs::is_regular_file(picture, error)) continue;
    if (!found.empty())
      throw std::runtime_error(found + " and " + picture + ": which of them " + csv + " is of cannot be told");
    found = picture;
  }
  return found.empty() ? Under(beside, Stem(csv) + ".jpg") : found;
}

void AddRow(const OpenFaceTable& table, const TableRow& line, const FramePlace& place, LabelSet& set) {
  if (!IsSure(table, line))
    return AddFault(set, table.text.file, line.line, "OpenFace was not sure of this face; left out");
  LabelledImage row;
  row.image = place.image;
  row.frame = place.frame;
  if (table.Find("frame")) row.subject = Stem(table.text.file);
  row.landmarks = Points(table, line);
  for (const int au : set.schema.numbers()) {
    const std::string* field = table.Field(line, RegressionName(au));
    row.intensity.push_back(field == nullptr ? kMissing : IntensityOf(set, table.text, line.line, au, *field));
  }
  AddImage(set, std::move(row));
}

// Rows of the video program or of a folder's pictures, each with its frame; without those that have none.
using Sequence = std::vector<std::pair<long, const TableRow*>>;
Sequence FramesIn(const OpenFaceTable& table, LabelSet& set) {
  Sequence rows;
  for (const TableRow& row : table.text.rows) {
    const std::string& field = *table.Field(row, "frame");
    const auto frame = FrameNumber(field);
    if (!frame || *frame < 1) {
      AddFault(set, table.text.file, row.line, "frame = \"" + field + "\" is no number of a frame, 1 or more");
      continue;
    }
    rows.emplace_back(*frame, &row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return rows;
}

void ReadSequence(const OpenFaceTable& table, const LabelOptions& options, LabelSet& set) {
  const Sequence rows = FramesIn(table, set);
  FrameNumbers numbers;
  for (const auto& [frame, row] : rows) {
    numbers.all.insert(frame);
    if (IsSure(table, *row)) numbers.sure.insert(frame);
  }
  const OpenFaceFrames frames = OpenFaceFrames::Find(table.text.file, ImagesOr(options, ""), numbers, set);
  const auto last = numbers.all.empty() ? 0 : *numbers.all.rbegin();
  // The program for one face has a row for every frame; the one for several has none where it sees nobody.
  if (!frames.video().empty() && rows.size() == numbers.all.size() && static_cast<long>(rows.size()) == last)
    set.frames_of_video[frames.video()] = last;
  std::int64_t index = 0;
  for (const auto& [frame, row] : rows) {
    if (index++ % options.every == 0) AddRow(table, *row, frames.At(frame), set);
  }
  set.images_without_label += frames.PicturesWithout(numbers.all);
}

void ReadFile(const std::string& file, const LabelOptions& options, LabelSet& set) {
  const auto table = ReadOpenFace(file, set);
  if (!table) return;
  if (table->Find("frame")) return ReadSequence(*table, options, set);
  const FramePlace place{PictureOf(file, ImagesOr(options, "")), 0};
  std::int64_t index = 0;
  for (const TableRow& row : table->text.rows) {
    if (index++ % options.every == 0) AddRow(*table, row, place, set);
  }
}

// Our own exports lay "NAME_frames.csv" beside "NAME.csv".
bool IsTableOfFrames(const std::string& file) {
  const std::string stem = Stem(file);
  constexpr std::string_view kEnding = "_frames";
  if (!stem.ends_with(kEnding)) return false;
  std::error_code error;
  return fs::exists(fs::path(file).parent_path() / (stem.substr(0, stem.size() - kEnding.size()) + ".csv"), error);
}

}  // namespace

LabelSet ImportOpenFace(const std::string& path, const LabelOptions& options) {
  LabelSet set = EmptySet(options);
  set.schema = features::GanSchema();
  const bool is_folder = storage::IsFolder(path);
  std::vector<std::string> files = is_folder ? FilesWith(path, {".csv"}) : std::vector{path};
  if (is_folder) std::erase_if(files, IsTableOfFrames);
  if (files.empty()) NothingFound(path, "OpenFace CSV files");
  std::string refusal;
  for (const std::string& file : files) {
    try {
      ReadFile(file, options, set);
    } catch (const std::runtime_error& error) {
      // One of many files must not cost the others.
      if (!is_folder) throw;
      if (refusal.empty()) refusal = error.what();
      set.faults.emplace_back(error.what());
    }
  }
  if (set.images.empty() && set.labels_without_image == 0) {
    if (refusal.empty() && !set.faults.empty()) refusal = set.faults.front();
    NothingFound(path, "OpenFace CSV files with columns confidence, AU01_r, ...; " + refusal);
  }
  return set;
}

namespace {

// The AUs of GANimation's one table, by the stems of the pictures' names.
using AusByStem = std::map<std::string, std::vector<float>>;
AusByStem ReadGanimationTable(const std::string& file, LabelSet& set) {
  AusByStem aus;
  const auto table = ReadTable(file);
  if (!table) return aus;
  bool is_first = true;
  for (const auto& [line, fields] : table->rows) {
    const bool is_header = std::exchange(is_first, false) && !NumberOf(fields.back(), table->separator);
    if (is_header) continue;
    if (fields.size() != 1 + set.schema.size()) {
      AddFault(set, file, line, std::to_string(fields.size()) + " fields; must be a file name and 17 AUs");
      continue;
    }
    std::vector<float> row;
    for (std::size_t j = 1; j < fields.size(); ++j)
      row.push_back(IntensityOf(set, *table, line, set.schema.numbers()[j - 1], fields[j]));
    if (!aus.try_emplace(Stem(fields[0]), std::move(row)).second) {
      ++set.labelled_twice;
      AddFault(set, file, line, fields[0] + " has AUs in an earlier line; left out");
    }
  }
  return aus;
}

// Of a picture's own OpenFace file, whichever of OpenFace's programs wrote it: the first face that it is sure of.
std::optional<std::vector<float>> ReadGanimationFile(const std::string& file, const std::string& picture, LabelSet& set) {
  const auto table = ReadOpenFace(file, set);
  if (!table) return std::nullopt;
  LabelSet one;
  one.schema = set.schema;
  one.scale = set.scale;
  for (const TableRow& row : table->text.rows) AddRow(*table, row, {picture, 0}, one);
  set.faults.insert(set.faults.end(), one.faults.begin(), one.faults.end());
  if (one.images.empty()) return std::nullopt;
  return one.images[0].intensity;
}

}  // namespace

LabelSet ImportGanimation(const std::string& path, const LabelOptions& options) {
  LabelSet set = EmptySet(options);
  set.schema = features::GanSchema();
  const std::string images = ImagesOr(options, Under(path, "imgs"));
  // The AUs: one table, or an OpenFace CSV for each picture.
  const std::string table = FirstExisting({Under(path, "aus_openface.csv")});
  AusByStem aus = table.empty() ? AusByStem{} : ReadGanimationTable(table, set);
  const std::string openface = FirstExisting({Under(path, "openface"), Under(path, "aus")});
  std::set<std::string> listed;
  for (const char* list : {"train_ids.csv", "test_ids.csv"}) {
    const bool test = std::string(list) == "test_ids.csv";
    const auto names = ReadLines(Under(path, list));
    if (!names) {
      AddFault(set, Under(path, list), 0, "is missing");
      continue;
    }
    for (const std::string& line : *names) {
      const std::string name = SplitFields(line, ',')[0];
      if (name.empty()) continue;
      if (!listed.insert(name).second) {
        ++set.labelled_twice;
        AddFault(set, Under(path, list), 0, name + " is listed already; left out here");
        continue;
      }
      const bool wanted = options.fold == 0 || test != options.train;
      if (!wanted) continue;
      const std::string stem = Stem(name);
      if (!aus.contains(stem) && !openface.empty()) {
        if (auto row = ReadGanimationFile(Under(openface, stem + ".csv"), Under(images, name), set))
          aus[stem] = std::move(*row);
      }
      if (!aus.contains(stem)) {
        AddFault(set, Under(path, list), 0, name + " is listed, but has no AUs");
        ++set.images_without_label;
        continue;
      }
      AddImage(set, {Under(images, name), "", aus.at(stem), {}});
    }
  }
  if (listed.empty())
    NothingFound(path, "imgs/, train_ids.csv, test_ids.csv and aus_openface.csv or openface/NAME.csv");
  for (const std::string& file : PicturesOf(images)) {
    if (!listed.contains(fs::path(file).filename().string())) ++set.images_without_label;
  }
  return set;
}

}  // namespace auforge::datasets::labels
