// Landmarks of random faces with exact AUs, straight from the face model: no picture is rendered. The quickest source
// of labelled shape data; renders (which also give texture and the landmarker's own errors) teach more.
#pragma once

#include <cstdint>

#include "datasets/synthetic/au_shapes.h"
#include "datasets/synthetic/face_model.h"
#include "features/types.h"

namespace auforge::datasets::synthetic {

struct LandmarkSamplerOptions {
  float identity_deviation = 0.9F;  // of each identity weight, 0..2
  float yaw = 14, pitch = 8, roll = 6;  // standard deviations, degrees
  float noise = 0.012F;             // of each inner landmark, inter-ocular distances
  float jaw_noise = 0.05F;          // of the jaw line, where landmarkers slide along the edge
  int faces_per_identity = 4;
};

struct LandmarkSample {
  features::Landmarks68 landmarks;  // pixels at about 100 between the eyes
  std::vector<float> intensity;     // of features::CatalogueSchema(), 0..5
  std::int64_t identity = 0;
};

// Thread-safe: const, and sample `index` depends on seed and index alone.
class LandmarkSampler {
 public:
  LandmarkSampler(const FaceModel& model, const LandmarkSamplerOptions& options);
  LandmarkSample Sample(std::uint64_t seed, std::uint64_t index) const;

 private:
  const FaceModel& model_;
  LandmarkSamplerOptions options_;
  AuShapes shapes_;
};

}  // namespace auforge::datasets::synthetic
