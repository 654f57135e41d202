// Which picture, or which frame of a video, each frame of an OpenFace sequence is. OpenFace lists the pictures of a
// folder in order of their names and calls the first of them frame 1, whatever numbers stand in the names.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "datasets/labels/label_set.h"

namespace auforge::datasets::labels {

struct FramePlace {
  std::string image;  // path of the picture, or of the video
  long frame = 0;     // of the video
};

struct FrameNumbers {
  std::set<long> all;   // that the CSV has a row for
  std::set<long> sure;  // of these, with a face that OpenFace is sure of
};

class OpenFaceFrames {
 public:
  // csv: the sequence's file. `images`: as said by the user: a folder, a video or "". Looks, in this order, for
  // NAME_frames.csv (frame,key) beside the CSV, which says it; for pictures in the folder; for the video. Throws
  // std::runtime_error with both numbers where there are not as many pictures as frames.
  static OpenFaceFrames Find(const std::string& csv, const std::string& images, const FrameNumbers& numbers,
                             LabelSet& set);
  // Where it would lie, for messages, when it is not there.
  FramePlace At(long frame) const;
  const std::string& video() const { return video_; }
  std::size_t PicturesWithout(const std::set<long>& frames) const;

 private:
  void UseTable(const std::string& table, const std::string& base, LabelSet& set);
  void UseFolder(const std::string& csv, const FrameNumbers& numbers, LabelSet& set);

  std::string where_, video_;
  std::map<long, FramePlace> places_;
};

}  // namespace auforge::datasets::labels
