// Whole images in a new folder, without anything but their pixels.
//
//   ImageFolder folder(path);  (folder.Add | folder.LeaveOut)*;  folder.Finish();
//
// Nothing is seen under the folder's name before Finish; destruction without Finish removes what was begun. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace auforge::datasets {

// "../a//b.jpg" -> "a/b.jpg": a path below a folder, whatever a crawl calls its images. ending: ".jpg" or ".png", put behind it
// unless it is there (also as .jpeg).
std::string FileBelow(const std::string& key, const std::string& ending);

class ImageFolder {
 public:
  // Throws std::invalid_argument when there is something in the folder.
  explicit ImageFolder(const std::string& path);
  ~ImageFolder();
  ImageFolder(const ImageFolder&) = delete;
  ImageFolder& operator=(const ImageFolder&) = delete;

  // bytes: a JPEG or PNG. A name that cannot be had gets "#2".
  void Add(const std::string& key, std::span<const std::uint8_t> bytes);
  // A line of left-out.jsonl: {"key", "reason"}.
  void LeaveOut(const std::string& key, const std::string& reason);
  void Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auforge::datasets
