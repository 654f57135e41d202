// Shards: the HDF5 files (format 1, docs/shard-format.md) between annotation and training.
//
// Writing: ShardWriter w(path, header); (AddSample, AddFace*)*; w.Finish(stats). Nothing but a temporary file is
// visible before Finish; destruction without Finish removes it. Finish commits NNNNN.h5, then NNNNN_errors.jsonl and,
// last, NNNNN_stats.json, which is the commit marker. A writer belongs to one thread. A ShardReader's const calls are thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/outcome.h"
#include "datasets/storage/stored_value.h"
#include "features/au_schema.h"
#include "features/image_hash.h"
#include "features/types.h"

namespace auforge::datasets {

inline constexpr int kShardFormatVersion = 1;

// Root attributes.
struct ShardHeader {
  features::AuSchema schema;
  std::string model_digest;    // of the AU model; "exact" for synthetic faces
  std::string detector;        // "dlib-hog", …
  std::string landmarker = "dlib";  // whose points: "dlib", "auforge-…"
  std::string config_digest;   // of everything that can change the content
  std::string source;          // the input shard's name
  std::string created;         // ISO 8601 UTC; the one attribute that differs between equal runs
  bool has_crops = true;       // false: no face has a picture (annotate --no-crops)
  std::vector<std::string> emotion_names;  // names of the values in /faces/emotion
  std::string tool_version;    // filled by the writer
};

struct SampleRecord {
  std::string key;
  std::string url;
  std::string keywords;
  Outcome status = Outcome::kOk;
  int width = 0;
  int height = 0;
  std::array<std::uint8_t, 32> sha256{};  // of the encoded image; zeros when it was not read
  std::int64_t frame = 0;                 // of a video, from 1; 0: no frame of a video
  double timestamp = 0;                   // of that frame, seconds from the video's beginning
  std::string licence;                    // as the crawl has it, "CC BY 4.0"; empty: unknown
  std::string robots;                     // what the site asks of robots (datasets/robots.h); empty: unknown
  features::ImageHash hash;               // perceptual, of the whole image; none: not decoded, or of an older program
};

struct FaceRecord {
  std::vector<std::uint8_t> image;        // JPEG or PNG of the aligned crop; empty in a shard without crops
  features::AuEstimate aus;               // one entry per AU of the header's schema; quality is stored too
  features::Landmarks68 landmarks{};      // source image pixels
  features::Box box;
  features::HeadPose pose;
  features::Similarity crop_from_image;
  float detector_score = 0;
  std::uint8_t emotion = 0;               // index into emotion_names: the nearest category,
  float emotion_score = 0;                // how sure it is, 0..1 (NaN: the shard does not tell), and
  std::uint8_t emotion_rule = 0;          // the one that EmotioNet's exact rule gives
  std::int64_t sample = 0;                // row of /samples
  std::int32_t face_index = 0;            // 0, 1, … within its image
  features::ImageHash hash;               // perceptual, of the aligned crop; none: the shard has no hashes
};

// A further numeric column written next to the standard ones, e.g. "/synthetic/yaw"; row-major, rows first.
struct ExtraDataset {
  std::string path;                       // absolute HDF5 path; groups are created
  std::vector<std::uint64_t> shape;
  std::vector<float> values;              // size = product of shape
};
struct ExtraStrings {
  std::string path;
  std::vector<std::string> values;        // stored as fixed-length UTF-8
};

class ShardWriter {
 public:
  // directory is created; the files are NNNNN.h5 and NNNNN_stats.json with NNNNN = index.
  // Throws std::runtime_error naming the file when it cannot be written.
  ShardWriter(const std::string& directory, int index, ShardHeader header);
  ~ShardWriter();
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  // Returns the row of the sample. Faces refer to it.
  std::int64_t AddSample(SampleRecord sample);
  // Throws std::invalid_argument when the AU sizes do not match the schema, a value is not finite or out of
  // range, present contradicts intensity, or the sample row does not exist; when some faces have halves, an
  // emotion's score or a hash and others have not; and for a face without a picture, but where the header says that none has one.
  void AddFace(FaceRecord face);
  void AddExtra(ExtraDataset extra);
  void AddExtra(ExtraStrings extra);
  // What another shard has beside format 1, as ShardReader::Further tells.
  void AddFurther(storage::StoredObject object);
  // Commits. stats_json: a JSON object with the caller's figures; the writer adds "shard", "samples", "faces",
  // "status" counts, "config_digest" and "model_digest". error_log: content of NNNNN_errors.jsonl, where there is to be
  // one. replace: called where NNNNN.h5 is there already, also when another process has put it there in this very
  // moment; throws to leave it.
  void Finish(const std::string& stats_json = "{}", const std::optional<std::string>& error_log = {},
              const std::function<void()>& replace = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class ShardReader {
 public:
  // Opens and checks structure, version and shapes. Throws storage::BadContent naming file and fault,
  // std::runtime_error when the file cannot be read.
  explicit ShardReader(const std::string& path);
  // The same from a file's bytes, which are copied; `name` stands for the file in messages.
  ShardReader(std::span<const std::uint8_t> bytes, const std::string& name);
  ~ShardReader();
  ShardReader(ShardReader&&) noexcept;
  ShardReader& operator=(ShardReader&&) noexcept;

  const std::string& path() const;
  const ShardHeader& header() const;
  std::size_t FaceCount() const;
  std::size_t SampleCount() const;
  // Row-major n x A.
  std::span<const float> AuIntensity() const;
  std::span<const float> AuProbability() const;
  std::span<const std::uint8_t> AuPresent() const;
  // Of the halves, n x A, NaN where the AU has none; empty when the shard does not tell.
  std::span<const float> AuLeft() const;
  std::span<const float> AuRight() const;
  std::span<const std::uint8_t> Emotion() const;
  // Empty in shards of auforge 0.x without a nearest category, whose Emotion() is the rule's.
  std::span<const float> EmotionScore() const;
  std::span<const std::uint8_t> EmotionByRule() const;  // never empty but with the shard
  std::span<const float> Quality() const;
  std::span<const features::ImageHash> CropHashes() const;  // empty in shards of programs before there were any
  std::span<const float> DetectorScore() const;
  std::span<const std::int64_t> FaceSample() const;
  std::span<const std::int32_t> FaceIndex() const;
  std::span<const std::uint64_t> ImageOffsets() const;  // n + 1, as they stand in the file
  std::uint64_t ImageBytes() const;                     // length of /faces/image_bytes
  features::Landmarks68 Landmarks(std::size_t face) const;
  features::Box FaceBox(std::size_t face) const;
  features::HeadPose Pose(std::size_t face) const;
  features::Similarity CropFromImage(std::size_t face) const;
  const SampleRecord& Sample(std::size_t row) const;
  // Throws storage::BadContent, which says what to do, when no face has a picture: for who needs them all, before the work.
  void RequireCrops() const;
  // Encoded bytes of one crop, checked against its CRC; throws storage::BadContent naming file and face, and as RequireCrops.
  std::vector<std::uint8_t> FaceImage(std::size_t face) const;
  // Everything of one face but its image.
  FaceRecord Face(std::size_t face) const;
  // An extra dataset, or nullopt when the shard has none of that path.
  std::optional<ExtraDataset> Extra(const std::string& path) const;
  std::optional<ExtraStrings> ExtraText(const std::string& path) const;
  // All that the file has beside the columns of format 1, whatever its name and type: further datasets and groups, and
  // attributes of any object (an object of format 1 has no data here). Throws storage::BadContent naming what cannot
  // be copied.
  std::vector<storage::StoredObject> Further() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// "00012.h5" and "00012_stats.json".
std::string ShardFileName(int index);
std::string StatsFileName(int index);
std::string ErrorsFileName(int index);  // "00012_errors.jsonl"
// True when shard and stats file are both there.
bool ShardIsDone(const std::string& directory, int index);
// Shard files for a path: the file itself, or all finished NNNNN.h5 of a folder in order. Throws when there are none.
std::vector<std::string> FindShards(const std::vector<std::string>& paths);
// Checks every checksum, length, range and invariant; one line for each fault, empty when the shard is sound. Throws
// std::runtime_error when the file cannot be read, which says nothing about its content.
std::vector<std::string> VerifyShard(const std::string& path);
// The same but for the stats file beside it.
std::vector<std::string> VerifyShard(const ShardReader& shard);

}  // namespace auforge::datasets
