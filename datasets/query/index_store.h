// The index as a file: what can be asked of faces, shard by shard, in one SQLite database. It is a cache:
// whatever is in it can be made again from the shards, and it is thrown away when it is damaged or of another
// version. A column of one shard is one blob, so that a question reads the columns that it names and nothing
// else; captions are in an FTS5 table. Every shard is put in one transaction: a kill leaves whole shards.
// Thread-safe: calls take turns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "features/au_schema.h"
#include "features/image_hash.h"

namespace auforge::datasets::query {

// A question took longer than it may, or was called off.
struct QueryStopped : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// Asked now and then by what can take long; true ends it with QueryStopped. Empty: never.
using StopCheck = std::function<bool()>;

struct IndexedShard {
  std::int64_t id = 0;        // row of the index; filled by IndexStore
  std::string name;           // "00012.h5"
  std::int64_t bytes = 0;     // of the file, and
  std::int64_t modified = 0;  // of its content, and
  std::int64_t changed = 0;   // of its inode, nanoseconds: what tells whether it is still the same
  std::uint32_t faces = 0;
  std::uint32_t images = 0;     // rows of /samples, whatever became of them
  std::int64_t first_text = 0;  // images with a face have texts first_text .. first_text + texts - 1
  std::uint32_t texts = 0;
  features::AuSchema schema;
  std::vector<std::string> emotion_names;
  bool has_halves = false;         // columns "l12", "r12" are there, for AUs that have sides
  bool has_emotion_score = false;  // column "emotion_score" is
  bool has_hashes = false;         // columns "crop_hash" and "image_hash" are
  std::string source, model_digest, detector, config_digest, tool_version, created;
};

struct ImageText {
  std::string key, url, caption;
  std::string licence, robots;  // empty: unknown
};

// Columns of the faces of one shard, each as long as the shard has faces.
struct FaceColumns {
  std::vector<std::vector<float>> intensity;       // [A][N], 0..5
  std::vector<std::vector<float>> probability;     // [A][N], 0..1
  std::vector<std::vector<std::uint8_t>> present;  // [A][N], 0 or 1
  std::vector<float> quality, score, yaw, pitch, roll, size;
  std::vector<std::vector<float>> left, right;     // [A][N], 0..5; empty where the shard does not tell
  std::vector<float> emotion_score;                // empty likewise
  std::vector<features::ImageHash> crop_hash, image_hash;  // likewise; the latter is its image's
  std::vector<std::uint8_t> emotion, rule;         // indices into emotion_names: the nearest, by the exact rule
  std::vector<std::int32_t> face_index;
  std::vector<std::uint32_t> text;  // row in the shard's texts
};

// What is done while another process has the index.
struct IndexWait {
  StopCheck stop;                                   // true ends waiting
  std::function<void(const std::string&)> notice;  // told once, after a second or two, what is waited for
};

class IndexStore {
 public:
  // Opens or creates; ":memory:" keeps it in memory. A file that is damaged or of another version is
  // replaced. Throws std::runtime_error naming the file when it can neither be read nor written.
  explicit IndexStore(const std::string& path, IndexWait wait = {});
  ~IndexStore();
  IndexStore(IndexStore&&) noexcept;
  IndexStore& operator=(IndexStore&&) noexcept;

  const std::string& path() const;
  std::vector<IndexedShard> Shards() const;  // by name
  // Adds the shard, or replaces the one of that name. Throws std::runtime_error when the disk is full.
  void Put(IndexedShard shard, const FaceColumns& columns, const std::vector<ImageText>& texts);
  void Remove(const std::string& name);

  // One column of one shard: "i12" intensity, "p12" probability, "e12" presence of AU 12; "quality", "score",
  // "yaw", "pitch", "roll", "size", "emotion", "rule", "face", "text"; where the shard has them "l12" and "r12"
  // (halves), "emotion_score", "crop_hash" and "image_hash" (ImageHash). T is float, std::uint8_t, std::int32_t,
  // std::uint32_t or features::ImageHash.
  template <typename T>
  std::vector<T> Column(const IndexedShard& shard, const std::string& column) const;
  // One entry of it, without reading the rest.
  template <typename T>
  T Entry(const IndexedShard& shard, const std::string& column, std::size_t face) const;
  ImageText Text(const IndexedShard& shard, std::uint32_t row) const;

  // Ascending rows of the texts (over all shards) whose caption holds the words next to each other; a last
  // word that ends in * is a beginning. Letters of either case and with or without accents are alike. Of scripts
  // without spaces between words, any letters that follow each other.
  std::vector<std::int64_t> MatchCaption(const std::string& words, const StopCheck& stop = {}) const;
  // Rows whose key or URL contains the text, or is the pattern.
  std::vector<std::int64_t> MatchSource(const std::string& pattern, const StopCheck& stop = {}) const;
  // Rows with a known licence or known directives for robots of which `fits` says yes. It is asked once for each text that
  // there is, in no particular order.
  std::vector<std::int64_t> MatchLicence(const std::function<bool(std::string_view)>& fits, const StopCheck& stop = {}) const;
  std::vector<std::int64_t> MatchRobots(const std::function<bool(std::string_view)>& fits, const StopCheck& stop = {}) const;
  // Rows of the images with this key, ascending.
  std::vector<std::int64_t> MatchKey(const std::string& key) const;
  // Words of captions and the number of images with a face that have them, most frequent first.
  std::vector<std::pair<std::string, std::uint64_t>> Words(std::size_t limit) const;
  // Calls visit(word, row) for every word of every caption, each row once a word, words in order.
  void VisitWords(const std::function<void(const std::string&, std::int64_t)>& visit,
                  const StopCheck& stop = {}) const;

 private:
  std::vector<std::int64_t> MatchKnown(const char* sql, const std::function<bool(std::string_view)>& fits,
                                       const StopCheck& stop) const;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auforge::datasets::query
