#include "tools/crawl/internal/explorer_json.h"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "datasets/image_codec.h"
#include "features/au_partition.h"
#include "tools/crawl/face_drawing.h"

namespace auforge::tools {
namespace {

using nlohmann::json;

// Two decimals are what a page shows; more only make the answer longer.
double Rounded(float value, double unit = 100) {
  return std::round(static_cast<double>(value) * unit) / unit;
}

json Points(const std::vector<features::Point2>& points) {
  json list = json::array();
  for (const features::Point2& point : points) list.push_back({Rounded(point.x, 10), Rounded(point.y, 10)});
  return list;
}

// The polygons of the region that an AU acts in.
json Regions(int au, const features::Landmarks68& landmarks) {
  json polygons = json::array();
  const int group = features::AuGroupOf(au);
  if (group == 0) return polygons;
  for (const int roi : features::AuGroups()[static_cast<std::size_t>(group - 1)].rois) {
    polygons.push_back(Points(features::RoiPolygon(roi, landmarks)));
  }
  return polygons;
}

}  // namespace

json InfoJson(const datasets::query::FaceIndex& index, const std::string& title,
              const std::vector<int>& editable) {
  json aus = json::array();
  const features::AuSchema schema = index.Schema();
  for (const int au : schema.numbers())
    aus.push_back({{"number", au}, {"name", std::string(features::AuName(au))}});
  json damaged = json::array();
  for (const auto& shard : index.left_out())
    damaged.push_back({{"shard", shard.name}, {"fault", shard.fault}});
  std::set<std::string> models, detectors, versions;
  for (const auto& shard : index.shards()) {
    models.insert(shard.model_digest);
    detectors.insert(shard.detector);
    versions.insert(shard.tool_version);
  }
  return {{"title", title},
          {"faces", index.FaceCount()},
          {"images", index.ImageCount()},
          {"shards", index.shards().size()},
          {"aus", aus},
          {"emotions", index.EmotionNames()},
          {"damaged", damaged},
          {"models", models},
          {"detectors", detectors},
          {"versions", versions},
          {"editable", editable}};
}

json SummaryJson(const datasets::query::FaceIndex& index, const datasets::query::FaceSummary& face) {
  json aus = json::array();
  const auto& numbers = index.shards()[face.face.shard].schema.numbers();
  for (std::size_t j = 0; j < numbers.size(); ++j) {
    if (face.present[j] != 0) aus.push_back({numbers[j], Rounded(face.intensity[j])});
  }
  return {{"shard", face.face.shard}, {"face", face.face.face},           {"key", face.text.key},
          {"emotion", face.emotion},  {"quality", Rounded(face.quality)}, {"aus", aus}};
}

json FaceDetailJson(const datasets::ShardReader& shard, datasets::query::FaceReference reference) {
  const std::size_t face = reference.face;
  const auto& numbers = shard.header().schema.numbers();
  const features::Landmarks68 landmarks = CropLandmarks(shard, face);
  json aus = json::array();
  for (std::size_t j = 0; j < numbers.size(); ++j) {
    const std::size_t at = face * numbers.size() + j;
    aus.push_back({{"number", numbers[j]},
                   {"name", std::string(features::AuName(numbers[j]))},
                   {"intensity", Rounded(shard.AuIntensity()[at])},
                   {"probability", Rounded(shard.AuProbability()[at])},
                   {"present", shard.AuPresent()[at] != 0},
                   {"regions", Regions(numbers[j], landmarks)}});
    if (shard.AuLeft().empty() || std::isnan(shard.AuLeft()[at])) continue;
    aus.back()["left"] = Rounded(shard.AuLeft()[at]);
    aus.back()["right"] = Rounded(shard.AuRight()[at]);
  }
  const datasets::SampleRecord& sample = shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face]));
  const features::Box box = shard.FaceBox(face);
  const features::HeadPose pose = shard.Pose(face);
  const auto& emotions = shard.header().emotion_names;
  const cv::Mat crop = FacePicture(shard, face);
  return {{"shard", reference.shard},
          {"face", reference.face},
          {"shard_name", std::filesystem::path(shard.path()).filename().string()},
          {"source", shard.header().source},
          {"key", sample.key},
          {"url", sample.url},
          {"caption", sample.keywords},
          {"licence", sample.licence},
          {"robots", sample.robots},
          {"has_crop", shard.header().has_crops},
          {"image", {sample.width, sample.height}},
          {"face_index", shard.FaceIndex()[face]},
          {"box", {Rounded(box.x, 10), Rounded(box.y, 10), Rounded(box.width, 10), Rounded(box.height, 10)}},
          {"pose",
           {{"yaw", Rounded(pose.yaw, 10)},
            {"pitch", Rounded(pose.pitch, 10)},
            {"roll", Rounded(pose.roll, 10)}}},
          {"quality", Rounded(shard.Quality()[face])},
          {"score", Rounded(shard.DetectorScore()[face])},
          {"emotion", shard.Emotion()[face] < emotions.size() ? emotions[shard.Emotion()[face]] : "unknown"},
          {"emotion_score", shard.EmotionScore().empty() ? json() : json(Rounded(shard.EmotionScore()[face]))},
          {"emotion_rule",
           shard.EmotionByRule()[face] < emotions.size() ? emotions[shard.EmotionByRule()[face]] : "unknown"},
          {"crop", {crop.cols, crop.rows}},
          {"landmarks", Points({landmarks.begin(), landmarks.end()})},
          {"aus", aus}};
}

}  // namespace auforge::tools
