// Picture files and addresses of pictures one after the other, with what lies beside the files.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "datasets/content_kind.h"
#include "datasets/image_source.h"
#include "datasets/internal/crawl_table.h"

namespace auforge::datasets {

struct FileEntry {
  std::string path;
  std::string key;
  int error = 0;            // errno that is known already
  bool look_beside = true;  // for FilesBeside
  bool is_address = false;
  bool begins_folder = true;  // no picture of its folder comes before
};

// Where captions (first) and records of a picture may lie: PATH.txt, PATH.json and the same with the ending replaced.
std::vector<std::string> FilesBeside(const std::string& picture);
// Where the CrawlTable of the picture's folder may lie; empty for a picture in the working folder.
std::string TablePathOf(const std::string& picture);

class FileReader : public ItemReader {
 public:
  // begin, end: must outlive the reader.
  FileReader(const FileEntry* begin, const FileEntry* end, std::uint64_t max_bytes, FetchOptions fetch = {})
      : next_(begin), end_(end), max_bytes_(max_bytes), fetch_(std::move(fetch)) {}

  bool Next(ImageItem& item) override;
  SideNotes Notes() const override { return notes_; }
  // One address that gives nothing is a hole in a list; all of them are a network that is down.
  std::string Fault() const override;

 private:
  void ReadBeside(ImageItem& item);
  bool Fetch(ImageItem& item);
  void LookUp(const FileEntry& entry, ImageItem& item);

  const FileEntry* next_;
  const FileEntry* end_;
  std::uint64_t max_bytes_;
  FetchOptions fetch_;
  std::size_t fetched_ = 0, failed_ = 0;
  std::string last_fault_;
  bool is_stopped_ = false;
  std::string table_path_;  // of the folder that is being read
  CrawlTable table_;
  SideNotes notes_;
};

// What the first bytes of a file say. error: errno where they cannot be read, or that of a path that is no file.
ContentKind TellFile(const std::string& path, int& error);
// The rule of ListPictures for one file: by its name where that promises a picture, else by its content.
bool IsPictureAt(const std::string& path);

}  // namespace auforge::datasets
