#include <algorithm>
#include <filesystem>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "datasets/internal/shard_layout.h"
#include "datasets/shard.h"
#include "datasets/shard_outline.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/hdf5_file.h"
#include "datasets/storage/paths.h"
#include "features/number.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;

std::string ShapeText(const std::vector<std::uint64_t>& shape) {
  std::string text = "[";
  for (const std::uint64_t extent : shape) text += (text.size() > 1 ? "," : "") + std::to_string(extent);
  return text + "]";
}

ShardHeader ReadHeader(const storage::Hdf5Reader& file, const std::string& path) {
  ShardHeader header;
  if (!file.HasAttribute("/", "format") || file.ReadString("/", "format") != layout::kFormat) {
    throw storage::BadContent(path + ": is not an AuForge shard");
  }
  const std::int64_t version = file.ReadInteger("/", "format_version");
  if (version != kShardFormatVersion) {
    throw storage::BadContent(path + ": is of shard format " + std::to_string(version) + ", this program reads " +
                             std::to_string(kShardFormatVersion));
  }
  try {
    header.schema = features::AuSchema::FromNames(file.ReadStringList("/", "au_names"));
  } catch (const std::invalid_argument& error) {
    throw storage::BadContent(path + ": au_names: " + error.what());
  }
  header.tool_version = file.ReadString("/", "tool_version");
  header.model_digest = file.ReadString("/", "model_digest");
  header.detector = file.ReadString("/", "detector");
  if (file.HasAttribute("/", "landmarker")) header.landmarker = file.ReadString("/", "landmarker");
  header.config_digest = file.ReadString("/", "config_digest");
  header.source = file.ReadString("/", "source");
  header.created = file.ReadString("/", "created");
  header.emotion_names = file.ReadStringList(layout::kEmotion, "names");
  header.has_crops = !file.HasAttribute("/", layout::kCrops) || file.ReadString("/", layout::kCrops) != layout::kNoCrops;
  return header;
}

// N of /faces.
std::uint64_t CountFaces(const storage::Hdf5Reader& file, const std::string& path) {
  const std::vector<std::uint64_t> rows = file.Shape(layout::kSample);
  if (rows.size() != 1) throw storage::BadContent(path + ": " + layout::kSample + " is not one-dimensional");
  return rows[0];
}

}  // namespace

struct ShardReader::Impl {
  explicit Impl(const std::string& p) : path(p), file(p) { Read(); }
  Impl(std::span<const std::uint8_t> bytes, const std::string& name) : path(name), file(bytes, name) { Read(); }

  void Read() {
    header = ReadHeader(file, path);
    ReadFaces();
    ReadSamples();
  }

  std::string path;
  storage::Hdf5Reader file;
  // HDF5 serialises its calls anyway; our handles are not for two threads at once.
  mutable std::mutex mutex;
  ShardHeader header;
  std::vector<std::uint64_t> offsets;
  std::vector<std::uint32_t> crc;
  std::vector<float> intensity, probability, landmarks, box, pose, crop, score, quality, emotion_score, left, right;
  std::vector<std::uint8_t> present, emotion, emotion_rule;
  std::vector<std::int64_t> sample;
  std::vector<std::int32_t> face_index;
  std::vector<features::ImageHash> crop_hash;  // empty where there are none
  std::vector<SampleRecord> samples;

  template <typename T>
  std::vector<T> Column(const char* name, std::vector<std::uint64_t> shape) {
    storage::NdArray<T> array = file.Read<T>(name);
    if (array.shape != shape) {
      throw storage::BadContent(path + ": " + name + " has shape " + ShapeText(array.shape) + ", expected " +
                               ShapeText(shape));
    }
    return std::move(array.values);
  }

  std::vector<features::ImageHash> Hashes(const char* name, std::uint64_t count) {
    const auto bytes = Column<std::uint8_t>(name, {count, features::kHashBits / 8});
    std::vector<features::ImageHash> hashes(count);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const std::size_t at = i % (features::kHashBits / 8);
      hashes[i / (features::kHashBits / 8)].words[at / 8] |= std::uint64_t{bytes[i]} << (8 * (at % 8));
    }
    return hashes;
  }

  void ReadFaces() {
    const std::uint64_t n = CountFaces(file, path);
    const std::uint64_t a = header.schema.size();
    sample = Column<std::int64_t>(layout::kSample, {n});
    offsets = Column<std::uint64_t>(layout::kImageOffsets, {n + 1});
    crc = Column<std::uint32_t>(layout::kImageCrc, {n});
    intensity = Column<float>(layout::kAuIntensity, {n, a});
    probability = Column<float>(layout::kAuProbability, {n, a});
    present = Column<std::uint8_t>(layout::kAuPresent, {n, a});
    landmarks = Column<float>(layout::kLandmarks, {n, features::kLandmarkCount, 2});
    box = Column<float>(layout::kBox, {n, 4});
    pose = Column<float>(layout::kPose, {n, 3});
    crop = Column<float>(layout::kCropFromImage, {n, 2, 3});
    score = Column<float>(layout::kDetectorScore, {n});
    quality = Column<float>(layout::kQuality, {n});
    emotion = Column<std::uint8_t>(layout::kEmotion, {n});
    face_index = Column<std::int32_t>(layout::kFaceIndex, {n});
    // Added later; shards without them are as good.
    if (file.Exists(layout::kCropHash)) crop_hash = Hashes(layout::kCropHash, n);
    if (file.Exists(layout::kEmotionScore)) emotion_score = Column<float>(layout::kEmotionScore, {n});
    emotion_rule = file.Exists(layout::kEmotionRule) ? Column<std::uint8_t>(layout::kEmotionRule, {n}) : emotion;
    if (file.Exists(layout::kAuLeft) || file.Exists(layout::kAuRight)) {
      left = Column<float>(layout::kAuLeft, {n, a});
      right = Column<float>(layout::kAuRight, {n, a});
    }
  }

  void ReadSamples() {
    const std::vector<std::string> key = file.ReadStrings(layout::kKey);
    const std::uint64_t m = key.size();
    const std::vector<std::string> url = file.ReadStrings(layout::kUrl);
    const std::vector<std::string> keywords = file.ReadStrings(layout::kKeywords);
    const auto status = Column<std::uint8_t>(layout::kStatus, {m});
    const auto width = Column<std::int32_t>(layout::kWidth, {m});
    const auto height = Column<std::int32_t>(layout::kHeight, {m});
    const auto sha256 = Column<std::uint8_t>(layout::kSha256, {m, 32});
    if (url.size() != m || keywords.size() != m) throw storage::BadContent(path + ": /samples has columns of unequal length");
    for (std::size_t i = 0; i < m; ++i) {
      SampleRecord record;
      record.key = key[i];
      record.url = url[i];
      record.keywords = keywords[i];
      record.status = static_cast<Outcome>(status[i]);
      record.width = width[i];
      record.height = height[i];
      std::copy_n(sha256.begin() + static_cast<std::ptrdiff_t>(32 * i), 32, record.sha256.begin());
      samples.push_back(std::move(record));
    }
    ReadFrames();
    ReadUse(layout::kLicence, &SampleRecord::licence);
    ReadUse(layout::kRobots, &SampleRecord::robots);
    if (file.Exists(layout::kImageHash)) {
      const std::vector<features::ImageHash> hashes = Hashes(layout::kImageHash, m);
      for (std::size_t i = 0; i < m; ++i) samples[i].hash = hashes[i];
    }
    for (const std::int64_t row : sample) {
      if (row < 0 || row >= static_cast<std::int64_t>(m)) {
        throw storage::BadContent(path + ": /faces/sample refers to row " + std::to_string(row) + " of " +
                                 std::to_string(m) + " samples");
      }
    }
  }

  void ReadUse(const char* name, std::string SampleRecord::*member) {
    if (!file.Exists(name)) return;
    std::vector<std::string> texts = file.ReadStrings(name);
    if (texts.size() != samples.size()) throw storage::BadContent(path + ": " + name + " is not one text for each image");
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i].*member = std::move(texts[i]);
  }

  void ReadFrames() {
    if (!file.Exists(layout::kFrame)) return;
    const auto frame = Column<std::int64_t>(layout::kFrame, {samples.size()});
    const auto timestamp = Column<double>(layout::kTimestamp, {samples.size()});
    for (std::size_t i = 0; i < samples.size(); ++i) {
      samples[i].frame = frame[i];
      samples[i].timestamp = timestamp[i];
    }
  }
};

ShardReader::ShardReader(const std::string& path) : impl_(std::make_unique<Impl>(path)) {}
ShardReader::ShardReader(std::span<const std::uint8_t> bytes, const std::string& name)
    : impl_(std::make_unique<Impl>(bytes, name)) {}
ShardReader::~ShardReader() = default;
ShardReader::ShardReader(ShardReader&&) noexcept = default;
ShardReader& ShardReader::operator=(ShardReader&&) noexcept = default;

const std::string& ShardReader::path() const { return impl_->path; }
const ShardHeader& ShardReader::header() const { return impl_->header; }
std::size_t ShardReader::FaceCount() const { return impl_->sample.size(); }
std::size_t ShardReader::SampleCount() const { return impl_->samples.size(); }
std::span<const float> ShardReader::AuIntensity() const { return impl_->intensity; }
std::span<const float> ShardReader::AuProbability() const { return impl_->probability; }
std::span<const std::uint8_t> ShardReader::AuPresent() const { return impl_->present; }
std::span<const std::uint8_t> ShardReader::Emotion() const { return impl_->emotion; }
std::span<const float> ShardReader::EmotionScore() const { return impl_->emotion_score; }
std::span<const std::uint8_t> ShardReader::EmotionByRule() const { return impl_->emotion_rule; }
std::span<const float> ShardReader::AuLeft() const { return impl_->left; }
std::span<const float> ShardReader::AuRight() const { return impl_->right; }
std::span<const float> ShardReader::Quality() const { return impl_->quality; }
std::span<const features::ImageHash> ShardReader::CropHashes() const { return impl_->crop_hash; }
std::span<const float> ShardReader::DetectorScore() const { return impl_->score; }
std::span<const std::int64_t> ShardReader::FaceSample() const { return impl_->sample; }
std::span<const std::int32_t> ShardReader::FaceIndex() const { return impl_->face_index; }
std::span<const std::uint64_t> ShardReader::ImageOffsets() const { return impl_->offsets; }
std::uint64_t ShardReader::ImageBytes() const {
  const std::lock_guard lock(impl_->mutex);
  const std::vector<std::uint64_t> shape = impl_->file.Shape(layout::kImageBytes);
  if (shape.size() != 1) throw storage::BadContent(impl_->path + ": " + layout::kImageBytes + " is not one-dimensional");
  return shape[0];
}

features::Landmarks68 ShardReader::Landmarks(std::size_t face) const {
  features::Landmarks68 points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t at = (face * points.size() + i) * 2;
    points[i] = {impl_->landmarks.at(at), impl_->landmarks.at(at + 1)};
  }
  return points;
}
features::Box ShardReader::FaceBox(std::size_t face) const {
  const float* b = &impl_->box.at(4 * face);
  return {b[0], b[1], b[2], b[3]};
}
features::HeadPose ShardReader::Pose(std::size_t face) const {
  const float* p = &impl_->pose.at(3 * face);
  return {p[0], p[1], p[2]};
}
features::Similarity ShardReader::CropFromImage(std::size_t face) const {
  const float* c = &impl_->crop.at(6 * face);
  return {c[0], c[3], c[2], c[5]};
}
const SampleRecord& ShardReader::Sample(std::size_t row) const { return impl_->samples.at(row); }

void ShardReader::RequireCrops() const {
  if (impl_->header.has_crops) return;
  throw storage::BadContent(impl_->path + ": has no face pictures (annotate --no-crops stored none); annotate the images again "
                            "without --no-crops, into another folder");
}

std::vector<std::uint8_t> ShardReader::FaceImage(std::size_t face) const {
  RequireCrops();
  const std::uint64_t begin = impl_->offsets.at(face);
  const std::uint64_t end = impl_->offsets.at(face + 1);
  const std::string where = impl_->path + ": face " + std::to_string(face);
  if (end < begin) throw storage::BadContent(where + ": its offsets run backwards; the shard is damaged");
  std::vector<std::uint8_t> bytes;
  {
    const std::lock_guard lock(impl_->mutex);
    bytes = impl_->file.ReadRange<std::uint8_t>(layout::kImageBytes, begin, end - begin);
  }
  if (storage::Crc32c(bytes) != impl_->crc[face]) {
    throw storage::BadContent(where + ": its picture does not match its checksum; the shard is damaged");
  }
  return bytes;
}

FaceRecord ShardReader::Face(std::size_t face) const {
  const std::size_t a = impl_->header.schema.size();
  const auto row = [face, a](const auto& column) {
    const auto begin = column.begin() + static_cast<std::ptrdiff_t>(face * a);
    return std::vector(begin, begin + static_cast<std::ptrdiff_t>(a));
  };
  FaceRecord record;
  record.aus = {row(impl_->intensity), row(impl_->probability), row(impl_->present), impl_->quality.at(face)};
  if (!impl_->left.empty()) {
    record.aus.left = row(impl_->left);
    record.aus.right = row(impl_->right);
  }
  record.landmarks = Landmarks(face);
  record.box = FaceBox(face);
  record.pose = Pose(face);
  record.crop_from_image = CropFromImage(face);
  record.detector_score = impl_->score.at(face);
  record.emotion = impl_->emotion.at(face);
  record.emotion_score = impl_->emotion_score.empty() ? std::numeric_limits<float>::quiet_NaN() : impl_->emotion_score.at(face);
  record.emotion_rule = impl_->emotion_rule.at(face);
  record.sample = impl_->sample.at(face);
  record.face_index = impl_->face_index.at(face);
  if (!impl_->crop_hash.empty()) record.hash = impl_->crop_hash.at(face);
  return record;
}

std::optional<ExtraDataset> ShardReader::Extra(const std::string& path) const {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->file.Exists(path)) return std::nullopt;
  storage::NdArray<float> array = impl_->file.Read<float>(path);
  return ExtraDataset{path, std::move(array.shape), std::move(array.values)};
}
std::optional<ExtraStrings> ShardReader::ExtraText(const std::string& path) const {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->file.Exists(path)) return std::nullopt;
  return ExtraStrings{path, impl_->file.ReadStrings(path)};
}

ShardOutline ReadOutline(const std::string& path) {
  const storage::Hdf5Reader file(path);
  const std::vector<std::uint64_t> bytes = file.Shape(layout::kImageBytes);
  return {ReadHeader(file, path), CountFaces(file, path), bytes.empty() ? 0 : bytes[0]};
}

std::vector<storage::StoredObject> ShardReader::Further() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<storage::StoredObject> further{impl_->file.ReadStored("/", /*with_data=*/false)};
  for (const std::string& path : impl_->file.Objects()) {
    const bool is_ours = std::find(layout::kColumns.begin(), layout::kColumns.end(), path) != layout::kColumns.end();
    further.push_back(impl_->file.ReadStored(path, /*with_data=*/!is_ours));
  }
  return further;
}

namespace {

// The number in the name of a shard.
std::optional<int> ShardNumber(const std::string& name) {
  const bool is_shard = name.size() >= 8 && name.ends_with(".h5") &&
                        std::all_of(name.begin(), name.end() - 3, [](char c) { return c >= '0' && c <= '9'; });
  const auto index = is_shard ? features::ParseWhole(name.substr(0, name.size() - 3), 0, std::numeric_limits<int>::max()) : std::nullopt;
  return index ? std::optional(static_cast<int>(*index)) : std::nullopt;
}

}  // namespace

std::optional<int> FirstFinishedShard(const std::string& folder) {
  if (!storage::IsFolder(folder)) return std::nullopt;
  for (const std::string& entry : storage::FolderEntries(folder)) {
    const auto number = ShardNumber(fs::path(entry).filename().string());
    if (number && ShardIsDone(folder, *number)) return number;
  }
  return std::nullopt;
}

std::vector<std::string> FindShards(const std::vector<std::string>& paths) {
  std::vector<std::string> shards;
  for (const std::string& path : paths) {
    storage::RequireThere(path, "no such file or folder");
    if (!storage::IsFolder(path)) {
      shards.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (const std::string& entry : storage::FolderEntries(path)) {
      const auto number = ShardNumber(fs::path(entry).filename().string());
      if (number && ShardIsDone(path, *number)) found.push_back(entry);
    }
    if (found.empty()) {
      throw std::runtime_error(path + ": no finished shard in it (NNNNN.h5 with NNNNN_stats.json); annotate into it first");
    }
    shards.insert(shards.end(), found.begin(), found.end());
  }
  return shards;
}

}  // namespace auforge::datasets
