// Where images come from: files, folders, lists, tars, videos and addresses become input shards, each an ordered stream of items.
// The plan (which item belongs to which shard, in which order) depends on the names alone, never on timing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "datasets/address.h"
#include "datasets/outcome.h"

namespace auforge::datasets {

// One image with what is known about it. status is kOk unless reading it already failed; then message says why.
struct ImageItem {
  // Unique within the run: a file's path below its folder (which comes first where several inputs are given), a line of
  // a list, or a member's name up to the first dot.
  std::string key;
  std::string path;                 // file path or "archive.tar:member", for messages
  std::vector<std::uint8_t> bytes;  // the encoded image; empty where there are
  cv::Mat pixels;                   // pixels instead, CV_8UC3 BGR, upright: of an image that was never encoded
  std::string url;
  std::string keywords;             // caption: a .txt beside the image, or "caption" in a .json there
  std::string licence;              // "license" or "licence" there
  std::string robots;               // what the site asks of robots (datasets/robots.h), from "robots", "noai", … there
  long frame = 0;                   // of a video, from 1; 0: no frame of a video
  double timestamp = 0;             // of that frame, seconds
  std::string file_state;           // FileStateDigest of a file that came while its folder was watched
  Outcome status = Outcome::kOk;
  std::string message;
};

struct SourceOptions {
  std::size_t shard_size = 10000;            // images per shard for folders, files and lists, >= 1
  std::uint64_t max_bytes = 64ULL << 20;     // an image file larger than this is kTooLarge and is not read
  FetchOptions fetch = {};                   // how inputs that are addresses are read
  void Validate() const;
};

// Things of one kind that are counted: files or members that are no pictures, …
struct LeftOut {
  std::uint64_t count = 0;
  std::string example;  // the first one's name

  void Add(std::uint64_t more, const std::string& name);
};

// What there is beside the images and has no row.
struct SideNotes {
  std::uint64_t metadata = 0;           // captions and JSON records of the images
  std::uint64_t damaged_metadata = 0;   // of which part, or all, could not be read
  std::uint64_t lone_metadata = 0;      // that belong to no image
  std::map<std::string, LeftOut> left_out;  // "text", "Parquet", "video", …
  // What a crawler's tables (00000.parquet of 00000.tar) say of all that it tried: "success", "failed_to_download", …; the
  // example is the first error message.
  std::map<std::string, LeftOut> crawl;
  LeftOut unread_tables;  // that could not be read; the example says why

  // "2 text (README.txt, …), 1 Parquet (00000.parquet)"; empty when nothing was left out.
  std::string LeftOutText() const;
  void Leave(const std::string& kind, const std::string& name, std::uint64_t count = 1);
  void Add(const SideNotes& other);
};

// An ordered stream of items; used by one thread.
class ItemReader {
 public:
  virtual ~ItemReader() = default;
  // Fills `item` and returns true, or returns false at the end. Damage to one member is an item with a status;
  // a damaged archive yields what can be read and then one item with status kUnreadable.
  virtual bool Next(ImageItem& item) = 0;
  // After the end: what was beside the items.
  virtual SideNotes Notes() const { return {}; }
  // After the end: why what was read is not the whole input and is to be read anew another time, for people; empty when it
  // is. Only of addresses: what cannot be read of files is items.
  virtual std::string Fault() const { return {}; }
};

// One file by itself, without what lies beside it; its key is the path. Never throws for a file that is not there or
// cannot be read: the status says so.
ImageItem ReadImageFile(const std::string& path, std::uint64_t max_bytes);

struct InputShard {
  int index = 0;             // number of the output shard
  std::string name;          // for progress and provenance: the tar's path, or "images 0..9999 of DIR"
  std::size_t count = 0;     // number of items where known beforehand, else 0
  std::string digest;        // of the items' keys where known beforehand: tells that a folder has changed
};

// A picture file of a folder, and its path below the folder. error: errno where it cannot be read.
struct PictureFile {
  std::string path;
  std::string name;
  int error = 0;
};

struct PictureFolder {
  int error = 0;                      // errno where the folder itself cannot be listed; the rest is empty then
  std::vector<PictureFile> pictures;  // sorted by path
  std::vector<std::string> tars;      // likewise
  std::vector<std::string> folders;   // in which they lie or might, the listed one first
  bool has_side_files = false;        // captions or records beside pictures
  SideNotes notes;                    // what else there is
};

// All pictures of a folder and of those in it, by the rule of IsPictureFile: whatever is a picture by its content or says
// so by its name is one of them; so is what cannot be looked at (unless its name says that it is something else).
PictureFolder ListPictures(const std::string& folder);

// "x{00..12}y" -> x00y … x12y; several braces multiply. Any other text stands for itself. Throws std::runtime_error for a
// range that is empty or has more than 10,000,000 members.
std::vector<std::string> ExpandBraces(const std::string& text);

class ImageSource {
 public:
  // inputs: files, folders (ListPictures; and their tars), @list files (a path per line; "-" is the list on standard
  // input), tars (.tar, .tar.gz, .tar.zst, or by content), videos where they are named themselves (a shard each; those in
  // a folder are left alone), addresses of tars and pictures (address.h; in a list, what is not named like an archive is a
  // picture; named themselves, what is not named like a picture is a tar) and braces {00000..00012}. A list may be UTF-8 or UTF-16 with its mark, have lines that end
  // as on Windows, paths in quotes, or zeros between them (find -print0). Throws std::runtime_error naming an input that
  // does not exist, or when there is nothing to read, std::invalid_argument for an address that cannot be fetched.
  static ImageSource Plan(const std::vector<std::string>& inputs, const SourceOptions& options);
  ImageSource(ImageSource&&) noexcept;
  ImageSource& operator=(ImageSource&&) noexcept;
  ~ImageSource();

  const std::vector<InputShard>& Shards() const;
  // What the folders hold beside pictures.
  const SideNotes& Notes() const;
  // The files that are read for it, in the order of its items, then the captions, records and tables that there are beside
  // them.
  std::vector<std::string> Files(const InputShard& shard) const;
  // Thread-safe: several shards may be read at once, each reader by one thread.
  std::unique_ptr<ItemReader> Open(const InputShard& shard) const;

 private:
  ImageSource();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auforge::datasets
