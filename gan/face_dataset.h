// The faces that GANimation trains on: crops and AUs from shards, in the order of GANimation's condition.
#pragma once

#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

#include "features/au_schema.h"

namespace auforge::gan {

struct FaceDatasetOptions {
  int image_size = 128;
  features::AuSchema schema = features::GanSchema();  // the condition; every shard must measure all of it
  float min_quality = 0;                              // faces below are left out, 0..1
  // Shards, or folders of them, of scenes drawn with several expressions (/synthetic/pair): each face is told what it looks
  // like with another's AUs.
  std::vector<std::string> pairs{};
  // What a label counts of which the annotator is wholly unsure (a presence as probable as not), 0..1; others in between
  // in proportion. 1: all count alike.
  float unsure_label = 1;
};

// Thread-safe after construction.
class FaceDataset {
 public:
  // paths: shards or folders of them; may be empty when there are pairs. Throws std::runtime_error naming a shard that
  // is damaged or lacks an AU, storage::BadContent naming one whose pairs lack a partner, or are of another size than
  // image_size.
  FaceDataset(const std::vector<std::string>& paths, const FaceDatasetOptions& options);
  ~FaceDataset();
  FaceDataset(FaceDataset&&) noexcept;

  std::size_t size() const;           // of both kinds; the paired ones are the last
  std::size_t UnpairedCount() const;
  // The other faces of its scene, at least one; empty for unpaired faces.
  std::span<const std::size_t> Partners(std::size_t face) const;
  // What each of its labels counts, 0..1, one for each AU; empty when all count alike.
  std::span<const float> Certainty(std::size_t face) const;
  const features::AuSchema& schema() const;
  // AUs of a face in 0..1 (intensity / 5), one for each AU of the schema.
  std::span<const float> Aus(std::size_t face) const;
  // Planar RGB in -1..1, 3 x S x S floats. Decodes and resizes; throws when the shard is damaged.
  void LoadImage(std::size_t face, bool flip, std::span<float> out) const;
  // The same before it is scaled: planar RGB in 0..255, 3 x S x S, as it is in the shard.
  void LoadBytes(std::size_t face, std::span<std::uint8_t> out) const;
  // The same face as a picture, CV_8UC3, S x S.
  cv::Mat Crop(std::size_t face) const;
  int image_size() const;           // S, pixels
  std::size_t ImageValues() const;  // 3 x S x S
  // Advice about AUs with which training cannot work: never varying, or all zero. Empty when all is well.
  std::vector<std::string> Warnings() const;
  // Identity of the data: changes when shards do.
  std::string Digest() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One batch in plain memory.
struct HostBatch {
  std::int64_t size = 0;
  std::vector<float> image;   // size x 3 x S x S; empty where the loader leaves pixels to others, who get `faces`
  std::vector<float> aus;     // size x A
  std::vector<float> target;  // size x A: another face's AUs with noise, clamped to 0..1; of paired faces their partner's
  std::vector<float> alpha;   // size, 0..1
  std::int64_t paired = 0;    // the last rows have a partner
  std::vector<float> answer;     // paired x 3 x S x S: the partner; empty likewise
  std::vector<float> certainty;  // size x A: what each of `aus` counts, 0..1; empty when all count alike
  std::vector<std::int64_t> faces;  // size, and paired partners after them
  std::vector<std::uint8_t> flips;  // of each of `faces`: 1 where it is mirrored
  std::vector<float> casts;  // 3 of each of `faces`: what its red, green and blue (0..1) are multiplied by; empty: as they are
};

struct LoaderOptions {
  int batch = 25;  // of all processes together
  int part = 0,
      parts = 1;  // this process loads part 0 .. parts - 1 of every batch; batch is a multiple of parts
  std::uint64_t seed = 1;
  float target_noise = 0.1F;  // half width of the uniform noise on targets
  bool flip = true;
  float colour_cast = 0;  // each colour of a face, and of its partner alike, is multiplied by 1 - this .. 1 + this
  int jobs = 2;        // batches decoded at once
  bool pixels = true;  // false: batches name their faces and hold no pictures
  // With pairs: how many faces of a batch are unpaired, and the number of batches at the beginning that are all pairs.
  int unpaired = 0;
  std::int64_t paired_only = 0;
};

// Batches of an epoch: the faces shuffled without replacement, the last incomplete batch left out. Every
// batch depends on seed, epoch and index alone, so that a resumed training sees what it would have seen.
//
// With pairs every batch has faces of both kinds, each kind in passes of its own, one after the other; an epoch is as
// many batches as show the paired faces once.
class BatchLoader {
 public:
  // Throws std::invalid_argument when a kind cannot be shared by the parts, storage::BadContent when faces are too few.
  BatchLoader(const FaceDataset& data, const LoaderOptions& options);
  ~BatchLoader();
  std::int64_t BatchesPerEpoch() const;
  // The batch (this process' part of it), from the prefetched ones when batches are asked for in order. Used
  // by one thread.
  HostBatch Get(std::int64_t epoch, std::int64_t index);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auforge::gan
