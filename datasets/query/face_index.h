// The index of a folder of shards, kept up to date: opened, compared with the files, and mended.
// Thread-safe once constructed. Shards that cannot be read are named in left_out() and are not remembered: the next
// time they are tried again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "datasets/query/index_store.h"
#include "datasets/query/near_faces.h"
#include "datasets/shard.h"

namespace auforge::datasets::query {

struct IndexOptions {
  std::string
      file;  // where the index is kept; empty: auforge-index.sqlite in the folder. ":memory:": nowhere
  bool rebuild = false;  // throw away what is there
  // Called after each shard that was indexed: how many of how many, and the faces indexed so far.
  std::function<void(std::size_t done, std::size_t shards, std::uint64_t faces)> progress;
  StopCheck stop;  // true ends the building, and waiting for another process; what is done is kept
  std::function<void(const std::string&)> notice;  // told what is waited for, where that takes long
};

// A shard that is not in the index.
struct LeftOutShard {
  std::string name;         // "00012.h5"
  std::string fault;        // names the file
  bool is_damaged = false;  // its content is at fault; else it could not be read this time
};

class FaceIndex {
 public:
  // folder: of finished shards. Throws std::runtime_error when there are none, QueryStopped when told to
  // stop.
  FaceIndex(const std::string& folder, const IndexOptions& options);
  // Over rows that are there already, whatever the files say (tests and benchmarks).
  explicit FaceIndex(IndexStore store);
  FaceIndex(FaceIndex&&) noexcept;
  ~FaceIndex();

  const std::string& folder() const { return folder_; }
  const std::vector<IndexedShard>& shards() const { return shards_; }  // readable ones, by name
  const std::vector<LeftOutShard>& left_out() const { return left_out_; }
  const IndexStore& store() const { return store_; }
  // Why the index is in memory although it should not be; empty when it is kept.
  const std::string& note() const { return note_; }
  std::string ShardPath(std::size_t shard) const;
  std::uint64_t FaceCount() const;
  std::uint64_t ImageCount() const;
  // Over all shards.
  std::vector<std::string> EmotionNames() const;
  features::AuSchema Schema() const;
  // FindNearDuplicates (datasets/query/near_faces.h), computed when it is first asked for and kept.
  const std::vector<FaceMask>& NearDuplicates(const StopCheck& stop) const;

 private:
  void Open(const IndexOptions& options);
  void Refresh(const IndexOptions& options, const std::vector<std::string>& shards);

  std::string folder_, note_;
  IndexStore store_;
  std::vector<IndexedShard> shards_;
  std::vector<LeftOutShard> left_out_;
  struct Near;
  std::unique_ptr<Near> near_;
};

// What the index keeps of a shard.
struct ShardRows {
  IndexedShard shard;
  FaceColumns columns;
  std::vector<ImageText> texts;
};
ShardRows RowsOfShard(const ShardReader& shard);

}  // namespace auforge::datasets::query
