#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "datasets/internal/shard_layout.h"
#include "datasets/internal/stored_text.h"
#include "datasets/shard.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/hdf5_file.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string Numbered(int index, const char* ending) {
  char name[64];
  std::snprintf(name, sizeof(name), "%05d%s", index, ending);
  return name;
}

// What is wrong with the halves of a face, "" when nothing is.
std::string FaultOfSides(const features::AuEstimate& aus) {
  for (std::size_t j = 0; j < aus.left.size(); ++j) {
    const float left = aus.left[j], right = aus.right[j];
    if (std::isnan(left) && std::isnan(right)) continue;
    if (!(left >= 0 && left <= 5 && right >= 0 && right <= 5)) return "an AU intensity of a half is not in 0..5";
    if ((std::max(left, right) >= 1) != (aus.present[j] != 0)) return "the halves of an AU contradict its presence";
  }
  return "";
}

// Bit i of a hash is bit i % 8 of byte i / 8.
std::vector<std::uint8_t> BytesOf(const std::vector<features::ImageHash>& hashes) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(hashes.size() * features::kHashBits / 8);
  for (const features::ImageHash& hash : hashes) {
    for (const std::uint64_t word : hash.words) {
      for (unsigned shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<std::uint8_t>(word >> shift));
    }
  }
  return bytes;
}

// A link in a circle is not there; what may not be looked at may well be, and must not be made again.
bool IsThere(const fs::path& path) {
  std::error_code error;
  const bool is_there = fs::exists(path, error);
  if (error == std::errc::permission_denied) throw std::runtime_error(path.string() + ": " + error.message());
  return is_there;
}

bool AllWithin(const std::vector<float>& values, float low, float high) {
  return std::all_of(values.begin(), values.end(), [low, high](float v) { return v >= low && v <= high; });
}

}  // namespace

std::string ShardFileName(int index) { return Numbered(index, ".h5"); }
std::string StatsFileName(int index) { return Numbered(index, "_stats.json"); }
std::string ErrorsFileName(int index) { return Numbered(index, "_errors.jsonl"); }

bool ShardIsDone(const std::string& directory, int index) {
  const fs::path folder(directory);
  return IsThere(folder / ShardFileName(index)) && IsThere(folder / StatsFileName(index));
}

// Columns are kept in memory until Finish: 10,000 faces of 128 px are about 100 MB, and HDF5 wants contiguous
// datasets whole. A larger --shard-size costs memory in proportion.
struct ShardWriter::Impl {
  std::string folder;
  int index = 0;
  ShardHeader header;
  std::string path;
  std::optional<storage::OutputFile> file;  // begun before the first image, so that a folder that cannot be written is told then

  std::vector<std::uint8_t> image_bytes;
  std::vector<std::uint64_t> image_offsets{0};
  std::vector<std::uint32_t> image_crc;
  std::vector<float> intensity, probability, landmarks, box, pose, crop_from_image, score, quality, emotion_score, left, right;
  std::vector<std::uint8_t> present, emotion, emotion_rule;
  std::vector<std::int64_t> sample;
  std::vector<std::int32_t> face_index;
  std::vector<features::ImageHash> crop_hash, image_hash;

  std::vector<std::string> key, url, keywords, licence, robots;
  std::vector<std::uint8_t> status, sha256;
  std::vector<std::int32_t> width, height;
  std::vector<std::int64_t> frame;
  std::vector<double> timestamp;
  std::vector<ExtraDataset> extras;
  std::vector<ExtraStrings> extra_strings;
  std::vector<storage::StoredObject> further;

  [[noreturn]] void Refuse(const std::string& what) const {
    throw std::invalid_argument(path + ": face " + std::to_string(sample.size()) + ": " + what);
  }

  void Check(const FaceRecord& face) const {
    const std::size_t width_wanted = header.schema.size();
    if (face.aus.intensity.size() != width_wanted || face.aus.probability.size() != width_wanted ||
        face.aus.present.size() != width_wanted) {
      Refuse("its AUs do not match the schema of " + std::to_string(width_wanted));
    }
    if (!AllWithin(face.aus.intensity, 0, 5)) Refuse("an AU intensity is not in 0..5");
    if (!AllWithin(face.aus.probability, 0, 1)) Refuse("an AU probability is not in 0..1");
    for (std::size_t j = 0; j < width_wanted; ++j) {
      if (face.aus.present[j] != (face.aus.intensity[j] >= 1 ? 1 : 0)) {
        Refuse("presence of AU" + std::to_string(header.schema.numbers()[j]) + " contradicts its intensity");
      }
    }
    const bool has_sides = !face.aus.left.empty() || !face.aus.right.empty();
    if (has_sides && (face.aus.left.size() != width_wanted || face.aus.right.size() != width_wanted)) {
      Refuse("its halves do not match the schema of " + std::to_string(width_wanted));
    }
    if (!sample.empty() && has_sides == left.empty()) Refuse("its AUs have halves and those of others have none");
    if (const std::string fault = FaultOfSides(face.aus); !fault.empty()) Refuse(fault);
    const bool has_score = !std::isnan(face.emotion_score);
    if (!sample.empty() && has_score == emotion_score.empty())
      Refuse("its emotion has a score and those of others have none, or the other way round");
    if (has_score && !(face.emotion_score >= 0 && face.emotion_score <= 1)) Refuse("the emotion's score is not in 0..1");
    if (!(face.aus.quality >= 0 && face.aus.quality <= 1)) Refuse("the quality is not in 0..1");
    if (face.sample < 0 || face.sample >= static_cast<std::int64_t>(key.size())) Refuse("its sample does not exist");
    if (std::max(face.emotion, face.emotion_rule) >= std::max<std::size_t>(1, header.emotion_names.size()))
      Refuse("its emotion has no name");
    const auto finite = [](auto... values) { return (std::isfinite(values) && ...); };
    const auto& c = face.crop_from_image;
    bool is_finite = finite(face.box.x, face.box.y, face.box.width, face.box.height, face.pose.yaw, face.pose.pitch,
                            face.pose.roll, c.a, c.b, c.tx, c.ty, face.detector_score);
    for (const features::Point2& p : face.landmarks) is_finite = is_finite && finite(p.x, p.y);
    if (!is_finite) Refuse("a number is not finite");
    if (!sample.empty() && face.hash.IsNone() != crop_hash.front().IsNone())
      Refuse("it has a hash and others have none, or the other way round");
    if (face.image.empty() && header.has_crops) Refuse("it has no picture");
    if (!face.image.empty() && !header.has_crops) Refuse("it has a picture, and the shard is to have none");
  }

  storage::OutputFile WriteFile(storage::OutputFile to) const {
    storage::Hdf5Writer hdf5(std::move(to));
    const std::uint64_t n = sample.size();
    const std::uint64_t a = header.schema.size();
    hdf5.WriteAttribute("/", "format", std::string(layout::kFormat));
    hdf5.WriteAttribute("/", "format_version", std::int64_t{kShardFormatVersion});
    hdf5.WriteAttribute("/", "tool_version", header.tool_version);
    hdf5.WriteAttribute("/", "au_names", header.schema.Names());
    hdf5.WriteAttribute("/", "model_digest", header.model_digest);
    hdf5.WriteAttribute("/", "detector", header.detector);
    if (header.landmarker != "dlib") hdf5.WriteAttribute("/", "landmarker", header.landmarker);
    hdf5.WriteAttribute("/", "config_digest", header.config_digest);
    hdf5.WriteAttribute("/", "source", StoredText(header.source));
    hdf5.WriteAttribute("/", "created", header.created);
    if (!header.has_crops) hdf5.WriteAttribute("/", layout::kCrops, std::string(layout::kNoCrops));
    const auto write = [&hdf5](const char* name, const auto& values, const std::vector<std::uint64_t>& shape) {
      hdf5.Write(name, std::span(values.data(), values.size()), shape);
    };
    write(layout::kImageBytes, image_bytes, {image_bytes.size()});
    write(layout::kImageOffsets, image_offsets, {n + 1});
    write(layout::kImageCrc, image_crc, {n});
    write(layout::kAuIntensity, intensity, {n, a});
    write(layout::kAuProbability, probability, {n, a});
    write(layout::kAuPresent, present, {n, a});
    write(layout::kLandmarks, landmarks, {n, features::kLandmarkCount, 2});
    write(layout::kBox, box, {n, 4});
    write(layout::kPose, pose, {n, 3});
    write(layout::kCropFromImage, crop_from_image, {n, 2, 3});
    write(layout::kDetectorScore, score, {n});
    write(layout::kQuality, quality, {n});
    write(layout::kEmotion, emotion, {n});
    hdf5.WriteAttribute(layout::kEmotion, "names", header.emotion_names);
    if (emotion_score.size() == n) write(layout::kEmotionScore, emotion_score, {n});
    write(layout::kEmotionRule, emotion_rule, {n});
    hdf5.WriteAttribute(layout::kEmotionRule, "names", header.emotion_names);
    if (!left.empty()) {
      write(layout::kAuLeft, left, {n, a});
      write(layout::kAuRight, right, {n, a});
    }
    const auto write_hashes = [&hdf5](const char* name, const std::vector<features::ImageHash>& hashes) {
      const bool is_known = std::any_of(hashes.begin(), hashes.end(), [](const features::ImageHash& h) { return !h.IsNone(); });
      if (!is_known) return;
      const std::vector<std::uint8_t> bytes = BytesOf(hashes);
      hdf5.Write<std::uint8_t>(name, bytes, {hashes.size(), features::kHashBits / 8});
    };
    write_hashes(layout::kCropHash, crop_hash);
    write_hashes(layout::kImageHash, image_hash);
    write(layout::kSample, sample, {n});
    write(layout::kFaceIndex, face_index, {n});
    const std::uint64_t m = key.size();
    hdf5.WriteStrings(layout::kKey, key);
    hdf5.WriteStrings(layout::kUrl, url);
    hdf5.WriteStrings(layout::kKeywords, keywords);
    write(layout::kStatus, status, {m});
    hdf5.WriteAttribute(layout::kStatus, "names", OutcomeNames());
    write(layout::kWidth, width, {m});
    write(layout::kHeight, height, {m});
    write(layout::kSha256, sha256, {m, 32});
    if (std::any_of(frame.begin(), frame.end(), [](std::int64_t number) { return number != 0; })) {
      write(layout::kFrame, frame, {m});
      write(layout::kTimestamp, timestamp, {m});
    }
    const auto write_known = [&hdf5](const char* name, const std::vector<std::string>& texts) {
      const bool is_known = std::any_of(texts.begin(), texts.end(), [](const std::string& text) { return !text.empty(); });
      if (is_known) hdf5.WriteStrings(name, texts);
    };
    write_known(layout::kLicence, licence);
    write_known(layout::kRobots, robots);
    for (const ExtraDataset& extra : extras) {
      hdf5.Write<float>(extra.path, std::span(extra.values.data(), extra.values.size()), extra.shape);
    }
    for (const ExtraStrings& extra : extra_strings) hdf5.WriteStrings(extra.path, extra.values);
    for (const storage::StoredObject& object : further) hdf5.WriteStored(object);
    return hdf5.Finish();
  }

  std::string Stats(const std::string& callers) const {
    json stats = json::parse(callers);
    if (!stats.is_object()) throw std::invalid_argument("stats must be a JSON object");
    std::map<std::string, std::uint64_t> counts;
    for (const std::uint8_t s : status) ++counts[std::string(OutcomeName(static_cast<Outcome>(s)))];
    stats["shard"] = ShardFileName(index);
    stats["samples"] = key.size();
    stats["faces"] = sample.size();
    stats["status"] = counts;
    stats["config_digest"] = header.config_digest;
    stats["model_digest"] = header.model_digest;
    stats["tool_version"] = header.tool_version;
    return stats.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
  }
};

ShardWriter::ShardWriter(const std::string& directory, int index, ShardHeader header)
    : impl_(std::make_unique<Impl>()) {
  impl_->folder = directory;
  impl_->index = index;
  impl_->header = std::move(header);
  impl_->header.tool_version = AUFORGE_VERSION;
  impl_->path = (fs::path(directory) / ShardFileName(index)).string();
  storage::MakeFolder(directory);
  impl_->file.emplace(impl_->path);
}

ShardWriter::~ShardWriter() = default;

std::int64_t ShardWriter::AddSample(SampleRecord sample) {
  Impl& i = *impl_;
  i.key.push_back(StoredText(sample.key));
  i.url.push_back(StoredText(sample.url));
  i.keywords.push_back(StoredText(sample.keywords));
  i.licence.push_back(StoredText(sample.licence));
  i.robots.push_back(StoredText(sample.robots));
  i.image_hash.push_back(sample.hash);
  i.status.push_back(static_cast<std::uint8_t>(sample.status));
  i.width.push_back(sample.width);
  i.height.push_back(sample.height);
  i.sha256.insert(i.sha256.end(), sample.sha256.begin(), sample.sha256.end());
  i.frame.push_back(sample.frame);
  i.timestamp.push_back(sample.timestamp);
  return static_cast<std::int64_t>(i.key.size()) - 1;
}

void ShardWriter::AddFace(FaceRecord face) {
  Impl& i = *impl_;
  i.Check(face);
  i.image_bytes.insert(i.image_bytes.end(), face.image.begin(), face.image.end());
  i.image_offsets.push_back(i.image_bytes.size());
  i.image_crc.push_back(storage::Crc32c(face.image));
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  append(i.intensity, face.aus.intensity);
  append(i.probability, face.aus.probability);
  append(i.present, face.aus.present);
  for (const features::Point2& p : face.landmarks) append(i.landmarks, std::array{p.x, p.y});
  append(i.box, std::array{face.box.x, face.box.y, face.box.width, face.box.height});
  append(i.pose, std::array{face.pose.yaw, face.pose.pitch, face.pose.roll});
  const features::Similarity& c = face.crop_from_image;
  append(i.crop_from_image, std::array{c.a, -c.b, c.tx, c.b, c.a, c.ty});
  i.score.push_back(face.detector_score);
  i.quality.push_back(face.aus.quality);
  i.emotion.push_back(face.emotion);
  if (!std::isnan(face.emotion_score)) i.emotion_score.push_back(face.emotion_score);
  i.emotion_rule.push_back(face.emotion_rule);
  append(i.left, face.aus.left);
  append(i.right, face.aus.right);
  i.sample.push_back(face.sample);
  i.face_index.push_back(face.face_index);
  i.crop_hash.push_back(face.hash);
}

void ShardWriter::AddExtra(ExtraDataset extra) { impl_->extras.push_back(std::move(extra)); }
void ShardWriter::AddFurther(storage::StoredObject object) { impl_->further.push_back(std::move(object)); }
void ShardWriter::AddExtra(ExtraStrings extra) {
  for (std::string& text : extra.values) text = StoredText(text);
  impl_->extra_strings.push_back(std::move(extra));
}

void ShardWriter::Finish(const std::string& stats_json, const std::optional<std::string>& error_log,
                         const std::function<void()>& replace) {
  Impl& i = *impl_;
  const std::string stats = i.Stats(stats_json);
  storage::OutputFile file = i.WriteFile(std::move(*i.file));
  if (!replace || !file.CommitNew()) {
    if (replace) replace();
    file.Commit();
  }
  if (error_log)
    storage::WriteFileAtomically((fs::path(i.folder) / ErrorsFileName(i.index)).string(), *error_log);
  storage::WriteFileAtomically((fs::path(i.folder) / StatsFileName(i.index)).string(), stats);
}

}  // namespace auforge::datasets
