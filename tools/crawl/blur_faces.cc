#include "tools/crawl/blur_faces.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <opencv2/core/mat.hpp>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "annotator/face_detector.h"
#include "datasets/export/image_folder.h"
#include "datasets/image_codec.h"
#include "datasets/image_source.h"
#include "datasets/picture_file.h"
#include "datasets/storage/checksum.h"
#include "features/face_blur.h"
#include "tools/cli/parallel.h"
#include "tools/cli/progress.h"
#include "tools/cli/signals.h"

namespace auforge::tools {
namespace {

using datasets::Outcome;
using features::Box;
using Digest = std::array<std::uint8_t, 32>;

constexpr double kLeastFace = 40;   // pixels, of the search for faces beside the stored ones
constexpr int kRounds = 3;          // of blurring what is still found
constexpr int kQuality = 92;        // of the JPEGs
constexpr std::size_t kAtOnce = 4;  // images in work for each thread

struct DigestHash {
  std::size_t operator()(const Digest& digest) const {
    std::size_t value = 0;
    std::memcpy(&value, digest.data(), sizeof(value));
    return value;
  }
};

// What the shards hold of the images that are wanted.
struct Labelled {
  struct Image {
    std::string key;
    std::vector<Box> faces;
    bool is_wanted = false;
    bool is_seen = false;
  };
  std::unordered_map<Digest, Image, DigestHash> images;
  std::unordered_set<std::string> keys;
};

Labelled ReadLabelled(const datasets::query::FaceIndex& index, const datasets::query::Selection& selection, bool chosen_only) {
  Labelled labelled;
  for (std::uint32_t s = 0; s < index.shards().size(); ++s) {
    const datasets::ShardReader shard(index.ShardPath(s));
    for (std::size_t row = 0; row < shard.SampleCount(); ++row) {
      const datasets::SampleRecord& sample = shard.Sample(row);
      labelled.keys.insert(sample.key);
      if (sample.sha256 == Digest{}) continue;
      Labelled::Image& image = labelled.images[sample.sha256];
      if (image.key.empty()) image.key = sample.key;
      image.is_wanted = image.is_wanted || !chosen_only;
    }
    for (std::uint32_t i = 0; i < shard.FaceCount(); ++i) {
      const auto found = labelled.images.find(shard.Sample(static_cast<std::size_t>(shard.FaceSample()[i])).sha256);
      if (found == labelled.images.end()) continue;  // a frame of a video
      Labelled::Image& image = found->second;
      image.faces.push_back(features::Union(shard.FaceBox(i), features::BoundingBox(shard.Landmarks(i))));
      image.is_wanted = image.is_wanted || selection.Contains({s, i});
    }
  }
  return labelled;
}

// One detector for each thread that works at a time.
class Detectors {
 public:
  std::vector<Box> Find(const cv::Mat& bgr) {
    std::unique_ptr<annotator::FaceDetector> detector = Take();
    std::vector<Box> boxes;
    for (const auto& found : annotator::DetectFaces(*detector, bgr, kLeastFace)) boxes.push_back(found.box);
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(detector));
    return boxes;
  }

 private:
  std::unique_ptr<annotator::FaceDetector> Take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return annotator::MakeDetector({});
    auto detector = std::move(idle_.back());
    idle_.pop_back();
    return detector;
  }
  std::mutex mutex_;
  std::vector<std::unique_ptr<annotator::FaceDetector>> idle_;
};

struct Work {
  datasets::ImageItem item;
  std::vector<Box> stored;
  std::vector<std::uint8_t> encoded;  // empty: left out, and
  std::string reason;                 // why
  bool is_undecodable = false;
  std::size_t faces = 0;
};

bool Overlaps(const Box& a, const std::vector<Box>& others) {
  return std::any_of(others.begin(), others.end(), [&a](const Box& b) { return features::Overlap(a, b) > 0.3F; });
}

void BlurImage(Work& work, Detectors& detectors) {
  const bool is_jpeg = work.item.bytes.size() > 2 && work.item.bytes[0] == 0xFF && work.item.bytes[1] == 0xD8;
  datasets::DecodedImage decoded = datasets::DecodeImage(work.item.bytes, {});
  work.item.bytes = {};
  if (decoded.status != Outcome::kOk) {
    work.is_undecodable = true;
    work.reason = decoded.message;
    return;
  }
  std::vector<Box> faces = work.stored;
  for (const Box& box : detectors.Find(decoded.bgr)) {
    if (!Overlaps(box, work.stored)) faces.push_back(box);
  }
  for (const Box& face : faces) features::BlurFace(decoded.bgr, features::HeadAround(face));
  std::vector<Box> left = detectors.Find(decoded.bgr);
  for (int round = 0; !left.empty() && round < kRounds; ++round) {
    for (const Box& face : left) features::BlurFace(decoded.bgr, features::HeadAround(face));
    work.faces += left.size();
    left = detectors.Find(decoded.bgr);
  }
  if (!left.empty()) {
    work.reason = "a face is still found after blurring";
    return;
  }
  work.faces += faces.size();
  work.encoded = is_jpeg ? datasets::EncodeJpeg(decoded.bgr, kQuality) : datasets::EncodePng(decoded.bgr);
}

class Run {
 public:
  Run(Labelled labelled, const BlurOptions& options)
      : labelled_(std::move(labelled)), options_(options), folder_(options.output), line_("blur", options.quiet) {}

  BlurSummary Do() {
    const auto source = datasets::ImageSource::Plan(options_.images, {});
    for (const datasets::InputShard& shard : source.Shards()) {
      const auto reader = source.Open(shard);
      for (datasets::ImageItem item; reader->Next(item); item = {}) {
        if (StopSignal() != 0) throw datasets::query::QueryStopped("stopped; nothing was written");
        Take(std::move(item));
      }
    }
    Flush();
    for (const auto& [digest, image] : labelled_.images) {
      if (image.is_wanted && !image.is_seen) missing_.insert(image.key);
    }
    for (const std::string& key : missing_) folder_.LeaveOut(key, "the image that was labelled is not there any more");
    summary_.missing = missing_.size();
    line_.Finish();
    folder_.Finish();
    return summary_;
  }

 private:
  void Take(datasets::ImageItem item) {
    if (item.frame != 0) return LeaveOut(item.key, "is a frame of a video");
    if (item.status != Outcome::kOk) {
      ++summary_.undecodable;
      return LeaveOut(item.key, item.message);
    }
    const auto found = labelled_.images.find(datasets::storage::Sha256(item.bytes));
    if (found == labelled_.images.end()) {
      const bool is_known = labelled_.keys.contains(item.key);
      ++(is_known ? summary_.changed : summary_.unknown);
      return LeaveOut(item.key, is_known ? "has changed since it was labelled" : "was never labelled");
    }
    found->second.is_seen = true;
    if (!found->second.is_wanted) return;
    Work& work = works_.emplace_back();
    work.stored = found->second.faces;
    work.item = std::move(item);
    if (works_.size() >= kAtOnce * static_cast<std::size_t>(options_.jobs)) Flush();
  }

  void LeaveOut(const std::string& key, const std::string& reason) {
    Flush();  // in the order of the images
    folder_.LeaveOut(key, reason);
  }

  void Flush() {
    ParallelFor(works_.size(), options_.jobs, [this](std::size_t i) { BlurImage(works_[i], detectors_); });
    for (const Work& work : works_) {
      if (work.encoded.empty()) {
        summary_.undecodable += work.is_undecodable ? 1 : 0;
        folder_.LeaveOut(work.item.key, work.reason);
        continue;
      }
      folder_.Add(work.item.key, work.encoded);
      ++summary_.images;
      summary_.faces += work.faces;
      summary_.without_face += work.faces == 0 ? 1 : 0;
    }
    works_.clear();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
    line_.Update(summary_.images, 0, seconds.count(), "images", ", " + std::to_string(summary_.faces) + " faces");
  }

  Labelled labelled_;
  const BlurOptions& options_;
  datasets::ImageFolder folder_;
  ProgressLine line_;
  Detectors detectors_;
  std::vector<Work> works_;
  std::set<std::string> missing_;
  BlurSummary summary_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

BlurSummary BlurFaces(const datasets::query::FaceIndex& index, const datasets::query::Selection& selection,
                      const BlurOptions& options) {
  return Run(ReadLabelled(index, selection, options.chosen_only), options).Do();
}

}  // namespace auforge::tools
