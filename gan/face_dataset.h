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
};

// Thread-safe after construction.
class FaceDataset {
 public:
  // paths: shards or folders of them. Throws std::runtime_error naming a shard that is damaged or lacks an
  // AU.
  FaceDataset(const std::vector<std::string>& paths, const FaceDatasetOptions& options);
  ~FaceDataset();
  FaceDataset(FaceDataset&&) noexcept;

  std::size_t size() const;
  const features::AuSchema& schema() const;
  // AUs of a face in 0..1 (intensity / 5), one for each AU of the schema.
  std::span<const float> Aus(std::size_t face) const;
  // Planar RGB in -1..1, 3 x S x S floats. Decodes and resizes; throws when the shard is damaged.
  void LoadImage(std::size_t face, bool flip, std::span<float> out) const;
  // The same face as a picture, CV_8UC3, S x S.
  cv::Mat Crop(std::size_t face) const;
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
  std::vector<float> image;   // size x 3 x S x S
  std::vector<float> aus;     // size x A
  std::vector<float> target;  // size x A: another face's AUs with noise, clamped to 0..1
  std::vector<float> alpha;   // size, 0..1
};

struct LoaderOptions {
  int batch = 25;  // of all processes together
  int part = 0,
      parts = 1;  // this process loads part 0 .. parts - 1 of every batch; batch is a multiple of parts
  std::uint64_t seed = 1;
  float target_noise = 0.1F;  // half width of the uniform noise on targets
  bool flip = true;
  int jobs = 2;  // batches decoded at once
};

// Batches of an epoch: the faces shuffled without replacement, the last incomplete batch left out. Every
// batch depends on seed, epoch and index alone, so that a resumed training sees what it would have seen.
class BatchLoader {
 public:
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
