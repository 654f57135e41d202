#include "datasets/labels/internal/openface_frames.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "datasets/labels/internal/importer.h"
#include "datasets/video_reader.h"

namespace auforge::datasets::labels {
namespace {

namespace fs = std::filesystem;

bool IsVideo(const std::string& path) {
  std::error_code error;
  return LooksLikeVideo(path) && fs::is_regular_file(path, error);
}

// A video of that stem; "" where there is none.
std::string VideoNamed(const std::string& folder, const std::string& stem) {
  std::error_code error;
  std::vector<std::string> found;
  for (auto entry = fs::directory_iterator(folder.empty() ? "." : folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string path = entry->path().string();
    if (Stem(path) == stem && IsVideo(path)) found.push_back(path);
  }
  std::sort(found.begin(), found.end());
  if (found.size() > 1) {
    throw std::runtime_error(found[0] + " and " + found[1] +
                             ": which of these videos the CSV is of cannot be told; say images=VIDEO");
  }
  return found.empty() ? "" : found.front();
}

// The picture of a key: a path below `base`, with or without the ending that a key of a tar lacks; in `base` itself,
// or in its folder NAME.
FramePlace PlaceOf(const std::string& key, const std::string& base, const std::string& video) {
  const auto number = LastNumber(fs::path(key).filename().string());
  if (!video.empty() && number) return {video, *number};
  std::error_code error;
  for (const std::string& name : {key, fs::path(key).filename().string()}) {
    for (const char* ending : kPictureEndings) {
      const std::string path = Under(base, name + ending);
      if (fs::is_regular_file(path, error)) return {path, 0};
    }
  }
  return {Under(base, key), 0};
}

// "0001.jpg and 0001.png": two pictures with one number; "" where every number is there once.
std::string TwoOfOneNumber(const std::vector<std::string>& pictures) {
  std::map<long, std::string> seen;
  for (const std::string& file : pictures) {
    const auto number = LastNumber(Stem(file));
    if (!number) continue;
    const std::string name = fs::path(file).filename().string();
    const auto [at, is_new] = seen.emplace(*number, name);
    if (!is_new) return at->second + " and " + name;
  }
  return {};
}

// The pictures by their numbers where these are just the frames of the CSV, or those that it is sure of.
std::map<long, std::string> ByNumber(const std::vector<std::string>& pictures, const FrameNumbers& numbers) {
  std::map<long, std::string> by_number;
  std::set<long> there;
  for (const std::string& file : pictures) {
    const auto number = LastNumber(Stem(file));
    if (!number || !there.insert(*number).second) return {};
    by_number.emplace(*number, file);
  }
  return there == numbers.all || there == numbers.sure ? by_number : std::map<long, std::string>{};
}

}  // namespace

OpenFaceFrames OpenFaceFrames::Find(const std::string& csv, const std::string& images, const FrameNumbers& numbers,
                                    LabelSet& set) {
  const std::string stem = Stem(csv), parent = fs::path(csv).parent_path().string();
  OpenFaceFrames frames;
  const std::string own = Under(images.empty() ? parent : images, stem);
  std::error_code error;
  frames.where_ = images.empty() || fs::is_directory(own, error) ? own : images;
  if (IsVideo(images)) {
    frames.video_ = images;
  } else if (PicturesOf(frames.where_).empty()) {
    frames.video_ = VideoNamed(images.empty() ? parent : images, stem);
  }
  const std::string table = Under(parent, stem + "_frames.csv");
  if (fs::is_regular_file(table, error)) {
    const bool has_own = fs::is_directory(frames.where_, error);
    frames.UseTable(table, has_own ? frames.where_ : images.empty() ? parent : images, set);
  } else if (frames.video_.empty()) {
    frames.UseFolder(csv, numbers, set);
  }
  return frames;
}

void OpenFaceFrames::UseTable(const std::string& table, const std::string& base, LabelSet& set) {
  const auto rows = ReadTable(table);
  if (!rows) throw std::runtime_error(table + ": cannot be read");
  for (const auto& [line, fields] : rows->rows) {
    const auto frame = FrameNumber(fields[0]);
    if (!frame || fields.size() < 2) {
      if (line > 1) AddFault(set, table, line, "is not frame, key");
      continue;
    }
    if (!places_.emplace(*frame, PlaceOf(fields[1], base, video_)).second)
      AddFault(set, table, line, "frame " + std::to_string(*frame) + " is there twice; the first is taken");
  }
}

void OpenFaceFrames::UseFolder(const std::string& csv, const FrameNumbers& numbers, LabelSet& set) {
  const std::vector<std::string> pictures = PicturesOf(where_);
  if (pictures.empty() || numbers.all.empty()) return;
  const std::string twice = TwoOfOneNumber(pictures);
  const long frames = *numbers.all.rbegin();
  if (static_cast<long>(pictures.size()) == frames) {
    for (std::size_t i = 0; i < pictures.size(); ++i) places_[static_cast<long>(i) + 1] = {pictures[i], 0};
    const auto by_number = ByNumber(pictures, numbers);
    const bool is_padded = std::ranges::all_of(
        by_number, [&](const auto& entry) { return places_.at(entry.first).image == entry.second; });
    if (!twice.empty()) {
      set.notes.push_back(where_ + ": " + twice + " have the same number; frames are counted in order of the names, as " +
                          "OpenFace lists them");
    } else if (!is_padded) {
      set.notes.push_back(where_ + ": its numbers have no leading zeros; frames are counted in order of the names, as "
                          "OpenFace lists them: frame 2 is " + fs::path(pictures[1]).filename().string());
    }
    return;
  }
  for (const auto& [number, file] : ByNumber(pictures, numbers)) places_[number] = {file, 0};
  if (!places_.empty()) return;
  throw std::runtime_error(
      csv + ": speaks of " + std::to_string(frames) + " frames, but there are " + std::to_string(pictures.size()) +
      " pictures in " + where_ + (twice.empty() ? "" : " (" + twice + " have the same number)") +
      "; which picture is which frame cannot be told. Give it the pictures that OpenFace saw, or say it in " +
      Under(fs::path(csv).parent_path().string(), Stem(csv) + "_frames.csv") + " (frame,key)");
}

FramePlace OpenFaceFrames::At(long frame) const {
  const auto at = places_.find(frame);
  if (at != places_.end()) return at->second;
  if (!video_.empty() && places_.empty()) return {video_, frame};
  return {where_ + "/" + std::to_string(frame), 0};
}

std::size_t OpenFaceFrames::PicturesWithout(const std::set<long>& frames) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      places_, [&](const auto& entry) { return entry.second.frame == 0 && !frames.contains(entry.first); }));
}

}  // namespace auforge::datasets::labels
