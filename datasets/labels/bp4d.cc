// BP4D: occurrence of all AUs of a sequence in one CSV, intensities of a few AUs in a CSV each.
#include <filesystem>
#include <limits>
#include <map>
#include <set>

#include "datasets/labels/internal/importer.h"
#include "features/number.h"

namespace auforge::datasets::labels {
namespace {

namespace fs = std::filesystem;

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr int kUnscored = 9;

// Every AU below 45 that a column may speak of.
const features::AuSchema& Bp4dSchema() {
  static const features::AuSchema schema([] {
    std::vector<int> all;
    for (int au = 1; au <= 44; ++au) all.push_back(au);
    return all;
  }());
  return schema;
}

using Codes = std::map<long, std::vector<float>>;  // frame -> per AU

// Header 0..99: column n is AU n; column 0 the frame.
void ReadOccurrence(const std::string& file, LabelSet& set, Codes& codes) {
  const auto table = ReadTable(file);
  if (!table || table->rows.empty()) return AddFault(set, file, 0, "is empty");
  const std::size_t width = table->rows.front().fields.size();
  for (std::size_t i = 1; i < table->rows.size(); ++i) {
    const auto& [line, fields] = table->rows[i];
    const auto frame = FrameNumber(fields[0]);
    if (!frame || fields.size() != width) {
      AddFault(set, file, line, "is not a frame and " + std::to_string(width - 1) + " codes");
      continue;
    }
    auto& row = codes.try_emplace(*frame, set.schema.size(), kMissing).first->second;
    for (std::size_t j = 0; j < set.schema.size(); ++j) {
      const int au = set.schema.numbers()[j];
      if (static_cast<std::size_t>(au) >= width) continue;
      const std::string& field = fields[static_cast<std::size_t>(au)];
      const auto value = features::ParseNumber(field);
      if (value && *value == kUnscored) continue;
      if (!value || (*value != 0 && *value != 1)) {
        AddFault(set, file, line, "AU" + std::to_string(au) + " = \"" + field + "\" is none of 0, 1, 9");
        continue;
      }
      row[j] = *value == 0 ? 0 : kUngradedIntensity;
    }
  }
}

// frame,value; 9 = not known. Grades what occurs.
void ReadIntensity(const std::string& file, int au, LabelSet& set, Codes& codes) {
  const auto table = ReadTable(file);
  const auto column = set.schema.Find(au);
  if (!table || !column) return AddFault(set, file, 0, "cannot be read");
  for (const auto& [line, fields] : table->rows) {
    const auto frame = FrameNumber(fields[0]);
    const auto value = fields.size() > 1 ? NumberOf(fields[1], table->separator) : std::nullopt;
    if (!frame || !value) {
      AddFault(set, file, line, "\"" + fields[0] + "\" is not frame and intensity");
      continue;
    }
    auto& row = codes.try_emplace(*frame, set.schema.size(), kMissing).first->second;
    if (*value == kUnscored) continue;
    row[*column] = CheckedIntensity(set, file, line, au, *value);
  }
}

// Intensity files of a sequence: AU06/F001_T1*.csv.
void ReadIntensities(const std::string& folder, const std::string& sequence, LabelSet& set, Codes& codes) {
  for (const std::string& au_folder : SubFolders(folder)) {
    const auto au = features::ParseAu(fs::path(au_folder).filename().string());
    if (!au) continue;
    for (const std::string& file : FilesWith(au_folder, {".csv"})) {
      const std::string stem = Stem(file);
      if (stem.starts_with(sequence) && (stem.size() == sequence.size() || stem[sequence.size()] == '_')) {
        ReadIntensity(file, *au, set, codes);
      }
    }
  }
}

}  // namespace

LabelSet ImportBp4d(const std::string& path, const LabelOptions& options) {
  LabelSet set = EmptySet(options);
  set.schema = Bp4dSchema();
  const std::string coding = FirstExisting({Under(path, "AUCoding"), path});
  const std::string occurrence = FirstExisting({Under(coding, "AU_OCC")});
  const std::string intensity = FirstExisting({Under(coding, "AU_INT"), coding});
  std::set<std::string> sequences;
  for (const std::string& file : FilesWith(occurrence, {".csv"})) sequences.insert(Stem(file));
  if (sequences.empty()) NothingFound(path, "AUCoding/AU_OCC/F001_T1.csv");
  for (const std::string& sequence : sequences) {
    Codes codes;
    ReadOccurrence(Under(occurrence, sequence + ".csv"), set, codes);
    ReadIntensities(intensity, sequence, set, codes);
    const auto parts = SplitFields(sequence, '_');
    if (parts.size() != 2) {
      AddFault(set, Under(occurrence, sequence + ".csv"), 0, "is not named SUBJECT_TASK.csv");
      continue;
    }
    const std::string base = ImagesOr(options, path);
    const std::string folder = Under(Under(base, parts[0]), parts[1]);
    const auto frames = FramesOf(folder, set);
    if (frames.empty()) AddFault(set, folder, 0, "holds no pictures");
    long index = 0;
    for (auto& [frame, row] : codes) {
      if (index++ % options.every != 0) continue;
      const auto at = frames.find(frame);
      AddImage(set, {at == frames.end() ? Under(folder, std::to_string(frame) + ".jpg") : at->second,
                     parts[0],
                     row,
                     {}});
    }
    for (const auto& [frame, file] : frames) set.images_without_label += codes.contains(frame) ? 0 : 1;
  }
  return set;
}

}  // namespace auforge::datasets::labels
