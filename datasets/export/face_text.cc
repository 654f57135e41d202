#include "datasets/export/face_text.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "datasets/internal/text_encoding.h"
#include "datasets/storage/checksum.h"

namespace auforge::datasets {
namespace {

std::string ShardName(const ShardReader& shard) {
  return std::filesystem::path(shard.path()).filename().string();
}

std::string NameOf(const ShardHeader& header, std::size_t emotion) {
  const auto& names = header.emotion_names;
  return emotion < names.size() ? names[emotion] : "unknown";
}

// "" where the shard does not tell: an empty cell.
std::string ScoreText(const ShardReader& shard, std::size_t face) {
  return shard.EmotionScore().empty() ? "" : NumberText(shard.EmotionScore()[face]);
}

const SampleRecord& SampleOf(const ShardReader& shard, std::size_t face) {
  return shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face]));
}

// Always with a point or an exponent: readers that infer types from values (Arrow, and so Hugging Face's datasets) take
// "0" for a whole number, and then refuse the next file.
std::string RealJson(float value) {
  const std::string text = NumberText(value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

// Always there, "" for unknown, as url and keywords are: readers that infer columns want the same ones in every line.
std::string UseJson(const SampleRecord& sample) {
  return ",\"licence\":" + JsonText(sample.licence) + ",\"robots\":" + JsonText(sample.robots);
}

std::string AusJson(const features::AuEstimate& aus, const features::AuSchema& schema) {
  const auto& numbers = schema.numbers();
  std::string json = "{";
  for (std::size_t j = 0; j < numbers.size(); ++j) {
    json += (j > 0 ? ",\"AU" : "\"AU") + std::to_string(numbers[j]) + "\":{\"intensity\":" + RealJson(aus.intensity[j]) +
            ",\"probability\":" + RealJson(aus.probability[j]) +
            ",\"present\":" + (aus.present[j] != 0 ? "true" : "false");
    if (!aus.left.empty() && !std::isnan(aus.left[j])) {
      json += ",\"left\":" + RealJson(aus.left[j]) + ",\"right\":" + RealJson(aus.right[j]);
    }
    json += "}";
  }
  return json + "}";
}

// What a face has of its own, without braces.
std::string MembersJson(const FaceRecord& face, const ShardHeader& header, bool has_score) {
  const features::Box& box = face.box;
  const features::Similarity& crop = face.crop_from_image;
  std::string json = "\"face_index\":" + std::to_string(face.face_index) + ",\"box\":[" + RealJson(box.x) + "," +
                     RealJson(box.y) + "," + RealJson(box.width) + "," + RealJson(box.height) + "]";
  json += ",\"pose\":{\"yaw\":" + RealJson(face.pose.yaw) + ",\"pitch\":" + RealJson(face.pose.pitch) +
          ",\"roll\":" + RealJson(face.pose.roll) + "}";
  json += ",\"quality\":" + RealJson(face.aus.quality) + ",\"detector_score\":" + RealJson(face.detector_score);
  json += ",\"emotion\":" + JsonText(NameOf(header, face.emotion));
  if (has_score) json += ",\"emotion_score\":" + RealJson(face.emotion_score);
  json += ",\"emotion_rule\":" + JsonText(NameOf(header, face.emotion_rule)) +
          ",\"aus\":" + AusJson(face.aus, header.schema) + ",\"landmarks\":[";
  bool is_first = true;
  for (const features::Point2& point : face.landmarks) {
    json += (is_first ? "[" : ",[") + RealJson(point.x) + "," + RealJson(point.y) + "]";
    is_first = false;
  }
  return json + "],\"crop_from_image\":[[" + RealJson(crop.a) + "," + RealJson(-crop.b) + "," + RealJson(crop.tx) +
         "],[" + RealJson(crop.b) + "," + RealJson(crop.a) + "," + RealJson(crop.ty) + "]]";
}

}  // namespace

std::string JsonText(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string CleanText(const std::string& text) {
  return IsUtf8(text) ? text : nlohmann::json::parse(JsonText(text)).get<std::string>();
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
  return "{\"shard\":" + JsonText(ShardName(shard)) + ",\"face\":" + std::to_string(face) +
         ",\"key\":" + JsonText(sample.key) + ",\"url\":" + JsonText(sample.url) +
         ",\"keywords\":" + JsonText(sample.keywords) + UseJson(sample) + ",\"image\":{\"width\":" + std::to_string(sample.width) +
         ",\"height\":" + std::to_string(sample.height) + ",\"sha256\":\"" + storage::HexDigest(sample.sha256) + "\"}," +
         MembersJson(shard.Face(face), shard.header(), !shard.EmotionScore().empty()) + "}";
}

std::string ImageJson(std::uint64_t number, const SampleRecord& sample, const std::string& message,
                      std::span<const FaceRecord> faces, const ShardHeader& header) {
  std::string json = "{\"image\":" + std::to_string(number) + ",\"key\":" + JsonText(sample.key) +
                     ",\"url\":" + JsonText(sample.url) + ",\"keywords\":" + JsonText(sample.keywords) +
                     UseJson(sample) + ",\"status\":" + JsonText(OutcomeName(sample.status));
  if (!message.empty()) json += ",\"message\":" + JsonText(message);
  json += ",\"width\":" + std::to_string(sample.width) + ",\"height\":" + std::to_string(sample.height) +
          ",\"sha256\":\"" + storage::HexDigest(sample.sha256) + "\",\"faces\":[";
  for (std::size_t i = 0; i < faces.size(); ++i) {
    json += (i > 0 ? ",{" : "{") + MembersJson(faces[i], header, true) + "}";
  }
  return json + "]}";
}

std::string FaceCsvHeader(const features::AuSchema& schema, bool with_halves) {
  std::string header =
      "shard,face,key,url,keywords,licence,robots,image_width,image_height,face_index,box_x,box_y,box_width,box_height,yaw,"
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
                    CsvText(sample.url) + "," + CsvText(sample.keywords) + "," + CsvText(sample.licence) + "," + CsvText(sample.robots) + "," +
                    std::to_string(sample.width) + "," + std::to_string(sample.height) + "," +
                    std::to_string(shard.FaceIndex()[face]);
  for (const float value : {box.x, box.y, box.width, box.height, pose.yaw, pose.pitch, pose.roll,
                            shard.Quality()[face], shard.DetectorScore()[face]}) {
    row += "," + NumberText(value);
  }
  row += "," + CsvText(NameOf(shard.header(), shard.Emotion()[face])) + "," + ScoreText(shard, face) + "," +
         CsvText(NameOf(shard.header(), shard.EmotionByRule()[face]));
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
