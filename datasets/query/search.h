// Finding faces: an expression evaluated over the columns of an index, shard by shard.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "datasets/query/expression.h"
#include "datasets/query/face_index.h"

namespace auforge::datasets::query {

struct FaceReference {
  std::uint32_t shard = 0;  // position in FaceIndex::shards()
  std::uint32_t face = 0;   // row in it
  friend bool operator==(const FaceReference&, const FaceReference&) = default;
};

// In which order faces come; ties, and kStored, in that of the shards.
struct Order {
  enum class Kind { kStored, kField, kRandom };
  Kind kind = Kind::kStored;
  Field field = Field::kQuality;
  int au = 0;
  bool ascending = false;  // default: the highest first
  std::uint64_t seed = 1;  // kRandom
};
// "", "AU12", "+AU12" (lowest first), "AU12.probability", "quality", "random", "random:7". Throws
// ExpressionError.
Order ParseOrder(const std::string& text);

// The faces that were found. A plain value; memory: a bit for each face of the shards, and 8 bytes for each
// face found when an order is asked for.
class Selection {
 public:
  std::uint64_t Count() const { return count_; }
  // Faces offset .. offset + limit - 1, fewer at the end.
  std::vector<FaceReference> Page(std::uint64_t offset, std::uint64_t limit) const;
  // visit(shard, its faces in ascending order), shards with none left out; not in the order asked for.
  void VisitShards(const std::function<void(std::uint32_t, const std::vector<std::uint32_t>&)>& visit) const;
  bool Contains(FaceReference face) const;
  // Leaves out every face for which `leave` is true; asked once for each, shard by shard.
  void Remove(const std::function<bool(FaceReference)>& leave);
  // Shards that do not have what the question is about (an AU, halves, hashes), and were left out.
  std::size_t UnmeasuredShards() const { return unmeasured_; }
  std::size_t MemoryBytes() const;

 private:
  friend Selection Find(const FaceIndex&, const Expression&, const Order&, const StopCheck&);
  void Add(std::uint32_t shard, const std::vector<std::uint8_t>& mask);

  std::uint64_t count_ = 0;
  std::size_t unmeasured_ = 0;
  bool sorted_ = false;
  std::vector<std::vector<std::uint64_t>> bits_;  // for each shard
  std::vector<std::uint64_t> counts_;             // faces found in each shard
  std::vector<FaceReference> order_;              // when sorted_
};

// Throws ExpressionError for an AU that no shard measures or an emotion that none knows (the nearest is
// named), and QueryStopped.
Selection Find(const FaceIndex& index, const Expression& expression, const Order& order = {},
               const StopCheck& stop = {});

// The float column of a field; presence, face index and emotion as numbers.
std::vector<float> FieldColumn(const IndexStore& store, const IndexedShard& shard, Field field, int au);

// One row of EmotioNet's tables: how many images, and how many faces in them.
struct Tally {
  std::string name;
  std::uint64_t images = 0;
  std::uint64_t faces = 0;
};
std::vector<Tally> TallyEmotions(const FaceIndex& index, const Selection& selection);  // most images first
std::vector<Tally> TallyAus(const FaceIndex& index, const Selection& selection);  // AUs present, by number
// words: concepts to count, each as MatchCaption takes it; empty: the words of the captions, most frequent
// first.
std::vector<Tally> TallyKeywords(const FaceIndex& index, const Selection& selection,
                                 const std::vector<std::string>& words, std::size_t limit,
                                 const StopCheck& stop = {});

}  // namespace auforge::datasets::query
