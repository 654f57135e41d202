// Frames of a video as items, in order, one at a time: never a whole video in memory.
//
// The decoder is a program of its own, auforge-video (tools/auforge_video.cc): libraries that decode video
// are some ninety, and no picture needs them. It writes frames into a pipe; a video that crashes it ends as
// one unreadable item. Used by one thread; the program ends with the reader.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "datasets/image_source.h"

namespace auforge::datasets {

struct VideoOptions {
  std::vector<long> frames;  // the wanted ones, >= 1, ascending; empty = all
  std::string program;       // the decoder; "" = auforge-video beside this program, as built, or on the PATH
  int seconds = 120;         // longest wait for the next frame, >= 1
  void Validate() const;     // throws std::invalid_argument naming field and value
};

// By its name: .avi .mp4 .m4v .mov .mkv .webm .mpg .mpeg .wmv .flv .3gp .3g2 .ts .mts .m2ts .ogv
bool LooksLikeVideo(const std::string& name);

class VideoReader : public ItemReader {
 public:
  // Nothing is opened before the first Next.
  VideoReader(std::string path, VideoOptions options);
  ~VideoReader() override;

  // A frame is the item "NAME/00001" with the frame's pixels as BMP (frames are counted from 1), its time and the path
  // "FILE:1"; one that cannot be decoded has no pixels and the status kUndecodable, and the next ones follow. What
  // ends a video before its time (no such file, no video, cut short) is one item of status kUnreadable, key NAME, and
  // the last.
  bool Next(ImageItem& item) override;
  // Number of the frame that Next gave; 0 where its item speaks of the whole video.
  long frame() const;
  // After the end: frames that the video has, as far as they were read.
  long frames_read() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auforge::datasets
