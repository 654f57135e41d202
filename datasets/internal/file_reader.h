// Picture files one after the other, with what lies beside them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/content_kind.h"
#include "datasets/image_source.h"

namespace auforge::datasets {

struct FileEntry {
  std::string path;
  std::string key;
  int error = 0;            // errno that is known already
  bool look_beside = true;  // for FilesBeside
};

// Where captions (first) and records of a picture may lie: PATH.txt, PATH.json and the same with the ending replaced.
std::vector<std::string> FilesBeside(const std::string& picture);

class FileReader : public ItemReader {
 public:
  // begin, end: must outlive the reader.
  FileReader(const FileEntry* begin, const FileEntry* end, std::uint64_t max_bytes)
      : next_(begin), end_(end), max_bytes_(max_bytes) {}

  bool Next(ImageItem& item) override;
  SideNotes Notes() const override { return notes_; }

 private:
  void ReadBeside(ImageItem& item);

  const FileEntry* next_;
  const FileEntry* end_;
  std::uint64_t max_bytes_;
  SideNotes notes_;
};

// What the first bytes of a file say. error: errno where they cannot be read, or that of a path that is no file.
ContentKind TellFile(const std::string& path, int& error);
// The rule of ListPictures for one file: by its name where that promises a picture, else by its content.
bool IsPictureAt(const std::string& path);

}  // namespace auforge::datasets
