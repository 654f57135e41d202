// The project's own landmarker: two small nets (features/learnt_net.h) that keep their last maps. The first looks at a
// square about the detector's box and tells where the 68 points are; the second looks at the face again, turned, sized
// and placed by them, and at its mirror image, and its answers' mean is the result, with each point's uncertainty and
// whether it can be seen. No library of networks; the same bits whatever batch, threads and processor.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "annotator/landmarker.h"
#include "features/learnt_net.h"

namespace auforge::annotator {

// A net and the linear function of its last map that answers: rows of weights and as many biases.
struct LandmarkNetWeights {
  features::NetDescription net;    // pooling: kNone
  std::vector<float> weight;       // outputs x D
  std::vector<float> bias;         // outputs
};

// first: 136 outputs, x and y of each point's offset. second: 272, those, then the logarithms of 68 expected distances
// and 68 logits of being seen. Offsets and distances in inter-ocular distances of the mean face (landmark_look.h).
struct LandmarkNets {
  LandmarkNetWeights first, second;
};

// Immutable; any number of threads may use one at the same time.
class NetLandmarker {
 public:
  // Throws std::invalid_argument naming what does not fit, or is not finite.
  static NetLandmarker FromWeights(const LandmarkNets& nets,
                                   features::Registers registers = features::Registers::kWidest);
  // Throws datasets::storage::BadContent naming file, fault and remedy; `name` stands for the file.
  static NetLandmarker Parse(std::span<const std::uint8_t> bytes, const std::string& name);
  static NetLandmarker Load(const std::string& path);
  // A landmarker's file (docs/landmarks.md); the same bytes for the same nets.
  std::vector<std::uint8_t> Serialise() const;
  NetLandmarker(NetLandmarker&&) noexcept;
  NetLandmarker& operator=(NetLandmarker&&) noexcept;
  ~NetLandmarker();

  const std::string& digest() const;  // 16 hex digits over all weights
  std::size_t weight_count() const;
  std::size_t multiply_adds() const;  // of one face

  // faces: as Landmarker's. first: points that are known roughly, one for each face; empty: the first net finds them.
  std::vector<FoundLandmarks> Find(std::span<const FaceInImage> faces,
                                   std::span<const features::Landmarks68> first = {}) const;

 private:
  struct Impl;
  explicit NetLandmarker(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

// The net that is installed (datasets/storage/installed.h), else the one in the source tree.
std::string DefaultNetLandmarkerPath();

// Whether these bytes begin as a landmarker's file of this project does.
bool IsNetLandmarker(std::span<const std::uint8_t> bytes);

}  // namespace auforge::annotator
