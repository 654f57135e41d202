#include "datasets/query/describe.h"

#include <algorithm>
#include <numeric>

namespace auforge::datasets::query {
namespace {

constexpr std::size_t kColumnsPay = 24;  // faces of one shard from which reading whole columns is quicker

// One shard's values for some of its faces.
class Source {
 public:
  Source(const FaceIndex& index, std::uint32_t shard, std::size_t wanted)
      : store_(index.store()), shard_(index.shards()[shard]), whole_(wanted >= kColumnsPay) {}

  template <typename T>
  void Read(const std::string& column, std::span<const std::uint32_t> faces,
            const std::function<void(std::size_t, T)>& put) const {
    if (whole_) {
      const std::vector<T> values = store_.Column<T>(shard_, column);
      for (std::size_t i = 0; i < faces.size(); ++i) put(i, values.at(faces[i]));
    } else {
      for (std::size_t i = 0; i < faces.size(); ++i) put(i, store_.Entry<T>(shard_, column, faces[i]));
    }
  }
  const IndexedShard& shard() const { return shard_; }
  const IndexStore& store() const { return store_; }

 private:
  const IndexStore& store_;
  const IndexedShard& shard_;
  bool whole_;
};

void DescribeShard(const Source& source, std::span<const std::uint32_t> faces,
                   std::span<FaceSummary* const> out) {
  const auto numbers = [&](const char* column, float FaceSummary::*member) {
    source.Read<float>(column, faces, [&](std::size_t i, float value) { out[i]->*member = value; });
  };
  numbers("quality", &FaceSummary::quality);
  numbers("score", &FaceSummary::score);
  numbers("yaw", &FaceSummary::yaw);
  numbers("pitch", &FaceSummary::pitch);
  numbers("roll", &FaceSummary::roll);
  numbers("size", &FaceSummary::size);
  source.Read<std::int32_t>("face", faces,
                            [&](std::size_t i, std::int32_t value) { out[i]->face_index = value; });
  const auto& emotions = source.shard().emotion_names;
  source.Read<std::uint8_t>("emotion", faces, [&](std::size_t i, std::uint8_t value) {
    out[i]->emotion = value < emotions.size() ? emotions[value] : "unknown";
  });
  source.Read<std::uint32_t>("text", faces, [&](std::size_t i, std::uint32_t row) {
    out[i]->text = source.store().Text(source.shard(), row);
  });
  for (const int au : source.shard().schema.numbers()) {
    const std::string number = std::to_string(au);
    source.Read<float>("i" + number, faces,
                       [&](std::size_t i, float value) { out[i]->intensity.push_back(value); });
    source.Read<float>("p" + number, faces,
                       [&](std::size_t i, float value) { out[i]->probability.push_back(value); });
    source.Read<std::uint8_t>("e" + number, faces,
                              [&](std::size_t i, std::uint8_t value) { out[i]->present.push_back(value); });
  }
}

// Positions of the faces, those of one shard next to each other.
std::vector<std::size_t> ByShard(std::span<const FaceReference> faces) {
  std::vector<std::size_t> order(faces.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return faces[a].shard < faces[b].shard; });
  return order;
}

}  // namespace

std::vector<FaceSummary> Describe(const FaceIndex& index, std::span<const FaceReference> faces) {
  std::vector<FaceSummary> summaries(faces.size());
  const std::vector<std::size_t> order = ByShard(faces);
  for (std::size_t begin = 0; begin < order.size();) {
    const std::uint32_t shard = faces[order[begin]].shard;
    std::vector<std::uint32_t> rows;
    std::vector<FaceSummary*> out;
    std::size_t end = begin;
    for (; end < order.size() && faces[order[end]].shard == shard; ++end) {
      rows.push_back(faces[order[end]].face);
      out.push_back(&summaries[order[end]]);
      out.back()->face = faces[order[end]];
    }
    DescribeShard(Source(index, shard, rows.size()), rows, out);
    begin = end;
  }
  return summaries;
}

std::shared_ptr<const ShardReader> ShardCache::Open(std::uint32_t shard) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(open_.begin(), open_.end(), [shard](const auto& entry) { return entry.first == shard; });
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
  } else {
    open_.emplace_front(shard, std::make_shared<const ShardReader>(index_.ShardPath(shard)));
    if (open_.size() > most_) open_.pop_back();
  }
  return open_.front().second;
}

void VisitByShard(ShardCache& cache, std::span<const FaceReference> faces,
                  const std::function<void(std::size_t, const ShardReader&)>& visit) {
  for (const std::size_t position : ByShard(faces)) visit(position, *cache.Open(faces[position].shard));
}

}  // namespace auforge::datasets::query
