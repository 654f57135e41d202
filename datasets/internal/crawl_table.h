// The table that a crawler leaves beside its shards: img2dataset's 00000.parquet of 00000.tar, or of the folder 00000. It
// says of everything that was tried what became of it, also of what is not among the images.
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "datasets/internal/metadata.h"

namespace auforge::datasets {

class CrawlTable {
 public:
  // Where the table of an archive or of a folder of pictures lies: "d/00000.tar.gz" and "d/00000" -> "d/00000.parquet".
  static std::string PathFor(const std::string& shard);

  CrawlTable() = default;
  // Empty where there is no such file, or one without a column "key", which is not a crawler's. One that cannot be read
  // is empty, too, and AddTo says why: it costs the texts, never the images. Throws for want of memory only.
  explicit CrawlTable(const std::string& path);

  // url, caption and licence of the image with this key; nullptr where nothing is known.
  const Metadata* Find(const std::string& key) const;
  // What became of all that was tried, or why the table cannot be read.
  void AddTo(SideNotes& notes) const;

 private:
  void Read(int descriptor, std::uint64_t size);

  std::unordered_map<std::string, Metadata> by_key_;
  std::map<std::string, LeftOut> statuses_;  // the example is the first error message
  std::string fault_;                        // with the file's name
};

}  // namespace auforge::datasets
