// DISFA and DISFA+: a text file for each subject (and trial) and AU.
#include <algorithm>
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

const features::AuSchema& DisfaSchema() {
  static const features::AuSchema schema({1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26});
  return schema;
}

// frame -> intensities of all AUs.
using Codes = std::map<long, std::vector<float>>;

// One line of a label file: frame and intensity, with a comma or blanks between them as published, or what a program
// has made of those; nullopt for anything else.
std::optional<std::pair<long, double>> ParseCode(const std::string& line) {
  const std::size_t separator = line.find_first_of(",;\t");
  const auto fields = separator == std::string::npos ? SplitBlanks(line) : SplitFields(line, line[separator]);
  if (fields.size() != 2) return std::nullopt;
  const auto intensity = features::ParseNumber(fields[1]);
  const auto frame = FrameNumber(fs::path(fields[0]).stem().string());
  if (!frame || !intensity) return std::nullopt;
  return std::pair{*frame, *intensity};
}

void ReadCodes(const std::string& file, std::size_t column, LabelSet& set, Codes& codes) {
  const auto lines = ReadLines(file);
  if (!lines) return AddFault(set, file, 0, "is missing: its AU is not labelled here");
  for (std::size_t i = 0; i < lines->size(); ++i) {
    const std::string& line = (*lines)[i];
    if (line.empty() || line.front() == '#') continue;
    const auto code = ParseCode(line);
    if (!code) {
      AddFault(set, file, i + 1, "\"" + line + "\" is not frame and intensity");
      continue;
    }
    auto& row = codes.try_emplace(code->first, set.schema.size(), kMissing).first->second;
    row[column] = CheckedIntensity(set, file, i + 1, set.schema.numbers()[column], code->second);
  }
}

// Frames that a program has taken out of a video and numbered from 0 are labelled from 1 on: the same number is then
// the neighbour. Seen by a picture 0 that no label speaks of where the labels begin with 1. nullopt where it cannot be
// told which picture a label is of.
std::optional<std::map<long, std::string>> CountedAsLabels(const std::string& folder,
                                                           std::map<long, std::string> frames, const Codes& codes,
                                                           LabelSet& set) {
  if (frames.empty() || codes.empty() || frames.begin()->first != 0 || codes.begin()->first != 1) return frames;
  const auto said = [](const auto& numbered) {
    return std::to_string(numbered.size()) + " of numbers " + std::to_string(numbered.begin()->first) + ".." +
           std::to_string(numbered.rbegin()->first);
  };
  const bool is_whole = frames.rbegin()->first + 1 == codes.rbegin()->first &&
                        static_cast<long>(frames.size()) == codes.rbegin()->first;
  if (!is_whole) {
    AddFault(set, folder, 0,
             "its pictures are " + said(frames) + ", its labels " + said(codes) +
                 "; which picture a label is of cannot be told: all are left out. Number the pictures from 1");
    return std::nullopt;
  }
  std::map<long, std::string> counted;
  for (auto& [number, file] : frames) counted.emplace(number + 1, std::move(file));
  set.notes.push_back(folder + ": its pictures are numbered from 0, its labels from 1; label 1 is of picture 0");
  return counted;
}

// Labelled frames of a video that is still one: numbered from 1 like the labels. Whether the video is as long as
// its labels is seen when it is read.
void AddVideo(const std::string& subject, const std::string& video, const Codes& codes,
              const LabelOptions& options, LabelSet& set) {
  long index = 0;
  for (const auto& [frame, intensity] : codes) {
    if (index++ % options.every != 0) continue;
    if (frame < 1) {
      ++set.labels_without_image;
      AddFault(set, video, 0, "has no frame " + std::to_string(frame) + ": frames are numbered from 1");
      continue;
    }
    AddImage(set, {video, subject, intensity, {}, frame});
  }
}

// Frames as pictures in `folder`, or else of `video`; "" = the layout has no videos.
void AddFrames(const std::string& subject, const std::string& folder, const std::string& video,
               const Codes& codes, const LabelOptions& options, LabelSet& set) {
  const auto counted = CountedAsLabels(folder, FramesOf(folder, set), codes, set);
  if (!counted) {
    set.labels_without_image += codes.size();
    return;
  }
  const std::map<long, std::string>& frames = *counted;
  std::error_code error;
  if (frames.empty() && fs::is_regular_file(video, error)) return AddVideo(subject, video, codes, options, set);
  if (frames.empty()) {
    set.labels_without_image += codes.size();
    if (video.empty()) return AddFault(set, folder, 0, "holds no pictures; its labels are left out");
    return AddFault(set, video, 0,
                    "is missing, and so is a folder of its frames, " + folder +
                        "; copy either there, or say images=DIR");
  }
  long index = 0;
  for (const auto& [frame, intensity] : codes) {
    if (index++ % options.every != 0) continue;
    const auto at = frames.find(frame);
    const std::string missing = (fs::path(folder) / std::to_string(frame)).string();
    AddImage(set, {at == frames.end() ? missing : at->second, subject, intensity, {}});
  }
  for (const auto& [frame, file] : frames) set.images_without_label += codes.contains(frame) ? 0 : 1;
}

}  // namespace

LabelSet ImportDisfa(const std::string& path, const LabelOptions& options) {
  LabelSet set = EmptySet(options);
  set.schema = DisfaSchema();
  const std::string labels = Under(path, "ActionUnit_Labels");
  const bool left = options.camera == "left";
  const std::string side = left ? "Left" : "Right";
  const std::string videos =
      ImagesOr(options, FirstExisting({Under(path, "Videos_" + side + "Camera"),
                                       Under(path, "Video_" + side + "Camera")}));
  const auto subjects = SubFolders(labels);
  if (subjects.empty()) NothingFound(path, "ActionUnit_Labels/SN001/SN001_au1.txt");
  for (const std::string& folder : subjects) {
    const std::string subject = fs::path(folder).filename().string();
    Codes codes;
    for (std::size_t j = 0; j < set.schema.size(); ++j) {
      ReadCodes(Under(folder, subject + "_au" + std::to_string(set.schema.numbers()[j]) + ".txt"), j,
                set, codes);
    }
    const std::string frames = Under(videos.empty() ? Under(path, "Videos_" + side + "Camera") : videos,
                                     side + "Video" + subject + "_comp");
    AddFrames(subject, frames, frames + ".avi", codes, options, set);
  }
  return set;
}

LabelSet ImportDisfaPlus(const std::string& path, const LabelOptions& options) {
  LabelSet set = EmptySet(options);
  set.schema = DisfaSchema();
  const std::string labels = Under(path, "Labels");
  const std::string images = ImagesOr(options, Under(path, "Images"));
  const auto subjects = SubFolders(labels);
  if (subjects.empty()) NothingFound(path, "Labels/SNxxx/<trial>/AU1.txt");
  for (const std::string& subject_folder : subjects) {
    const std::string subject = fs::path(subject_folder).filename().string();
    for (const std::string& trial : SubFolders(subject_folder)) {
      Codes codes;
      for (std::size_t j = 0; j < set.schema.size(); ++j) {
        ReadCodes(Under(trial, "AU" + std::to_string(set.schema.numbers()[j]) + ".txt"), j, set, codes);
      }
      AddFrames(subject, Under(Under(images, subject), fs::path(trial).filename().string()), "", codes,
                options, set);
    }
  }
  return set;
}

}  // namespace auforge::datasets::labels
