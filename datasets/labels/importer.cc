#include "datasets/labels/internal/importer.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "datasets/storage/paths.h"

namespace auforge::datasets::labels {
namespace {

namespace fs = std::filesystem;

std::string_view Trim(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The last run of digits in a file's stem.
std::optional<long> LastNumber(const std::string& stem) {
  std::size_t end = stem.find_last_of("0123456789");
  if (end == std::string::npos) return std::nullopt;
  std::size_t begin = end;
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(stem[begin - 1])) != 0) --begin;
  long value = 0;
  const auto [at, error] = std::from_chars(stem.data() + begin, stem.data() + end + 1, value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::vector<std::string>> ReadLines(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || storage::IsFolder(path)) return std::nullopt;
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (lines.empty() && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    lines.push_back(std::move(line));
  }
  if (file.bad()) return std::nullopt;
  return lines;
}

std::vector<std::string> SplitFields(std::string_view line, char separator) {
  std::vector<std::string> fields;
  std::string field;
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') {
      if (is_quoted && i + 1 < line.size() && line[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        is_quoted = !is_quoted;
      }
    } else if (c == separator && !is_quoted) {
      fields.emplace_back(Trim(field));
      field.clear();
    } else {
      field += c;
    }
  }
  fields.emplace_back(Trim(field));
  return fields;
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

std::optional<double> ParseNumber(std::string_view text) {
  text = Trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

void AddFault(LabelSet& set, const std::string& file, std::size_t line, const std::string& text) {
  set.faults.push_back(file + (line > 0 ? ":" + std::to_string(line) : "") + ": " + text);
}

float CheckedIntensity(LabelSet& set, const std::string& file, std::size_t line, int au, double value) {
  if (value >= 0 && value <= 5) return static_cast<float>(value);
  std::string shown = std::to_string(value);
  shown.erase(std::min(shown.size(), shown.find('.') + 3));
  AddFault(set, file, line,
           "AU" + std::to_string(au) + " = " + shown + " is not an intensity of 0..5; left out");
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

std::map<long, std::string> FramesOf(const std::string& folder) {
  std::map<long, std::string> frames;
  for (const std::string& file : FilesWith(folder, {".jpg", ".jpeg", ".png"})) {
    if (const auto number = LastNumber(Stem(file))) frames.emplace(*number, file);
  }
  return frames;
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
