#include "annotator/landmarker.h"

#include <dlib/image_processing/shape_predictor.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <vector>

namespace auforge::annotator {
namespace {

using features::Landmarks68;
using features::Point2;

constexpr std::size_t kShapeSize = 2 * features::kLandmarkCount;
using Shape = std::array<float, kShapeSize>;  // x, y of each landmark in the units of the face box (0..1)

// One level of the cascade, its leaves in one array. dlib's own evaluator rounds landmarks to whole pixels; this one
// keeps fractions and is otherwise the same to the last bit: a probe that is rounded the other way changes decisions
// of many trees (leaves in 16 bits moved jaw points by up to 3 pixels on faces of 200).
struct Cascade {
  std::vector<std::uint8_t> anchor;  // [P] landmark nearest to each probed pixel in the mean shape
  std::vector<Point2> delta;         // [P] offset from it
  struct Split {
    std::uint16_t first = 0;
    std::uint16_t second = 0;
    float threshold = 0;
  };
  std::size_t trees = 0;
  std::size_t splits_per_tree = 0;   // 2^depth - 1
  std::vector<Split> splits;         // [trees x splits_per_tree], heap order
  std::vector<float> leaves;         // [trees x (splits_per_tree + 1) x kShapeSize], box units
};

[[noreturn]] void Fail(const std::string& path, const std::string& what) {
  throw std::runtime_error(
      path + ": " + what +
      ". Landmark weights come with Debian's package libdlib-data; AUFORGE_LANDMARKS names "
      "another file.");
}

// The parts of a serialised dlib::shape_predictor, in its order.
struct SerialisedPredictor {
  dlib::matrix<float, 0, 1> initial_shape;
  std::vector<std::vector<dlib::impl::regression_tree>> forests;
  std::vector<std::vector<unsigned long>> anchors;
  std::vector<std::vector<dlib::vector<float, 2>>> deltas;
};

SerialisedPredictor ReadPredictor(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) Fail(path, "cannot be opened");
  SerialisedPredictor p;
  try {
    int version = 0;
    dlib::deserialize(version, in);
    if (version != 1) Fail(path, "is not a dlib shape predictor of version 1");
    dlib::deserialize(p.initial_shape, in);
    dlib::deserialize(p.forests, in);
    dlib::deserialize(p.anchors, in);
    dlib::deserialize(p.deltas, in);
  } catch (const dlib::serialization_error& e) {
    Fail(path, std::string("is damaged or not a dlib shape predictor (") + e.what() + ")");
  }
  if (p.initial_shape.size() != static_cast<long>(kShapeSize)) {
    Fail(path, "has " + std::to_string(p.initial_shape.size() / 2) + " landmarks; 68 are needed");
  }
  if (p.forests.empty() || p.anchors.size() != p.forests.size() || p.deltas.size() != p.forests.size()) {
    Fail(path, "has an inconsistent number of cascades");
  }
  return p;
}

void PackLeaves(const std::vector<dlib::impl::regression_tree>& forest, Cascade& out) {
  for (const auto& tree : forest) {
    for (const auto& leaf : tree.leaf_values) out.leaves.insert(out.leaves.end(), leaf.begin(), leaf.end());
  }
}

Cascade PackCascade(const std::string& path, const SerialisedPredictor& p, std::size_t level) {
  const auto& forest = p.forests[level];
  const std::size_t pixels = p.anchors[level].size();
  if (forest.empty() || pixels == 0 || pixels > 65535 || p.deltas[level].size() != pixels) {
    Fail(path, "has a malformed cascade");
  }
  Cascade out;
  out.trees = forest.size();
  out.splits_per_tree = forest.front().splits.size();
  for (std::size_t i = 0; i < pixels; ++i) {
    if (p.anchors[level][i] >= features::kLandmarkCount) Fail(path, "refers to a landmark beyond 67");
    out.anchor.push_back(static_cast<std::uint8_t>(p.anchors[level][i]));
    out.delta.push_back({p.deltas[level][i].x(), p.deltas[level][i].y()});
  }
  const std::size_t leaves = out.splits_per_tree + 1;
  if ((leaves & out.splits_per_tree) != 0) Fail(path, "has a tree that is not complete");
  out.leaves.reserve(out.trees * leaves * kShapeSize);
  for (const auto& tree : forest) {
    if (tree.splits.size() != out.splits_per_tree || tree.leaf_values.size() != leaves) {
      Fail(path, "has trees of different depths");
    }
    for (const auto& split : tree.splits) {
      if (split.idx1 >= pixels || split.idx2 >= pixels) Fail(path, "has a split beyond its pixels");
      out.splits.push_back(
          {static_cast<std::uint16_t>(split.idx1), static_cast<std::uint16_t>(split.idx2), split.thresh});
    }
    for (const auto& leaf : tree.leaf_values) {
      if (leaf.size() != static_cast<long>(kShapeSize)) Fail(path, "has a leaf of the wrong size");
    }
  }
  PackLeaves(forest, out);
  return out;
}

// Grey value as dlib takes it: the plain mean of the three channels, rounded down.
inline float PixelIntensity(const cv::Mat& image, long x, long y) {
  if (x < 0 || y < 0 || x >= image.cols || y >= image.rows) return 0;
  if (image.channels() == 1) return image.ptr<std::uint8_t>(static_cast<int>(y))[x];
  const std::uint8_t* p = image.ptr<std::uint8_t>(static_cast<int>(y)) + 3 * x;
  return static_cast<float>((p[0] + p[1] + p[2]) / 3);
}

// Linear part [a -b; b a] of the least-squares similarity from the mean shape to the current one.
struct Rotation {
  float a = 1;
  float b = 0;
};

Rotation FitRotation(const Shape& from, const Shape& to) {
  constexpr double n = features::kLandmarkCount;
  double fx = 0, fy = 0, tx = 0, ty = 0;
  for (std::size_t i = 0; i < kShapeSize; i += 2) {
    fx += from[i], fy += from[i + 1], tx += to[i], ty += to[i + 1];
  }
  double dot = 0, cross = 0, norm = 0;
  for (std::size_t i = 0; i < kShapeSize; i += 2) {
    const double px = from[i] - fx / n, py = from[i + 1] - fy / n, qx = to[i] - tx / n,
                 qy = to[i + 1] - ty / n;
    dot += px * qx + py * qy;
    cross += px * qy - py * qx;
    norm += px * px + py * py;
  }
  return {static_cast<float>(dot / norm), static_cast<float>(cross / norm)};
}

// The face box as dlib sees it: corners are the centres of the outermost pixels, whose centres are whole
// numbers.
struct BoxFrame {
  float left = 0, top = 0, width = 0, height = 0;
  explicit BoxFrame(const features::Box& box)
      : left(box.x), top(box.y), width(box.width - 1), height(box.height - 1) {}
  // In double, as dlib does it: a rounding the other way probes another pixel, and trees amplify that.
  double X(float x) const { return left + static_cast<double>(x) * width; }
  double Y(float y) const { return top + static_cast<double>(y) * height; }
};

}  // namespace

struct Landmarker::Impl {
  Shape mean{};
  std::vector<Cascade> cascades;

  void ReadPixels(const Cascade& c, const cv::Mat& image, const BoxFrame& frame, const Shape& shape,
                  std::vector<float>& values) const {
    const Rotation r = FitRotation(mean, shape);
    values.resize(c.anchor.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Point2 d = c.delta[i];
      const std::size_t k = 2U * c.anchor[i];
      const double x = frame.X(r.a * d.x - r.b * d.y + shape[k]);
      const double y = frame.Y(r.b * d.x + r.a * d.y + shape[k + 1]);
      values[i] = PixelIntensity(image, std::lround(std::floor(x + 0.5)), std::lround(std::floor(y + 0.5)));
    }
  }

  static void AddLeaves(const Cascade& c, const std::vector<float>& values, std::vector<std::uint32_t>& leaf,
                        Shape& shape) {
    const std::size_t per_tree = c.splits_per_tree;
    leaf.resize(c.trees);
    for (std::size_t t = 0; t < c.trees; ++t) {
      const Cascade::Split* splits = c.splits.data() + t * per_tree;
      std::size_t node = 0;
      while (node < per_tree) {
        const Cascade::Split& s = splits[node];
        node = 2 * node + (values[s.first] - values[s.second] > s.threshold ? 1 : 2);
      }
      leaf[t] = static_cast<std::uint32_t>(t * (per_tree + 1) + node - per_tree);
      const char* row = reinterpret_cast<const char*>(c.leaves.data() + leaf[t] * kShapeSize);
      for (std::size_t b = 0; b < kShapeSize * sizeof(float); b += 64) __builtin_prefetch(row + b);
    }
    for (std::size_t t = 0; t < c.trees; ++t) {
      const float* row = c.leaves.data() + leaf[t] * kShapeSize;
      for (std::size_t j = 0; j < kShapeSize; ++j) shape[j] += row[j];
    }
  }
};

std::string DefaultLandmarkPath() {
  const char* configured = std::getenv("AUFORGE_LANDMARKS");
  return configured != nullptr && *configured != '\0'
             ? configured
             : "/usr/share/dlib/shape_predictor_68_face_landmarks.dat";
}

Landmarker::Landmarker(const std::string& path) : impl_(std::make_unique<Impl>()) {
  const SerialisedPredictor serialised = ReadPredictor(path);
  std::copy(serialised.initial_shape.begin(), serialised.initial_shape.end(), impl_->mean.begin());
  for (std::size_t level = 0; level < serialised.forests.size(); ++level) {
    impl_->cascades.push_back(PackCascade(path, serialised, level));
  }
}

Landmarker::~Landmarker() = default;
Landmarker::Landmarker(Landmarker&&) noexcept = default;
Landmarker& Landmarker::operator=(Landmarker&&) noexcept = default;

Landmarks68 Landmarker::Find(const cv::Mat& image, const features::Box& box) const {
  if (image.depth() != CV_8U || (image.channels() != 1 && image.channels() != 3)) {
    throw std::invalid_argument("Landmarker: the image must be CV_8UC1 or CV_8UC3");
  }
  const BoxFrame frame(box);
  Shape shape = impl_->mean;
  std::vector<float> values;
  std::vector<std::uint32_t> leaf;
  for (const Cascade& cascade : impl_->cascades) {
    impl_->ReadPixels(cascade, image, frame, shape, values);
    Impl::AddLeaves(cascade, values, leaf, shape);
  }
  Landmarks68 landmarks;
  for (std::size_t i = 0; i < landmarks.size(); ++i) {
    // Pixel centres at .5.
    landmarks[i] = {static_cast<float>(frame.X(shape[2 * i]) + 0.5), static_cast<float>(frame.Y(shape[2 * i + 1]) + 0.5)};
  }
  return landmarks;
}

}  // namespace auforge::annotator
