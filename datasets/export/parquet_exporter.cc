// Parquet: a row a face, typed columns, null where a shard does not know. docs/using-the-crawl.md lists the columns.
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "datasets/export/face_text.h"
#include "datasets/export/internal/exporters.h"
#include "datasets/parquet/writer.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"

namespace auforge::datasets {
namespace {

using parquet::Kind;
// Faces x AUs; nullopt where the shard does not tell.
using Visible = std::optional<ExtraDataset>;

std::vector<parquet::Column> Columns(const features::AuSchema& schema) {
  std::vector<parquet::Column> columns;
  const auto add = [&columns](const std::string& name, Kind kind, bool is_optional) { columns.push_back({name, kind, is_optional, false}); };
  add("shard", Kind::kText, false);
  add("face", Kind::kInt64, false);
  add("key", Kind::kText, false);
  for (const char* name : {"url", "keywords", "licence", "robots", "sha256"}) add(name, Kind::kText, true);
  for (const char* name : {"image_width", "image_height"}) add(name, Kind::kInt32, true);
  add("frame", Kind::kInt64, true);
  add("timestamp", Kind::kDouble, true);
  add("face_index", Kind::kInt32, false);
  for (const char* name : {"box_x", "box_y", "box_width", "box_height", "yaw", "pitch", "roll", "quality", "detector_score"})
    add(name, Kind::kFloat, true);
  add("emotion", Kind::kText, false);
  add("emotion_score", Kind::kFloat, true);
  add("emotion_rule", Kind::kText, false);
  for (const std::string& name : schema.Names()) add(name + "_intensity", Kind::kFloat, true);
  for (const std::string& name : schema.Names()) add(name + "_probability", Kind::kFloat, true);
  for (const std::string& name : schema.Names()) add(name + "_present", Kind::kBool, false);
  for (const std::string& name : schema.Names()) add(name + "_visible", Kind::kBool, true);
  for (const char* half : {"_left", "_right"}) {
    for (const int au : schema.numbers()) {
      if (features::AuHasSides(au)) add("AU" + std::to_string(au) + half, Kind::kFloat, true);
    }
  }
  columns.push_back({"landmarks", Kind::kFloat, false, true});
  columns.push_back({"crop_from_image", Kind::kFloat, false, true});
  add("source", Kind::kText, true);
  add("model", Kind::kText, true);
  return columns;
}

class ParquetExporter : public FaceExporter {
 public:
  explicit ParquetExporter(const std::string& path) : file_(path) {}

  void Add(const ShardReader& shard, std::span<const std::uint32_t> faces) override {
    const ShardHeader& header = shard.header();
    if (!writer_) Begin(header.schema);
    if (header.schema != schema_)
      throw storage::BadContent(shard.path() + ": measures other AUs than the shards before it; export them apart");
    models_.insert(header.model_digest);
    landmarkers_.insert(header.landmarker);
    const Visible& visible = VisibleOf(shard);
    for (const std::uint32_t face : faces) AddFace(shard, face, visible);
  }

  std::vector<std::string> Finish() override {
    if (!writer_) Begin({});
    std::string names;
    for (const std::string& name : schema_.Names()) names += (names.empty() ? "" : " ") + name;
    writer_->Finish({{"auforge.format", "auforge-faces"},
                     {"auforge.format_version", "1"},
                     {"auforge.tool_version", AUFORGE_VERSION},
                     {"auforge.au_names", names},
                     {"auforge.model_digest", Joined(models_)},
                     {"auforge.landmarker", Joined(landmarkers_)}});
    file_.Commit();
    return {};
  }

 private:
  static std::string Joined(const std::set<std::string>& texts) {
    std::string joined;
    for (const std::string& text : texts) joined += (joined.empty() ? "" : " ") + text;
    return joined;
  }

  void Begin(const features::AuSchema& schema) {
    schema_ = schema;
    parquet::WriterOptions options;
    options.created_by = "auforge version " AUFORGE_VERSION;
    writer_ = std::make_unique<parquet::Writer>(Columns(schema), [this](std::string_view bytes) { file_.Write(bytes); }, options);
  }

  // Sorted faces jump between shards: the last ones are remembered.
  const Visible& VisibleOf(const ShardReader& shard) {
    constexpr std::size_t kMost = 32;
    const auto found = visible_.find(shard.path());
    if (found != visible_.end()) return found->second;
    if (visible_.size() >= kMost) visible_.clear();
    Visible& visible = visible_[shard.path()];
    visible = shard.Extra("/faces/au_visible");
    if (visible && visible->values.size() != shard.FaceCount() * shard.header().schema.size()) visible.reset();
    return visible;
  }

  // Null where there is none.
  void TextOrNull(const std::string& text) { text.empty() ? writer_->Null() : writer_->Text(CleanText(text)); }
  void CountOrNull(std::int32_t number) { number == 0 ? writer_->Null() : writer_->Int32(number); }

  void AddFace(const ShardReader& shard, std::size_t face, const Visible& visible) {
    AddSample(shard, face);
    AddMeasures(shard, face);
    AddAus(shard, face, visible);
    std::array<float, 2 * std::tuple_size_v<features::Landmarks68>> points{};
    std::size_t at = 0;
    for (const features::Point2& point : shard.Landmarks(face)) points[at++] = point.x, points[at++] = point.y;
    writer_->Floats(points);
    const features::Similarity crop = shard.CropFromImage(face);
    writer_->Floats(std::array{crop.a, -crop.b, crop.tx, crop.b, crop.a, crop.ty});
    TextOrNull(shard.header().source);
    TextOrNull(shard.header().model_digest);
    writer_->EndRow();
  }

  void AddSample(const ShardReader& shard, std::size_t face) {
    const SampleRecord& sample = shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face]));
    writer_->Text(CleanText(std::filesystem::path(shard.path()).filename().string()));
    writer_->Int64(static_cast<std::int64_t>(face));
    writer_->Text(CleanText(sample.key));
    TextOrNull(sample.url);
    TextOrNull(sample.keywords);
    TextOrNull(sample.licence);
    TextOrNull(sample.robots);
    TextOrNull(sample.sha256 == std::array<std::uint8_t, 32>{} ? "" : storage::HexDigest(sample.sha256));
    CountOrNull(sample.width);
    CountOrNull(sample.height);
    if (sample.frame > 0) {
      writer_->Int64(sample.frame);
      writer_->Double(sample.timestamp);
    } else {
      writer_->Null();
      writer_->Null();
    }
  }

  void AddMeasures(const ShardReader& shard, std::size_t face) {
    writer_->Int32(shard.FaceIndex()[face]);
    const features::Box box = shard.FaceBox(face);
    const features::HeadPose pose = shard.Pose(face);
    for (const float value : {box.x, box.y, box.width, box.height, pose.yaw, pose.pitch, pose.roll, shard.Quality()[face],
                              shard.DetectorScore()[face]}) {
      writer_->Float(value);
    }
    const auto& names = shard.header().emotion_names;
    const auto name = [&names](std::uint8_t emotion) { return emotion < names.size() ? CleanText(names[emotion]) : "unknown"; };
    writer_->Text(name(shard.Emotion()[face]));
    writer_->Float(shard.EmotionScore().empty() ? std::nanf("") : shard.EmotionScore()[face]);
    writer_->Text(name(shard.EmotionByRule()[face]));
  }

  void AddAus(const ShardReader& shard, std::size_t face, const Visible& visible) {
    const std::size_t width = schema_.size();
    for (std::size_t j = 0; j < width; ++j) writer_->Float(shard.AuIntensity()[face * width + j]);
    for (std::size_t j = 0; j < width; ++j) writer_->Float(shard.AuProbability()[face * width + j]);
    for (std::size_t j = 0; j < width; ++j) writer_->Bool(shard.AuPresent()[face * width + j] != 0);
    for (std::size_t j = 0; j < width; ++j) {
      visible ? writer_->Bool(visible->values[face * width + j] != 0) : writer_->Null();
    }
    for (const std::span<const float> half : {shard.AuLeft(), shard.AuRight()}) {
      for (std::size_t j = 0; j < width; ++j) {
        if (!features::AuHasSides(schema_.numbers()[j])) continue;
        writer_->Float(half.empty() ? std::nanf("") : half[face * width + j]);
      }
    }
  }

  storage::OutputFile file_;
  std::unique_ptr<parquet::Writer> writer_;
  features::AuSchema schema_;
  std::set<std::string> models_, landmarkers_;
  std::map<std::string, Visible> visible_;
};

}  // namespace

std::unique_ptr<FaceExporter> MakeParquetExporter(const ExportOptions& options) {
  return std::make_unique<ParquetExporter>(options.output);
}

}  // namespace auforge::datasets
