// Where images come from: files, folders, lists, tars and videos become input shards, each an ordered stream of items.
// The plan (which item belongs to which shard, in which order) depends on the names alone, never on timing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "datasets/outcome.h"

namespace auforge::datasets {

// One image with what is known about it. status is kOk unless reading it already failed; then message says why.
struct ImageItem {
  std::string key;                  // unique within the run: path relative to its input, or member name up to the first dot
  std::string path;                 // file path or "archive.tar:member", for messages
  std::vector<std::uint8_t> bytes;  // the encoded image
  std::string url;
  std::string keywords;             // caption text (webdataset .txt, or "caption" in .json)
  std::string licence;              // "license" or "licence" in .json
  Outcome status = Outcome::kOk;
  std::string message;
};

struct SourceOptions {
  std::size_t shard_size = 10000;            // images per shard for folders, files and lists, >= 1
  std::uint64_t max_bytes = 64ULL << 20;     // an image file larger than this is kTooLarge and is not read
  void Validate() const;
};

// An ordered stream of items; used by one thread.
class ItemReader {
 public:
  virtual ~ItemReader() = default;
  // Fills `item` and returns true, or returns false at the end. Damage to one member is an item with a status;
  // a damaged archive yields what can be read and then one item with status kUnreadable.
  virtual bool Next(ImageItem& item) = 0;
};

struct InputShard {
  int index = 0;             // number of the output shard
  std::string name;          // for progress and provenance: the tar's path, or "images 0..9999 of DIR"
  std::size_t count = 0;     // number of items where known beforehand, else 0
  std::string digest;        // of the items' keys where known beforehand: tells that a folder has changed
};

class ImageSource {
 public:
  // inputs: files, folders (their images and tars; recursive, sorted by bytes), @list files (a path per line), tars
  // (.tar, .tar.gz, .tar.zst), videos where they are named themselves (a shard each; those in a folder are left alone)
  // and braces {00000..00012}. Throws std::runtime_error naming an input that does not
  // exist, or when there is nothing to read.
  static ImageSource Plan(const std::vector<std::string>& inputs, const SourceOptions& options);
  ImageSource(ImageSource&&) noexcept;
  ImageSource& operator=(ImageSource&&) noexcept;
  ~ImageSource();

  const std::vector<InputShard>& Shards() const;
  // Thread-safe: several shards may be read at once, each reader by one thread.
  std::unique_ptr<ItemReader> Open(const InputShard& shard) const;

 private:
  ImageSource();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auforge::datasets
