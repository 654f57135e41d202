#include "datasets/labels/internal/importer.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <limits>
#include <stdexcept>

#include "datasets/internal/file_reader.h"
#include "datasets/storage/paths.h"
#include "features/number.h"

namespace auforge::datasets::labels {
namespace {

namespace fs = std::filesystem;

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

LabelSet EmptySet(const LabelOptions& options) {
  LabelSet set;
  set.scale = options.scale == 1 ? 1 : kMostIntense;
  return set;
}

std::optional<long> FrameNumber(std::string_view text) {
  constexpr double kMostFrames = 1e9;
  const auto number = features::ParseNumber(text);
  if (!number || *number < 0 || *number > kMostFrames || *number != std::floor(*number)) return std::nullopt;
  return static_cast<long>(*number);
}

void AddFault(LabelSet& set, const std::string& file, std::size_t line, const std::string& text) {
  set.faults.push_back(file + (line > 0 ? ":" + std::to_string(line) : "") + ": " + text);
}

float CheckedIntensity(LabelSet& set, const std::string& file, std::size_t line, int au, double value) {
  if (value >= 0 && value <= set.scale) return static_cast<float>(value * kMostIntense / set.scale);
  std::string shown = std::to_string(value);
  shown.erase(std::min(shown.size(), shown.find('.') + 3));
  AddFault(set, file, line,
           "AU" + std::to_string(au) + " = " + shown + " is not an intensity of 0.." + std::to_string(set.scale) +
               "; left out");
  return std::numeric_limits<float>::quiet_NaN();
}

bool IsUnknown(const std::string& field) {
  const std::string text = Lower(field);
  return text.empty() || text == "nan" || text == "na" || text == "n/a" || text == "null" || text == "none" || text == "999";
}

float IntensityOf(LabelSet& set, const TextTable& table, std::size_t line, int au, const std::string& field) {
  if (!IsUnknown(field)) {
    if (const auto value = NumberOf(field, table.separator)) return CheckedIntensity(set, table.file, line, au, *value);
    AddFault(set, table.file, line, "AU" + std::to_string(au) + " = \"" + field + "\" is no number");
  }
  return std::numeric_limits<float>::quiet_NaN();
}

namespace {

// Nothing where there is no such folder; one that is there and cannot be listed is no empty one.
std::vector<std::string> EntriesOf(const std::string& folder) {
  return storage::IsFolder(folder) ? storage::FolderEntries(folder) : std::vector<std::string>();
}

}  // namespace

std::vector<std::string> SubFolders(const std::string& folder) {
  std::vector<std::string> found;
  for (const std::string& entry : EntriesOf(folder)) {
    if (storage::IsFolder(entry)) found.push_back(entry);
  }
  return found;
}

std::vector<std::string> FilesWith(const std::string& folder, const std::vector<std::string>& extensions) {
  std::vector<std::string> found;
  for (const std::string& entry : EntriesOf(folder)) {
    const std::string extension = Lower(fs::path(entry).extension().string());
    const bool fits = std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
    if (fits && !storage::IsFolder(entry)) found.push_back(entry);
  }
  return found;
}

std::vector<std::string> PicturesOf(const std::string& folder) {
  std::vector<std::string> found;
  for (const std::string& entry : EntriesOf(folder)) {
    if (!storage::IsFolder(entry) && IsPictureAt(entry)) found.push_back(entry);
  }
  return found;
}

std::map<long, std::string> FramesOf(const std::string& folder, LabelSet& set) {
  std::map<long, std::string> frames;
  std::vector<long> twice;
  for (const std::string& file : PicturesOf(folder)) {
    const auto number = LastNumber(Stem(file));
    if (!number) continue;
    const auto [at, is_new] = frames.emplace(*number, file);
    if (is_new) continue;
    AddFault(set, file, 0,
             "has the number " + std::to_string(*number) + " as " + fs::path(at->second).filename().string() +
                 " has; which of them is the frame cannot be told: both are left out");
    twice.push_back(*number);
  }
  for (const long number : twice) frames.erase(number);
  return frames;
}

std::optional<long> LastNumber(const std::string& stem) {
  const std::size_t end = stem.find_last_of("0123456789");
  if (end == std::string::npos) return std::nullopt;
  std::size_t begin = end;
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(stem[begin - 1])) != 0) --begin;
  return FrameNumber(std::string_view(stem).substr(begin, end + 1 - begin));
}

std::string Stem(const std::string& path) { return fs::path(path).stem().string(); }

std::string FirstExisting(const std::vector<std::string>& candidates) {
  for (const std::string& candidate : candidates) {
    std::error_code error;
    if (!candidate.empty() && fs::exists(candidate, error)) return candidate;
  }
  return "";
}

std::string ImagesOr(const LabelOptions& options, const std::string& published) {
  return options.images.empty() ? published : options.images.front();
}

std::string Under(const std::string& folder, const std::string& name) {
  return fs::path(name).is_absolute() || folder.empty() ? name : (fs::path(folder) / name).string();
}

void AddImage(LabelSet& set, LabelledImage image) {
  constexpr std::size_t kNamed = 20;
  std::error_code error;
  if (fs::is_regular_file(image.image, error)) {
    set.images.push_back(std::move(image));
    return;
  }
  if (++set.labels_without_image <= kNamed)
    AddFault(set, image.image, 0, "is labelled, but there is no such picture");
}

void NothingFound(const std::string& path, const std::string& looked_for) {
  throw std::runtime_error(path + ": no labels found; looked for " + looked_for);
}

}  // namespace auforge::datasets::labels
