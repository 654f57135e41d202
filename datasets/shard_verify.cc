#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "datasets/image_codec.h"
#include "datasets/internal/shard_layout.h"
#include "datasets/shard.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/paths.h"
#include "features/dense_points.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Enough to see what is wrong; a shard of noise must not print a million lines.
constexpr std::size_t kMostFaults = 200;

class Verifier {
 public:
  explicit Verifier(const ShardReader& shard) : shard_(shard) {}

  void CheckContent() {
    CheckOffsets();
    LoadDense();
    for (std::size_t i = 0; i < shard_.FaceCount() && faults_.size() < kMostFaults; ++i) CheckFace(i);
    for (std::size_t i = 0; i < shard_.SampleCount() && faults_.size() < kMostFaults; ++i) CheckSample(i);
    CheckPairs();
  }

  void CheckStats() {
    const fs::path shard(shard_.path());
    const fs::path stats_path = shard.parent_path() / (shard.stem().string() + "_stats.json");
    if (!storage::Exists(stats_path.string())) {
      Fault(stats_path.filename().string() + " is missing: the shard was not committed");
      return;
    }
    const json stats = json::parse(storage::ReadFile(stats_path.string()), nullptr, false);
    if (!stats.is_object()) {
      Fault(stats_path.filename().string() + " is not a JSON object");
      return;
    }
    if (stats.value("faces", json()) != shard_.FaceCount()) Fault("the stats file counts other faces");
    if (stats.value("samples", json()) != shard_.SampleCount()) Fault("the stats file counts other samples");
    if (stats.value("config_digest", json()) != shard_.header().config_digest)
      Fault("the stats file is of another configuration");
  }

  std::vector<std::string> Faults() { return std::move(faults_); }

 private:
  void Fault(const std::string& text) { faults_.push_back(text); }
  void FaceFault(std::size_t face, const std::string& text) {
    Fault("face " + std::to_string(face) + ": " + text);
  }

  void CheckOffsets() {
    const std::span<const std::uint64_t> offsets = shard_.ImageOffsets();
    if (!std::is_sorted(offsets.begin(), offsets.end())) Fault("/faces/image_offsets: not ascending");
    if (offsets.front() != 0) Fault("/faces/image_offsets: does not start at 0");
    if (offsets.back() != shard_.ImageBytes())
      Fault("/faces/image_offsets: does not end at the end of image_bytes");
    if (!shard_.header().has_crops && shard_.ImageBytes() > 0)
      Fault("/faces/image_bytes: there are face pictures, and the attribute crops says that there are none");
  }

  void CheckFace(std::size_t i) {
    const FaceRecord face = shard_.Face(i);
    for (std::size_t j = 0; j < face.aus.intensity.size(); ++j) {
      const std::string au = "AU" + std::to_string(shard_.header().schema.numbers()[j]);
      const float intensity = face.aus.intensity[j];
      if (!(intensity >= 0 && intensity <= 5)) FaceFault(i, au + " intensity is not in 0..5");
      if (!(face.aus.probability[j] >= 0 && face.aus.probability[j] <= 1))
        FaceFault(i, au + " probability is not in 0..1");
      if (face.aus.present[j] != (intensity >= 1 ? 1 : 0))
        FaceFault(i, au + " presence contradicts its intensity");
    }
    CheckSides(i, face);
    CheckDense(i);
    if (!shard_.EmotionScore().empty() && !(face.emotion_score >= 0 && face.emotion_score <= 1)) FaceFault(i, "the emotion's score is not in 0..1");
    if (!(face.aus.quality >= 0 && face.aus.quality <= 1)) FaceFault(i, "quality is not in 0..1");
    for (const features::Point2& p : face.landmarks) {
      if (!std::isfinite(p.x) || !std::isfinite(p.y)) {
        FaceFault(i, "a landmark is not finite");
        break;
      }
    }
    if (!(face.crop_from_image.Scale() > 0) || !std::isfinite(face.crop_from_image.Scale())) {
      FaceFault(i, "crop_from_image cannot be inverted");
    }
    if (!(face.box.width > 0 && face.box.height > 0)) FaceFault(i, "the box is empty");
    if (std::max(face.emotion, face.emotion_rule) >= std::max<std::size_t>(1, shard_.header().emotion_names.size()))
      FaceFault(i, "emotion has no name");
    if (!shard_.header().has_crops) return;
    try {
      const DecodedImage image = DecodeImage(shard_.FaceImage(i), {});
      if (image.status != Outcome::kOk) FaceFault(i, "its picture does not decode: " + image.message);
    } catch (const storage::BadContent& error) {
      Fault(error.what());
    }
  }

  void LoadDense() {
    constexpr const char* kName = "/faces/landmarks_dense";
    dense_ = shard_.Extra(kName);
    if (!dense_ || dense_->shape == std::vector<std::uint64_t>{shard_.FaceCount(), features::kDenseCount, 2}) return;
    Fault(std::string(kName) + ": is not faces x " + std::to_string(features::kDenseCount) + " x 2");
    dense_.reset();
  }

  // Dense points, where the shard has them.
  void CheckDense(std::size_t i) {
    if (!dense_) return;
    const std::size_t each = 2 * features::kDenseCount;
    const auto begin = dense_->values.begin() + static_cast<std::ptrdiff_t>(i * each);
    if (!std::all_of(begin, begin + static_cast<std::ptrdiff_t>(each), [](float v) { return std::isfinite(v); }))
      FaceFault(i, "a dense point is not finite");
  }

  void CheckSides(std::size_t i, const FaceRecord& face) {
    for (std::size_t j = 0; j < face.aus.left.size(); ++j) {
      const std::string au = "AU" + std::to_string(shard_.header().schema.numbers()[j]);
      const float left = face.aus.left[j], right = face.aus.right[j];
      if (std::isnan(left) && std::isnan(right)) continue;
      if (!(left >= 0 && left <= 5 && right >= 0 && right <= 5)) {
        FaceFault(i, au + " intensity of a half is not in 0..5");
      } else if ((std::max(left, right) >= 1) != (face.aus.present[j] != 0)) {
        FaceFault(i, au + " presence contradicts its halves");
      }
    }
  }

  // Faces of drawn scenes that share a pair are of one scene, cut out alike (docs/synthetic-faces.md).
  void CheckPairs() {
    const auto column = shard_.Extra("/synthetic/pair");
    if (!column) return;
    if (column->values.size() != shard_.FaceCount()) return Fault("/synthetic/pair: is not one number for each face");
    std::map<float, std::vector<std::size_t>> faces;
    for (std::size_t i = 0; i < column->values.size() && faults_.size() < kMostFaults; ++i) {
      const float pair = column->values[i];
      if (!(pair >= -1) || pair != std::floor(pair)) FaceFault(i, "its pair is no whole number of -1 or more");
      if (pair >= 0) faces[pair].push_back(i);
    }
    for (const auto& [pair, members] : faces) {
      if (faults_.size() >= kMostFaults) return;
      if (members.size() == 1) FaceFault(members[0], "its partner is missing: no other face is of its pair");
      for (const std::size_t i : members) {
        if (shard_.CropFromImage(i) == shard_.CropFromImage(members[0])) continue;
        FaceFault(i, "is cut out otherwise than face " + std::to_string(members[0]) + " of its pair");
      }
    }
  }

  void CheckSample(std::size_t i) {
    const SampleRecord& sample = shard_.Sample(i);
    const std::string where = "sample " + std::to_string(i) + ": ";
    if (sample.key.empty()) Fault(where + "has no key");
    if (OutcomeName(sample.status) == "unknown") Fault(where + "has an unknown status");
    if (sample.width < 0 || sample.height < 0) Fault(where + "has a negative size");
    if (sample.frame < 0 || !(sample.timestamp >= 0) || !std::isfinite(sample.timestamp))
      Fault(where + "has an impossible frame number or time");
  }

  const ShardReader& shard_;
  std::optional<ExtraDataset> dense_;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::string> VerifyShard(const std::string& path) {
  try {
    const ShardReader shard(path);
    Verifier verifier(shard);
    verifier.CheckContent();
    verifier.CheckStats();
    return verifier.Faults();
  } catch (const storage::BadContent& error) {
    return {error.what()};
  }
}

std::vector<std::string> VerifyShard(const ShardReader& shard) {
  try {
    Verifier verifier(shard);
    verifier.CheckContent();
    return verifier.Faults();
  } catch (const storage::BadContent& error) {
    return {error.what()};
  }
}

}  // namespace auforge::datasets
