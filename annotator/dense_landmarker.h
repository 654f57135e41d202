// Finds the dense points of a face (features/dense_points.h) whose 68 landmarks are known: two small nets
// (features/learnt_net.h) that look at the picture at its own resolution, one at either eye, the right one mirrored, one
// at the mouth and its mirror image. No library of networks; the same bits whatever batch, threads and processor.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "annotator/landmarker.h"
#include "annotator/net_landmarker.h"
#include "features/dense_points.h"

namespace auforge::annotator {

// eye: 42 outputs, x and y of the points of a left eye; mouth: 80. In inter-ocular distances from the middle of what the
// net sees (dense_look.h).
struct DenseNets {
  LandmarkNetWeights eye, mouth;
};

// Immutable; any number of threads may use one at the same time.
class DenseLandmarker {
 public:
  // Throws std::invalid_argument naming what does not fit, or is not finite.
  static DenseLandmarker FromWeights(const DenseNets& nets, features::Registers registers = features::Registers::kWidest);
  // Throws datasets::storage::BadContent naming file, fault and remedy; `name` stands for the file.
  static DenseLandmarker Parse(std::span<const std::uint8_t> bytes, const std::string& name);
  static DenseLandmarker Load(const std::string& path);
  // File of dense points' nets (docs/landmarks.md); the same bytes for the same nets.
  std::vector<std::uint8_t> Serialise() const;
  DenseLandmarker(DenseLandmarker&&) noexcept;
  DenseLandmarker& operator=(DenseLandmarker&&) noexcept;
  ~DenseLandmarker();

  const std::string& digest() const;  // 16 hex digits over all weights
  std::size_t weight_count() const;
  std::size_t multiply_adds() const;  // of one face

  // Pixels of the image. image: CV_8UC3 (BGR) or CV_8UC1; landmarks: as a landmarker gave them.
  features::DensePoints Find(const cv::Mat& image, const features::Landmarks68& landmarks) const;

 private:
  struct Impl;
  explicit DenseLandmarker(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

// The nets that are installed (datasets/storage/installed.h), else those in the source tree.
std::string DefaultDenseNetPath();

}  // namespace auforge::annotator
