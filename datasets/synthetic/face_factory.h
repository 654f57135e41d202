// Makes faces by the thousand: generator -> detector and landmarker as in annotation -> shards with exact AUs.
// Shards are those of docs/shard-format.md with a /synthetic group (docs/synthetic-faces.md).
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include "datasets/synthetic/face_generator.h"
#include "features/align.h"

namespace auforge::datasets::synthetic {

struct FactoryOptions {
  std::string output;             // folder of the shards; created
  std::uint64_t count = 1000;     // scenes, each with all of the generator's expressions, >= 1
  std::uint64_t seed = 1;
  std::size_t shard_size = 1000;  // scenes a shard, >= 1
  int jobs = 1;                   // threads, >= 1
  int index = 0;                  // this process does shards i with i % processes == index
  int processes = 1;
  std::string images;             // folder for plain JPEGs, labels and points as CSV; empty: none
  std::string landmarks;          // as annotator::LandmarkFile's; empty: annotator::DefaultLandmarks()
  features::AlignOptions crop;    // the crop that is stored
  int jpeg_quality = 92;          // of crop and plain picture, 1..100
  void Validate() const;          // throws std::invalid_argument naming field and value
};

struct FactoryProgress {
  std::uint64_t pictures = 0, expected = 0, faces = 0;
  double seconds = 0;
};

struct FactorySummary {
  std::uint64_t pictures = 0;  // of this run
  std::uint64_t faces = 0;     // of them found by the detector
  std::size_t shards_written = 0, shards_skipped = 0;
  double seconds = 0;
  bool stopped = false;
};

// The folder holds shards of other options; a retry will not help.
struct FactoryMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Finished shards are skipped; the same options give the same bytes with any number of threads. progress: from one thread
// at a time, may be empty. stop_requested: polled per scene; the unfinished shard is dropped.
// Throws FactoryMismatch and std::runtime_error (I/O; names the file).
FactorySummary MakeFaces(const FaceGenerator& generator, const FactoryOptions& options,
                         const std::function<void(const FactoryProgress&)>& progress,
                         const std::function<bool()>& stop_requested);

}  // namespace auforge::datasets::synthetic
