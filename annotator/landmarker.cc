#include "annotator/landmarker.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "annotator/internal/landmark_ensemble.h"

namespace auforge::annotator {
namespace {

using features::Landmarks68;
using features::Point2;
using Cascade = LandmarkCascade;
using Shape = LandmarkShape;

// dlib's own evaluator rounds landmarks to whole pixels; this one keeps fractions and is otherwise the same to the
// last bit: a probe that is rounded the other way changes decisions of many trees.

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
  LandmarkEnsemble ensemble;

  // A face on its way through the cascades.
  struct State {
    const cv::Mat* image;
    BoxFrame frame;
    Shape shape;
  };

  void ReadPixels(const Cascade& c, const State& face, std::vector<float>& values) const {
    const Rotation r = FitRotation(ensemble.mean, face.shape);
    values.resize(c.anchor.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Point2 d = c.delta[i];
      const std::size_t k = 2U * c.anchor[i];
      const double x = face.frame.X(r.a * d.x - r.b * d.y + face.shape[k]);
      const double y = face.frame.Y(r.b * d.x + r.a * d.y + face.shape[k + 1]);
      values[i] = PixelIntensity(*face.image, std::lround(std::floor(x + 0.5)), std::lround(std::floor(y + 0.5)));
    }
  }

  void AddLeaves(const Cascade& c, const std::vector<float>& values, std::vector<const float*>& leaf,
                 Shape& shape) const {
    const std::size_t per_tree = c.splits_per_tree;
    const float* leaves = ensemble.leaves.data() + c.first_leaf * kShapeSize;
    leaf.resize(c.trees);
    for (std::size_t t = 0; t < c.trees; ++t) {
      const Cascade::Split* splits = c.splits.data() + t * per_tree;
      std::size_t node = 0;
      while (node < per_tree) {
        const Cascade::Split& s = splits[node];
        node = 2 * node + (values[s.first] - values[s.second] > s.threshold ? 1 : 2);
      }
      leaf[t] = leaves + (t * (per_tree + 1) + node - per_tree) * kShapeSize;
      const char* row = reinterpret_cast<const char*>(leaf[t]);
      for (std::size_t b = 0; b < kShapeSize * sizeof(float); b += 64) __builtin_prefetch(row + b);
    }
    for (const float* row : leaf) {
      for (std::size_t j = 0; j < kShapeSize; ++j) shape[j] += row[j];
    }
  }

  // Cascade by cascade over all faces: the 4 MB of leaves of one cascade stay in the cache for the whole batch.
  void Run(std::vector<State>& faces) const {
    std::vector<float> values;
    std::vector<const float*> leaf;
    for (const Cascade& cascade : ensemble.cascades) {
      for (State& face : faces) {
        ReadPixels(cascade, face, values);
        AddLeaves(cascade, values, leaf, face.shape);
      }
    }
  }
};

std::string DefaultLandmarkPath() {
  const char* configured = std::getenv("AUFORGE_LANDMARKS");
  return configured != nullptr && *configured != '\0'
             ? configured
             : "/usr/share/dlib/shape_predictor_68_face_landmarks.dat";
}

Landmarker::Landmarker(const std::string& path)
    : impl_(std::make_unique<Impl>(Impl{ReadLandmarkEnsemble(path)})) {}

Landmarker::~Landmarker() = default;
Landmarker::Landmarker(Landmarker&&) noexcept = default;
Landmarker& Landmarker::operator=(Landmarker&&) noexcept = default;

Landmarks68 Landmarker::Find(const cv::Mat& image, const features::Box& box) const {
  const FaceInImage face{&image, box};
  return Find(std::span(&face, 1)).front();
}

std::vector<Landmarks68> Landmarker::Find(std::span<const FaceInImage> faces) const {
  std::vector<Impl::State> states;
  states.reserve(faces.size());
  for (const FaceInImage& face : faces) {
    if (face.image->depth() != CV_8U || (face.image->channels() != 1 && face.image->channels() != 3)) {
      throw std::invalid_argument("Landmarker: the image must be CV_8UC1 or CV_8UC3");
    }
    states.push_back({face.image, BoxFrame(face.box), impl_->ensemble.mean});
  }
  impl_->Run(states);
  std::vector<Landmarks68> found(faces.size());
  for (std::size_t f = 0; f < states.size(); ++f) {
    const Impl::State& s = states[f];
    for (std::size_t i = 0; i < features::kLandmarkCount; ++i) {
      // Pixel centres at .5.
      found[f][i] = {static_cast<float>(s.frame.X(s.shape[2 * i]) + 0.5),
                     static_cast<float>(s.frame.Y(s.shape[2 * i + 1]) + 0.5)};
    }
  }
  return found;
}

}  // namespace auforge::annotator
