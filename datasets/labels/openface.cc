// OpenFace's CSV (of its image and its video programs), and GANimation's folders, whose AUs are OpenFace's.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <set>

#include "datasets/labels/internal/importer.h"
#include "datasets/storage/paths.h"

namespace auforge::datasets::labels {
namespace {

namespace fs = std::filesystem;

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr double kLeastConfidence = 0.7;  // OpenFace's own advice for what to leave out

struct Header {
  std::map<std::string, std::size_t> at;
  std::optional<std::size_t> Find(const std::string& name) const {
    const auto found = at.find(name);
    return found == at.end() ? std::nullopt : std::optional(found->second);
  }
};

Header ReadHeader(const std::string& line) {
  Header header;
  const auto names = SplitFields(line, ',');
  for (std::size_t i = 0; i < names.size(); ++i) header.at.emplace(names[i], i);
  return header;
}

std::string RegressionName(int au) {
  return std::string("AU") + (au < 10 ? "0" : "") + std::to_string(au) + "_r";
}

std::optional<double> Field(const std::vector<std::string>& fields, std::optional<std::size_t> at) {
  return at && *at < fields.size() ? ParseNumber(fields[*at]) : std::nullopt;
}

// The 68 points, when all of them are there.
std::optional<features::Landmarks68> Points(const std::vector<std::string>& fields, const Header& header) {
  features::Landmarks68 points{};
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto x = Field(fields, header.Find("x_" + std::to_string(i)));
    const auto y = Field(fields, header.Find("y_" + std::to_string(i)));
    if (!x || !y) return std::nullopt;
    // OpenFace counts pixel centres from 0.
    points[i] = {static_cast<float>(*x) + 0.5F, static_cast<float>(*y) + 0.5F};
  }
  return points;
}

// The picture that a CSV of the image program speaks of: the same name beside it.
std::string PictureOf(const std::string& csv, const std::string& folder) {
  const std::string stem = Stem(csv);
  const std::string beside = folder.empty() ? fs::path(csv).parent_path().string() : folder;
  const std::string found = FirstExisting(
      {Under(beside, stem + ".jpg"), Under(beside, stem + ".png"), Under(beside, stem + ".jpeg")});
  return found.empty() ? Under(beside, stem + ".jpg") : found;
}

struct FileContext {
  const std::string& file;
  const Header& header;
  std::map<long, std::string> frames;  // empty: the image program
  std::string picture;
};

void AddRow(const std::vector<std::string>& fields, std::size_t line, const FileContext& context,
            LabelSet& set) {
  const auto confidence = Field(fields, context.header.Find("confidence"));
  const auto success = Field(fields, context.header.Find("success"));
  if (!confidence || *confidence < kLeastConfidence || (success && *success == 0)) {
    return AddFault(set, context.file, line, "OpenFace was not sure of this face; left out");
  }
  LabelledImage row;
  const auto frame = Field(fields, context.header.Find("frame"));
  row.image = context.picture;
  if (frame) {
    const auto at = context.frames.find(std::lround(*frame));
    row.image =
        at == context.frames.end() ? context.picture + "/" + std::to_string(std::lround(*frame)) : at->second;
    row.subject = Stem(context.file);
  }
  row.landmarks = Points(fields, context.header);
  for (const int au : set.schema.numbers()) {
    const auto value = Field(fields, context.header.Find(RegressionName(au)));
    row.intensity.push_back(value ? CheckedIntensity(set, context.file, line, au, *value) : kMissing);
  }
  AddImage(set, std::move(row));
}

void ReadFile(const std::string& file, const LabelOptions& options, LabelSet& set) {
  const auto lines = ReadLines(file);
  const Header header = lines && !lines->empty() ? ReadHeader(lines->front()) : Header{};
  if (!header.Find("AU01_r") || !header.Find("confidence")) {
    return AddFault(set, file, 0, "is no OpenFace CSV: has no columns confidence and AU01_r");
  }
  FileContext context{file, header, {}, {}};
  if (header.Find("frame")) {
    context.picture = ImagesOr(options, (fs::path(file).parent_path() / Stem(file)).string());
    context.frames = FramesOf(context.picture);
  } else {
    context.picture = PictureOf(file, ImagesOr(options, ""));
  }
  for (std::size_t i = 1; i < lines->size(); ++i) {
    if ((*lines)[i].empty()) continue;
    const auto fields = SplitFields((*lines)[i], ',');
    if (fields.size() != header.at.size()) {
      AddFault(set, file, i + 1,
               std::to_string(fields.size()) + " fields; the header has " + std::to_string(header.at.size()));
      continue;
    }
    if (static_cast<std::int64_t>(i - 1) % options.every == 0) AddRow(fields, i + 1, context, set);
  }
}

}  // namespace

LabelSet ImportOpenFace(const std::string& path, const LabelOptions& options) {
  LabelSet set;
  set.schema = features::GanSchema();
  const std::vector<std::string> files =
      storage::IsFolder(path) ? FilesWith(path, {".csv"}) : std::vector{path};
  if (files.empty()) NothingFound(path, "OpenFace CSV files");
  for (const std::string& file : files) ReadFile(file, options, set);
  if (set.images.empty() && set.labels_without_image == 0) {
    NothingFound(path, "OpenFace CSV files with columns confidence, AU01_r, ...; " +
                           (set.faults.empty() ? "" : set.faults.front()));
  }
  return set;
}

LabelSet ImportGanimation(const std::string& path, const LabelOptions& options) {
  LabelSet set;
  set.schema = features::GanSchema();
  const std::string images = ImagesOr(options, Under(path, "imgs"));
  // The AUs: one table, or an OpenFace CSV for each picture.
  std::map<std::string, std::vector<float>> aus;
  const std::string table = FirstExisting({Under(path, "aus_openface.csv")});
  if (!table.empty()) {
    const auto lines = ReadLines(table).value_or(std::vector<std::string>{});
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const auto fields = SplitFields(lines[i], ',');
      if (lines[i].empty() || (i == 0 && !ParseNumber(fields.back()))) continue;
      if (fields.size() != 1 + set.schema.size()) {
        AddFault(set, table, i + 1,
                 std::to_string(fields.size()) + " fields; must be a file name and 17 AUs");
        continue;
      }
      std::vector<float> row;
      for (std::size_t j = 1; j < fields.size(); ++j) {
        const int au = set.schema.numbers()[j - 1];
        const auto value = ParseNumber(fields[j]);
        if (!value)
          AddFault(set, table, i + 1, "AU" + std::to_string(au) + " = \"" + fields[j] + "\" is no number");
        row.push_back(value ? CheckedIntensity(set, table, i + 1, au, *value) : kMissing);
      }
      if (!aus.try_emplace(Stem(fields[0]), std::move(row)).second) {
        ++set.labelled_twice;
        AddFault(set, table, i + 1, fields[0] + " has AUs in an earlier line; left out");
      }
    }
  }
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
        LabelSet one;
        one.schema = set.schema;
        LabelOptions beside;
        beside.images = {images};
        ReadFile(Under(openface, stem + ".csv"), beside, one);
        set.faults.insert(set.faults.end(), one.faults.begin(), one.faults.end());
        if (!one.images.empty()) aus[stem] = one.images[0].intensity;
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
  for (const std::string& file : FilesWith(images, {".jpg", ".jpeg", ".png"})) {
    if (!listed.contains(fs::path(file).filename().string())) ++set.images_without_label;
  }
  return set;
}

}  // namespace auforge::datasets::labels
