// The landmarker's ensemble of regression trees as read from a file that dlib serialised (shape_predictor,
// version 1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "features/types.h"

namespace auforge::annotator {

inline constexpr std::size_t kShapeSize = 2 * features::kLandmarkCount;
using LandmarkShape = std::array<float, kShapeSize>;  // x, y of each landmark in units of the face box (0..1)

// Floats on pages of 2 MB where the system has them: leaves are read from all over 65 MB, and with pages of 4
// KB nearly every one of them would miss the translation cache.
class LeafStore {
 public:
  explicit LeafStore(std::size_t size);
  float* data() { return values_.get(); }
  const float* data() const { return values_.get(); }

 private:
  struct Free {
    void operator()(float* p) const;
  };
  std::unique_ptr<float[], Free> values_;
};

// One level of the cascade: `trees` complete binary trees of the same depth.
struct LandmarkCascade {
  struct Split {
    std::uint16_t first = 0;  // probes whose grey values are compared
    std::uint16_t second = 0;
    float threshold = 0;
  };
  std::vector<std::uint8_t> anchor;     // [P] landmark nearest to each probe in the mean shape
  std::vector<features::Point2> delta;  // [P] offset from it, box units
  std::size_t trees = 0;
  std::size_t splits_per_tree = 0;  // 2^depth - 1
  std::vector<Split> splits;        // [trees x splits_per_tree], heap order
  std::size_t first_leaf = 0;       // index into LandmarkEnsemble::leaves, in leaves of kShapeSize floats

  std::size_t LeavesPerTree() const { return splits_per_tree + 1; }
};

struct LandmarkEnsemble {
  LandmarkShape mean{};
  std::vector<LandmarkCascade> cascades;
  LeafStore leaves;  // [all leaves x kShapeSize], box units
};

// Throws std::runtime_error naming the file, what is wrong and the package that brings it. Never trusts a
// size: a damaged or hostile file costs no more memory than a few times its own length.
LandmarkEnsemble ReadLandmarkEnsemble(const std::string& path);
// The same from memory; `name` stands for the file in messages.
LandmarkEnsemble ParseLandmarkEnsemble(const std::uint8_t* bytes, std::size_t size, const std::string& name);

}  // namespace auforge::annotator
