// UNBC-McMaster and CK+: a small _facs.txt for each picture, which names the AUs that are there.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include "datasets/labels/internal/importer.h"
#include "features/number.h"

namespace auforge::datasets::labels {
namespace {

namespace fs = std::filesystem;

// AU -> intensity of one picture; a file without rows says that nothing is there.
std::map<int, double> ReadFacs(const std::string& file, LabelSet& set, std::map<int, std::size_t>& strange) {
  std::map<int, double> codes;
  const auto lines = ReadLines(file);
  if (!lines) {
    AddFault(set, file, 0, "cannot be read");
    return codes;
  }
  for (std::size_t i = 0; i < lines->size(); ++i) {
    const auto fields = SplitBlanks((*lines)[i]);
    if (fields.empty()) continue;
    const auto au = features::ParseNumber(fields[0]);
    const auto intensity = fields.size() > 1 ? features::ParseNumber(fields[1]) : std::nullopt;
    if (!au || !intensity || *au < 1 || *au > 99 || *au != std::floor(*au)) {
      AddFault(set, file, i + 1, "\"" + (*lines)[i] + "\" is not AU and intensity");
      continue;
    }
    const int number = static_cast<int>(*au);
    if (!set.schema.Find(number)) ++strange[number];
    codes[number] = *intensity;
  }
  return codes;
}

// The rows of a picture in the set's schema: what is not named is not there.
std::vector<float> Row(const std::string& file, const std::map<int, double>& codes, LabelSet& set) {
  std::vector<float> row(set.schema.size(), 0.0F);
  for (const auto& [au, value] : codes) {
    const auto column = set.schema.Find(au);
    if (column) row[*column] = value == 0 ? kUngradedIntensity : CheckedIntensity(set, file, 0, au, value);
  }
  return row;
}

void NameStrange(const std::string& path, const std::map<int, std::size_t>& strange, LabelSet& set) {
  for (const auto& [au, count] : strange) {
    AddFault(
        set, path, 0,
        "AU" + std::to_string(au) + " is outside the schema: " + std::to_string(count) + " codes left out");
  }
}

std::vector<std::string> FacsFiles(const std::string& folder) {
  std::vector<std::string> files = FilesWith(folder, {".txt"});
  std::erase_if(files, [](const std::string& file) { return !Stem(file).ends_with("_facs"); });
  return files;
}

}  // namespace

LabelSet ImportUnbc(const std::string& path, const LabelOptions& options) {
  LabelSet set = EmptySet(options);
  set.schema = features::AuSchema({4, 6, 7, 9, 10, 12, 20, 25, 26, 27, 43});
  const std::string facs = Under(path, "Frame_Labels/FACS");
  const std::string pictures = ImagesOr(options, Under(path, "Images"));
  const auto subjects = SubFolders(facs);
  if (subjects.empty()) NothingFound(path, "Frame_Labels/FACS/042-ll042/ll042t1aaaff/*_facs.txt");
  std::map<int, std::size_t> strange;
  for (const std::string& subject_folder : subjects) {
    const std::string subject = fs::path(subject_folder).filename().string();
    for (const std::string& sequence_folder : SubFolders(subject_folder)) {
      const std::string sequence = fs::path(sequence_folder).filename().string();
      const std::string folder = Under(Under(pictures, subject), sequence);
      const auto files = FacsFiles(sequence_folder);
      for (std::size_t i = 0; i < files.size(); ++i) {
        if (static_cast<std::int64_t>(i) % options.every != 0) continue;
        const std::string stem = Stem(files[i]);
        const std::string image = Under(folder, stem.substr(0, stem.size() - 5) + ".png");
        const auto codes = ReadFacs(files[i], set, strange);
        AddImage(set, {image, subject, Row(files[i], codes, set), {}});
      }
      const std::size_t there = FilesWith(folder, {".png"}).size();
      if (there > files.size()) set.images_without_label += there - files.size();
    }
  }
  NameStrange(facs, strange, set);
  return set;
}

LabelSet ImportCkPlus(const std::string& path, const LabelOptions& options) {
  LabelSet set = EmptySet(options);
  set.schema = features::AuSchema({1,  2,  4,  5,  6,  7,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18,
                                   20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31, 34, 38, 39, 43});
  const std::string facs = FirstExisting({Under(path, "FACS"), Under(path, "FACS_labels")});
  const std::string pictures = ImagesOr(options, Under(path, "cohn-kanade-images"));
  const auto subjects = SubFolders(facs);
  if (facs.empty() || subjects.empty()) NothingFound(path, "FACS/S005/001/S005_001_00000011_facs.txt");
  std::map<int, std::size_t> strange;
  for (const std::string& subject_folder : subjects) {
    const std::string subject = fs::path(subject_folder).filename().string();
    for (const std::string& sequence_folder : SubFolders(subject_folder)) {
      const std::string folder =
          Under(Under(pictures, subject), fs::path(sequence_folder).filename().string());
      const auto files = FacsFiles(sequence_folder);
      if (files.empty()) AddFault(set, sequence_folder, 0, "holds no _facs.txt");
      for (const std::string& file : files) {
        const std::string stem = Stem(file);
        const auto codes = ReadFacs(file, set, strange);
        AddImage(set, {Under(folder, stem.substr(0, stem.size() - 5) + ".png"),
                       subject,
                       Row(file, codes, set),
                       {}});
      }
      // Only the last frame of a sequence is labelled.
      const std::size_t there = FilesWith(folder, {".png"}).size();
      if (there > files.size()) set.images_without_label += there - files.size();
    }
  }
  NameStrange(facs, strange, set);
  return set;
}

}  // namespace auforge::datasets::labels
