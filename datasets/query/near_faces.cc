#include "datasets/query/near_faces.h"

#include <algorithm>
#include <optional>

#include "datasets/near_duplicates.h"
#include "datasets/query/expression.h"
#include "datasets/query/face_index.h"
#include "features/number.h"
#include "features/picture_hash.h"

namespace auforge::datasets::query {
namespace {

using features::ImageHash;

constexpr std::size_t kBetweenChecks = 4096;  // faces between two looks at `stop`

void CheckStop(const StopCheck& stop) {
  if (stop && stop()) throw QueryStopped("the query took too long and was stopped");
}

// The faces that a question names: of each shard, in order.
using Named = std::vector<FaceMask>;

// "00012.h5:345"
std::optional<Named> NamedRow(const FaceIndex& index, const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto row = features::ParseCount(text.substr(colon + 1));
  Named named;
  bool is_there = false;
  for (const IndexedShard& shard : index.shards()) {
    FaceMask& mask = named.emplace_back(shard.faces);
    if (shard.name != text.substr(0, colon) || !row || *row >= shard.faces) continue;
    mask[*row] = 1;
    is_there = true;
  }
  if (!is_there) return std::nullopt;
  return named;
}

Named NamedImages(const FaceIndex& index, const std::vector<std::int64_t>& texts) {
  Named named;
  for (const IndexedShard& shard : index.shards()) {
    FaceMask& mask = named.emplace_back(shard.faces);
    const auto begin = std::lower_bound(texts.begin(), texts.end(), shard.first_text);
    const auto end = std::lower_bound(begin, texts.end(), shard.first_text + shard.texts);
    if (begin == end) continue;
    const std::vector<std::uint32_t> text = index.store().Column<std::uint32_t>(shard, "text");
    for (std::size_t i = 0; i < mask.size(); ++i)
      mask[i] = std::binary_search(begin, end, shard.first_text + text[i]) ? 1 : 0;
  }
  return named;
}

struct Hashes {
  std::vector<ImageHash> crops, images;
};

Hashes HashesOf(const FaceIndex& index, const Named& named) {
  Hashes hashes;
  for (std::size_t s = 0; s < named.size(); ++s) {
    const IndexedShard& shard = index.shards()[s];
    if (!shard.has_hashes || std::find(named[s].begin(), named[s].end(), 1) == named[s].end()) continue;
    const auto crops = index.store().Column<ImageHash>(shard, "crop_hash");
    const auto images = index.store().Column<ImageHash>(shard, "image_hash");
    for (std::size_t i = 0; i < named[s].size(); ++i) {
      if (named[s][i] == 0) continue;
      hashes.crops.push_back(crops[i]);
      if (!images[i].IsNone()) hashes.images.push_back(images[i]);
    }
  }
  return hashes;
}

}  // namespace

std::vector<FaceMask> FindNearDuplicates(const FaceIndex& index, const StopCheck& stop) {
  std::vector<FaceMask> masks;
  NearDuplicateSet kept;
  for (const IndexedShard& shard : index.shards()) {
    FaceMask& mask = masks.emplace_back();
    if (!shard.has_hashes) continue;
    mask.resize(shard.faces);
    const auto hashes = index.store().Column<ImageHash>(shard, "crop_hash");
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      if (i % kBetweenChecks == 0) CheckStop(stop);
      if (kept.Find(hashes[i])) {
        mask[i] = 1;
      } else {
        kept.Insert(hashes[i]);
      }
    }
  }
  return masks;
}

std::vector<FaceMask> FindDuplicatesOf(const FaceIndex& index, const std::string& key, std::size_t column, const StopCheck& stop) {
  const std::vector<std::int64_t> texts = index.store().MatchKey(key);
  std::optional<Named> named;
  if (!texts.empty()) named = NamedImages(index, texts);
  const bool is_of_image = named.has_value();
  if (!named) named = NamedRow(index, key);
  if (!named)
    throw ExpressionError("no image with a face has the key \"" + key.substr(0, 60) + "\", and it is no SHARD.h5:ROW", column);
  const Hashes wanted = HashesOf(index, *named);
  if (wanted.crops.empty()) throw ExpressionError("the shard of that image has no perceptual hashes; annotate again", column);
  std::vector<FaceMask> masks;
  for (std::size_t s = 0; s < named->size(); ++s) {
    CheckStop(stop);
    const IndexedShard& shard = index.shards()[s];
    FaceMask& mask = masks.emplace_back();
    if (!shard.has_hashes) continue;
    mask.resize(shard.faces);
    const auto crops = index.store().Column<ImageHash>(shard, "crop_hash");
    const auto images = index.store().Column<ImageHash>(shard, "image_hash");
    for (std::size_t i = 0; i < mask.size(); ++i) {
      const auto is_near = [&](const ImageHash& hash) { return features::AreNearDuplicates(hash, crops[i]); };
      const auto is_on_it = [&](const ImageHash& hash) { return features::AreNearImages(hash, images[i]); };
      mask[i] = (*named)[s][i] == 0 && (std::any_of(wanted.crops.begin(), wanted.crops.end(), is_near) ||
                                        (is_of_image && std::any_of(wanted.images.begin(), wanted.images.end(), is_on_it)))
                    ? 1
                    : 0;
    }
  }
  return masks;
}

}  // namespace auforge::datasets::query
