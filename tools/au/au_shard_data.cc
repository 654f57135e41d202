// Training faces from shards: the stored crops with the landmarks as detected, and copies that a camera, an
// editor or another detection could have made of them.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <random>

#include "annotator/face_quality.h"
#include "annotator/landmarker.h"
#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "features/align.h"
#include "tools/au/au_data_sources.h"
#include "tools/cli/cli.h"
#include "tools/au/closed_lids.h"
#include "tools/cli/parallel.h"

namespace auforge::tools {
namespace {

// An AU less of whose region can be seen is not labelled in this picture: guessing is not taught.
constexpr float kLeastVisible = 0.4F;
// What is partly hidden teaches by the share that is seen; a sliver less than all of it is all of it.
constexpr float kWhollyVisible = 0.9F;

// Whose face it is. Faces rebuilt from one photo share its skin, whatever their shape: they are one person
// here. Else the identity that the generator wrote, else every source image is a person of its own.
class People {
 public:
  explicit People(std::int64_t base) : base_(base) {}

  std::vector<std::int64_t> Of(const datasets::ShardReader& shard) {
    std::vector<std::int64_t> people(shard.FaceCount());
    const auto photos = shard.ExtraText("/synthetic/source");
    const auto known = shard.Extra("/synthetic/identity");
    for (std::size_t i = 0; i < people.size(); ++i) {
      std::string name;
      if (photos && photos->values.size() == people.size()) name = photos->values[i];
      if (!name.empty()) {
        name = "photo " + name;
      } else if (known && known->values.size() == people.size()) {
        name = "identity " + std::to_string(std::llround(known->values[i]));
      } else {
        name = shard.path() + " " + std::to_string(shard.FaceSample()[i]);
      }
      people[i] =
          base_ + numbers_.try_emplace(name, static_cast<std::int64_t>(numbers_.size())).first->second;
    }
    return people;
  }

 private:
  std::int64_t base_;
  std::map<std::string, std::int64_t> numbers_;
};

struct FaceView {
  cv::Mat crop;
  features::Landmarks68 landmarks;
  float scale = 1;  // of the picture's resolution to that of the stored one
};

// A face of a shard as it was stored.
struct StoredFace {
  FaceView view;
  features::Box box;  // of the detector, in the crop's pixels
  annotator::QualityEvidence evidence;
};

StoredFace ReadFace(const datasets::ShardReader& shard, std::size_t i) {
  const datasets::DecodedImage crop = datasets::DecodeImage(shard.FaceImage(i), {});
  if (crop.status != datasets::Outcome::kOk) {
    throw BadInputError(shard.path() + ": face " + std::to_string(i) + ": " + crop.message);
  }
  const features::Similarity crop_from_image = shard.CropFromImage(i);
  const features::Box box = shard.FaceBox(i);
  const features::Point2 centre = crop_from_image({box.x + box.width / 2, box.y + box.height / 2});
  const float side = box.width * crop_from_image.Scale();
  const features::Landmarks68 landmarks = shard.Landmarks(i);
  return {{crop.bgr, features::Transform(crop_from_image, landmarks)},
          {centre.x - side / 2, centre.y - side / 2, side, side},
          annotator::EvidenceOf(crop.bgr, landmarks, shard.DetectorScore()[i])};
}

// The same face once more: mirrored (every other copy), scaled down or compressed, detected a little
// differently, and its landmarks found again.
FaceView Copy(const StoredFace& face, std::size_t copy, std::uint64_t seed,
              const annotator::Landmarker& landmarker) {
  std::mt19937_64 random(seed * 31 + copy);
  const auto uniform = [&random](float low, float high) {
    return low + (high - low) * static_cast<float>(random() >> 40) / static_cast<float>(1 << 24);
  };
  cv::Mat crop = face.view.crop.clone();
  features::Box box = face.box;
  float resolution = 1;
  if (copy % 2 == 1) {
    cv::flip(crop, crop, 1);
    box.x = static_cast<float>(crop.cols) - box.x - box.width;
  }
  if (uniform(0, 1) < 0.35F) {
    resolution = uniform(0.4F, 0.9F);
    const double scale = resolution;
    cv::Mat small;
    cv::resize(crop, small, {}, scale, scale, cv::INTER_AREA);
    cv::resize(small, crop, crop.size(), 0, 0, cv::INTER_LINEAR);
  }
  if (uniform(0, 1) < 0.6F) {
    crop = datasets::DecodeImage(datasets::EncodeJpeg(crop, static_cast<int>(uniform(30, 90))), {}).bgr;
  }
  const float side = box.width * uniform(0.92F, 1.08F);
  const float shift = 0.05F * box.width;
  box.x += (box.width - side) / 2 + uniform(-shift, shift);
  box.y += (box.height - side) / 2 + uniform(-shift, shift);
  box.width = box.height = side;
  return {crop, landmarker.Find(crop, box), resolution};
}

// What is known of a copy: its resolution is that of the stored face, or less where the copy was scaled down.
annotator::QualityEvidence EvidenceOfCopy(const StoredFace& face, const FaceView& view) {
  annotator::QualityEvidence evidence =
      annotator::EvidenceOf(view.crop, view.landmarks, face.evidence.detector_score);
  // Of the pixels that are left: scaling down begins at the crop's resolution.
  evidence.inter_ocular = view.scale < 1
                              ? view.scale * std::min(face.evidence.inter_ocular, evidence.inter_ocular)
                              : face.evidence.inter_ocular;
  return evidence;
}

}  // namespace

void LoadShards(const DataSpec& spec, int jobs, std::int64_t identity_base, annotator::TrainingData& data) {
  spec.CheckOptions({"copies", "count"});
  const std::size_t most = spec.Number("count", std::numeric_limits<std::size_t>::max());
  std::size_t loaded = 0;
  const features::FeatureExtractor extractor(data.spec);
  const std::size_t dimension = extractor.Dimension(), a = data.schema.size();
  People people(identity_base);
  std::optional<annotator::Landmarker> landmarker;
  for (const std::string& path : datasets::FindShards({spec.path})) {
    if (loaded >= most) break;
    const datasets::ShardReader shard(path);
    const std::size_t faces = std::min(shard.FaceCount(), most - loaded);
    const std::vector<std::int64_t> identity = people.Of(shard);
    const bool is_synthetic = shard.Extra("/synthetic/identity").has_value();
    const std::size_t copies = spec.Number("copies", is_synthetic ? 1 : 0) + 1;
    MeetLandmarker(data, shard.header().landmarker, path);
    if (copies > 1 && !landmarker) {
      landmarker.emplace(annotator::LandmarksFor(data.landmarker));
      annotator::RequireSameLandmarker(landmarker->Name(), data.landmarker, path);
    }
    const std::size_t first = AddRows(data, faces * copies, dimension);
    const auto visibility = shard.Extra("/synthetic/au_visibility");
    const auto left = shard.Extra("/synthetic/au_left"), right = shard.Extra("/synthetic/au_right");
    const std::optional<std::size_t> blink = shard.header().schema.Find(45);
    const std::size_t width = shard.header().schema.size();
    std::vector<std::optional<std::size_t>> column;
    for (const int au : data.schema.numbers()) column.push_back(shard.header().schema.Find(au));
    ParallelFor(faces, jobs, [&](std::size_t i) {
      const StoredFace face = ReadFace(shard, i);
      for (std::size_t copy = 0; copy < copies; ++copy) {
        const std::size_t row = first + i * copies + copy;
        FaceView view = copy == 0 ? face.view : Copy(face, copy, loaded + i, *landmarker);
        if (copy > 0 && blink && left && right) {
          std::mt19937_64 random((loaded + i) * 31 + 977 * copy);
          const float chance = static_cast<float>(random() >> 40) / static_cast<float>(1 << 24);
          const bool mirrored = copy % 2 == 1;
          for (const bool of_left : {false, true}) {
            const float closed = (of_left ? left : right)->values[i * width + *blink];
            CloseLids(view.landmarks, of_left != mirrored ? kLeftEye : kRightEye, closed, chance);
          }
        }
        extractor.Extract(view.crop, view.landmarks,
                          std::span(data.features).subspan(row * dimension, dimension));
        for (std::size_t j = 0; j < a; ++j) {
          const float seen = visibility && column[j] ? visibility->values[i * width + *column[j]] : 1;
          data.seen[row * a + j] = seen;
          data.weights[row * a + j] = seen >= kWhollyVisible ? 1 : seen;
          data.labels[row * a + j] =
              column[j] && seen >= kLeastVisible ? shard.AuIntensity()[i * width + *column[j]] : NAN;
          if (!column[j] || !left || !right || !features::AuHasSides(data.schema.numbers()[j])) continue;
          // Mirrored, the subject's left is seen on its right.
          const bool exchanged = copy % 2 == 1;
          data.left[row * a + j] = (exchanged ? right : left)->values[i * width + *column[j]];
          data.right[row * a + j] = (exchanged ? left : right)->values[i * width + *column[j]];
        }
        data.identity[row] = identity[i];
        data.evidence[row] = copy == 0 ? face.evidence : EvidenceOfCopy(face, view);
        data.copy[row] = copy == 0 ? 0 : 1;
      }
    });
    loaded += faces;
  }
}

}  // namespace auforge::tools
