#include "datasets/export/face_text.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "datasets/storage/checksum.h"

namespace auforge::datasets {
namespace {

std::string ShardName(const ShardReader& shard) {
  return std::filesystem::path(shard.path()).filename().string();
}

std::string NameOf(const ShardReader& shard, std::size_t emotion) {
  const auto& names = shard.header().emotion_names;
  return emotion < names.size() ? names[emotion] : "unknown";
}

// "" where the shard does not tell: an empty cell.
std::string ScoreText(const ShardReader& shard, std::size_t face) {
  return shard.EmotionScore().empty() ? "" : NumberText(shard.EmotionScore()[face]);
}

const SampleRecord& SampleOf(const ShardReader& shard, std::size_t face) {
  return shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face]));
}

std::string AusJson(const ShardReader& shard, std::size_t face) {
  const auto& numbers = shard.header().schema.numbers();
  std::string json = "{";
  for (std::size_t j = 0; j < numbers.size(); ++j) {
    const std::size_t at = face * numbers.size() + j;
    json += (j > 0 ? ",\"AU" : "\"AU") + std::to_string(numbers[j]) +
            "\":{\"intensity\":" + NumberText(shard.AuIntensity()[at]) +
            ",\"probability\":" + NumberText(shard.AuProbability()[at]) +
            ",\"present\":" + (shard.AuPresent()[at] != 0 ? "true" : "false");
    if (!shard.AuLeft().empty() && !std::isnan(shard.AuLeft()[at])) {
      json += ",\"left\":" + NumberText(shard.AuLeft()[at]) + ",\"right\":" + NumberText(shard.AuRight()[at]);
    }
    json += "}";
  }
  return json + "}";
}

}  // namespace

std::string JsonText(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string CsvText(std::string_view text) {
  std::string cell(text);
  if (!cell.empty() && std::string_view("=+-@\t\r").find(cell[0]) != std::string_view::npos)
    cell.insert(0, 1, '\'');
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string NumberText(float value) {
  if (!std::isfinite(value)) return "0";
  char text[64];
  const auto [end, fault] = std::to_chars(text, text + sizeof(text), value);
  return fault == std::errc() ? std::string(text, end) : "0";
}

std::string FaceJson(const ShardReader& shard, std::size_t face) {
  const SampleRecord& sample = SampleOf(shard, face);
  const features::Box box = shard.FaceBox(face);
  const features::HeadPose pose = shard.Pose(face);
  const features::Similarity crop = shard.CropFromImage(face);
  std::string json =
      "{\"shard\":" + JsonText(ShardName(shard)) + ",\"face\":" + std::to_string(face) +
      ",\"key\":" + JsonText(sample.key) + ",\"url\":" + JsonText(sample.url) +
      ",\"keywords\":" + JsonText(sample.keywords) + ",\"image\":{\"width\":" + std::to_string(sample.width) +
      ",\"height\":" + std::to_string(sample.height) + ",\"sha256\":\"" + storage::HexDigest(sample.sha256) +
      "\"},\"face_index\":" + std::to_string(shard.FaceIndex()[face]);
  json += ",\"box\":[" + NumberText(box.x) + "," + NumberText(box.y) + "," + NumberText(box.width) + "," +
          NumberText(box.height) + "]";
  json += ",\"pose\":{\"yaw\":" + NumberText(pose.yaw) + ",\"pitch\":" + NumberText(pose.pitch) +
          ",\"roll\":" + NumberText(pose.roll) + "}";
  json += ",\"quality\":" + NumberText(shard.Quality()[face]) +
          ",\"detector_score\":" + NumberText(shard.DetectorScore()[face]);
  json += ",\"emotion\":" + JsonText(NameOf(shard, shard.Emotion()[face]));
  if (const std::string score = ScoreText(shard, face); !score.empty()) json += ",\"emotion_score\":" + score;
  json += ",\"emotion_rule\":" + JsonText(NameOf(shard, shard.EmotionByRule()[face])) + ",\"aus\":" +
          AusJson(shard, face) + ",\"landmarks\":[";
  bool is_first = true;
  for (const features::Point2& point : shard.Landmarks(face)) {
    json += (is_first ? "[" : ",[") + NumberText(point.x) + "," + NumberText(point.y) + "]";
    is_first = false;
  }
  json += "],\"crop_from_image\":[[" + NumberText(crop.a) + "," + NumberText(-crop.b) + "," +
          NumberText(crop.tx) + "],[" + NumberText(crop.b) + "," + NumberText(crop.a) + "," +
          NumberText(crop.ty) + "]]}";
  return json;
}

std::string FaceCsvHeader(const features::AuSchema& schema, bool with_halves) {
  std::string header =
      "shard,face,key,url,keywords,image_width,image_height,face_index,box_x,box_y,box_width,box_height,yaw,"
      "pitch,roll,"
      "quality,detector_score,emotion,emotion_score,emotion_rule";
  for (const char* kind : {"_intensity", "_probability", "_present"}) {
    for (const std::string& name : schema.Names()) header += "," + name + kind;
  }
  if (!with_halves) return header;
  for (const char* kind : {"_left", "_right"}) {
    for (const int au : schema.numbers()) {
      if (features::AuHasSides(au)) header += ",AU" + std::to_string(au) + kind;
    }
  }
  return header;
}

std::string FaceCsvRow(const ShardReader& shard, std::size_t face, bool with_halves) {
  const SampleRecord& sample = SampleOf(shard, face);
  const features::Box box = shard.FaceBox(face);
  const features::HeadPose pose = shard.Pose(face);
  std::string row = CsvText(ShardName(shard)) + "," + std::to_string(face) + "," + CsvText(sample.key) + "," +
                    CsvText(sample.url) + "," + CsvText(sample.keywords) + "," +
                    std::to_string(sample.width) + "," + std::to_string(sample.height) + "," +
                    std::to_string(shard.FaceIndex()[face]);
  for (const float value : {box.x, box.y, box.width, box.height, pose.yaw, pose.pitch, pose.roll,
                            shard.Quality()[face], shard.DetectorScore()[face]}) {
    row += "," + NumberText(value);
  }
  row += "," + CsvText(NameOf(shard, shard.Emotion()[face])) + "," + ScoreText(shard, face) + "," +
         CsvText(NameOf(shard, shard.EmotionByRule()[face]));
  const std::size_t width = shard.header().schema.size();
  for (std::size_t j = 0; j < width; ++j) row += "," + NumberText(shard.AuIntensity()[face * width + j]);
  for (std::size_t j = 0; j < width; ++j) row += "," + NumberText(shard.AuProbability()[face * width + j]);
  for (std::size_t j = 0; j < width; ++j) row += shard.AuPresent()[face * width + j] != 0 ? ",1" : ",0";
  if (!with_halves) return row;
  for (const std::span<const float> half : {shard.AuLeft(), shard.AuRight()}) {
    for (std::size_t j = 0; j < width; ++j) {
      if (!features::AuHasSides(shard.header().schema.numbers()[j])) continue;
      row += ",";
      if (!half.empty() && !std::isnan(half[face * width + j])) row += NumberText(half[face * width + j]);
    }
  }
  return row;
}

}  // namespace auforge::datasets
