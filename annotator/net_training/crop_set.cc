#include "annotator/net_training/crop_set.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>

#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "datasets/storage/bad_content.h"
#include "features/align.h"
#include "features/feature_extractor.h"

namespace auforge::annotator {
namespace {

// An AU less of whose region can be seen is not taught: guessing is no skill.
constexpr float kLeastVisible = 0.4F;
constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

TrainingCrop ReadCrop(const datasets::ShardReader& shard, std::size_t face, int crop_size) {
  const datasets::DecodedImage stored = datasets::DecodeImage(shard.FaceImage(face), {});
  if (stored.status != datasets::Outcome::kOk) {
    throw datasets::storage::BadContent(shard.path() + ": face " + std::to_string(face) + ": " + stored.message);
  }
  const features::Landmarks68 landmarks = features::Transform(shard.CropFromImage(face), shard.Landmarks(face));
  return {stored.bgr, features::CropFromImage(landmarks, features::FeatureCrop(crop_size)), shard.Pose(face), 0};
}

// The columns of a shard for the AUs of `schema`.
std::vector<std::optional<std::size_t>> ColumnsOf(const datasets::ShardReader& shard,
                                                  const features::AuSchema& schema) {
  std::vector<std::optional<std::size_t>> columns;
  for (const int au : schema.numbers()) columns.push_back(shard.header().schema.Find(au));
  return columns;
}

// Faces rebuilt from one photo share its skin: one person.
std::string PersonOf(const std::optional<datasets::ExtraStrings>& photos,
                     const std::optional<datasets::ExtraDataset>& identities, const datasets::ShardReader& shard,
                     std::size_t face) {
  if (photos && face < photos->values.size() && !photos->values[face].empty()) return "photo " + photos->values[face];
  if (identities && face < identities->values.size())
    return "identity " + std::to_string(std::llround(identities->values[face]));
  return shard.path() + " " + std::to_string(shard.FaceSample()[face]);
}

// The face that the detector is surest of, for each sample that has any.
std::map<std::int64_t, std::size_t> SurestFaces(const datasets::ShardReader& shard) {
  std::map<std::int64_t, std::size_t> surest;
  for (std::size_t face = 0; face < shard.FaceCount(); ++face) {
    const auto [at, is_new] = surest.try_emplace(shard.FaceSample()[face], face);
    if (!is_new && shard.DetectorScore()[face] > shard.DetectorScore()[at->second]) at->second = face;
  }
  return surest;
}

// The picture's name without folder and ending.
std::string NameOfSample(const datasets::ShardReader& shard, std::int64_t sample) {
  return std::filesystem::path(shard.Sample(static_cast<std::size_t>(sample)).key).stem().string();
}

void AddRender(const datasets::ShardReader& shard, std::size_t face,
               const std::vector<std::optional<std::size_t>>& columns,
               const std::optional<datasets::ExtraDataset>& visibility,
               const std::optional<datasets::ExtraDataset>& left,
               const std::optional<datasets::ExtraDataset>& right, CropSet& set) {
  const std::size_t width = shard.header().schema.size();
  for (const auto& column : columns) {
    const std::size_t at = face * width + column.value_or(0);
    const bool known = column && (!visibility || visibility->values[at] >= kLeastVisible);
    set.intensity.push_back(known ? shard.AuIntensity()[at] : kUnknown);
    set.left.push_back(known && left ? left->values[at] : kUnknown);
    set.right.push_back(known && right ? right->values[at] : kUnknown);
  }
}

}  // namespace

CropSet LoadUnlabelledPhotos(const std::vector<std::string>& shards, const std::set<std::string>& taken,
                             const features::AuSchema& schema, int crop_size, const CropLog& log) {
  CropSet set;
  set.schema = schema;
  std::size_t left_out = 0;
  for (const std::string& path : datasets::FindShards(shards)) {
    const datasets::ShardReader shard(path);
    for (const auto& [sample, face] : SurestFaces(shard)) {
      if (taken.contains(NameOfSample(shard, sample))) {
        ++left_out;
      } else {
        set.crops.push_back(ReadCrop(shard, face, crop_size));
      }
    }
  }
  if (log) log(std::to_string(set.size()) + " photographs without codes, " + std::to_string(left_out) + " left out");
  const std::vector<float> unknown(set.size() * schema.size(), kUnknown);
  set.intensity = set.left = set.right = unknown;
  return set;
}

CropSet LoadRenders(const std::vector<std::string>& shards, const features::AuSchema& schema, int crop_size) {
  CropSet set;
  set.schema = schema;
  std::map<std::string, std::int64_t> people;
  for (const std::string& path : datasets::FindShards(shards)) {
    const datasets::ShardReader shard(path);
    const auto columns = ColumnsOf(shard, schema);
    const auto visibility = shard.Extra("/synthetic/au_visibility");
    const auto left = shard.Extra("/synthetic/au_left"), right = shard.Extra("/synthetic/au_right");
    const auto photos = shard.ExtraText("/synthetic/source");
    const auto identities = shard.Extra("/synthetic/identity");
    for (std::size_t face = 0; face < shard.FaceCount(); ++face) {
      set.crops.push_back(ReadCrop(shard, face, crop_size));
      set.crops.back().identity =
          people.try_emplace(PersonOf(photos, identities, shard, face), static_cast<std::int64_t>(people.size()))
              .first->second;
      AddRender(shard, face, columns, visibility, left, right, set);
    }
  }
  return set;
}

CropSet LoadPhotos(const std::vector<std::string>& shards, const datasets::LabelSet& labels,
                   const features::AuSchema& schema, int crop_size, const CropLog& log) {
  std::map<std::string, const datasets::LabelledImage*> by_key;
  for (const datasets::LabelledImage& image : labels.images)
    by_key[datasets::KeyOf(image)] = &image;
  std::vector<std::optional<std::size_t>> columns;
  for (const int au : schema.numbers()) columns.push_back(labels.schema.Find(au));

  CropSet set;
  set.schema = schema;
  std::set<std::string> found;
  std::size_t without_label = 0;
  for (const std::string& path : datasets::FindShards(shards)) {
    const datasets::ShardReader shard(path);
    for (const auto& [sample, face] : SurestFaces(shard)) {
      const auto label = by_key.find(NameOfSample(shard, sample));
      if (label == by_key.end()) {
        ++without_label;
        continue;
      }
      found.insert(label->first);
      set.crops.push_back(ReadCrop(shard, face, crop_size));
      set.crops.back().identity = static_cast<std::int64_t>(found.size());
      for (const auto& column : columns) {
        set.intensity.push_back(column ? label->second->intensity[*column] : kUnknown);
        set.left.push_back(kUnknown);
        set.right.push_back(kUnknown);
      }
    }
  }
  if (log) {
    log(std::to_string(set.size()) + " pictures of " + std::to_string(found.size()) + " coded photographs; " +
        std::to_string(by_key.size() - found.size()) + " codes without a face, " + std::to_string(without_label) +
        " faces without a code");
  }
  if (set.crops.empty())
    throw datasets::storage::BadContent("none of the coded photographs has a face in the shards of --photos; annotate these photographs");
  return set;
}

}  // namespace auforge::annotator
