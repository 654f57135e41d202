#include "annotator/landmarker.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "annotator/internal/landmark_ensemble.h"
#include "annotator/landmark_look.h"
#include "annotator/net_landmarker.h"
#include "datasets/storage/bad_content.h"
#include "features/align.h"

namespace auforge::annotator {
namespace {

using features::Landmarks68;
using features::Point2;
using Cascade = LandmarkCascade;
using Shape = LandmarkShape;

// dlib's own evaluator rounds landmarks to whole pixels; this one keeps fractions and is otherwise the same
// to the last bit: a probe that is rounded the other way changes decisions of many trees.

// Grey value as dlib takes it: the plain mean of the three channels, rounded down. x, y: whole numbers, or
// what a hostile file of weights makes of them.
inline float PixelIntensity(const cv::Mat& image, double x, double y) {
  if (!(x >= 0 && y >= 0 && x < image.cols && y < image.rows)) return 0;
  const auto* row = image.ptr<std::uint8_t>(static_cast<int>(y));
  if (image.channels() == 1) return row[static_cast<int>(x)];
  const std::uint8_t* p = row + 3 * static_cast<int>(x);
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

// `box` itself where points and box have nothing to do with each other.
features::Box BoxAskedFor(const Landmarks68& points, const features::Box& box) {
  constexpr float kLeastOverlap = 0.3F;
  const features::Box asked = BoxAround(points);
  return features::Overlap(box, asked) > kLeastOverlap ? asked : box;
}

// dlib's.
struct TreeLandmarker {
  LandmarkEnsemble ensemble;

  // A face on its way through the cascades. A mirrored one is looked at through a mirror: its frame and shape
  // are those of the picture turned round.
  struct State {
    const cv::Mat* image;
    BoxFrame frame;
    Shape shape;
    bool is_mirrored = false;
  };

  void ReadPixels(const Cascade& c, const State& face, std::vector<float>& values) const {
    const Rotation r = FitRotation(ensemble.mean, face.shape);
    values.resize(c.anchor.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Point2 d = c.delta[i];
      const std::size_t k = 2U * c.anchor[i];
      const double x = face.frame.X(r.a * d.x - r.b * d.y + face.shape[k]);
      const double y = face.frame.Y(r.b * d.x + r.a * d.y + face.shape[k + 1]);
      const double column = std::floor(x + 0.5);
      values[i] = PixelIntensity(*face.image, face.is_mirrored ? face.image->cols - 1 - column : column,
                                 std::floor(y + 0.5));
    }
  }

  // The leaf that each tree of the cascade decides for, as its index within the cascade. leaf: size c.trees.
  static void Decide(const Cascade& c, const std::vector<float>& values, std::uint32_t* leaf) {
    const std::size_t per_tree = c.splits_per_tree;
    for (std::size_t t = 0; t < c.trees; ++t) {
      const Cascade::Split* splits = c.splits.data() + t * per_tree;
      std::size_t node = 0;
      while (node < per_tree) {
        const Cascade::Split& s = splits[node];
        // Without a branch: nobody could foretell it.
        node = 2 * node + 2 - static_cast<std::size_t>(values[s.first] - values[s.second] > s.threshold);
      }
      leaf[t] = static_cast<std::uint32_t>(t * (per_tree + 1) + node - per_tree);
    }
  }

  // Adds the leaves of trees first..last-1 in the order of the trees.
  static void AddLeaves(const float* leaves, const std::uint32_t* leaf, std::size_t first, std::size_t last,
                        Shape& shape) {
    constexpr std::size_t kAhead = 8;
    Shape sum = shape;
    for (std::size_t t = first; t < last; ++t) {
      if (t + kAhead < last) {
        const char* next = reinterpret_cast<const char*>(leaves + leaf[t + kAhead] * kShapeSize);
        for (std::size_t b = 0; b < kShapeSize * sizeof(float); b += 64) __builtin_prefetch(next + b);
      }
      const float* row = leaves + leaf[t] * kShapeSize;
      for (std::size_t j = 0; j < kShapeSize; ++j) sum[j] += row[j];
    }
    shape = sum;
  }

  // Cascade by cascade, and within it block of trees by block of trees, over all faces: a block's leaves stay
  // in the cache for the whole batch. Each face gets its leaves in dlib's order, so that its sums are dlib's
  // to the last bit.
  void Run(std::vector<State>& faces) const {
    constexpr std::size_t kBlock = 64;  // 560 KB of dlib's leaves
    std::vector<float> values;
    std::vector<std::uint32_t> leaf;
    for (const Cascade& cascade : ensemble.cascades) {
      leaf.resize(faces.size() * cascade.trees);
      for (std::size_t f = 0; f < faces.size(); ++f) {
        ReadPixels(cascade, faces[f], values);
        Decide(cascade, values, leaf.data() + f * cascade.trees);
      }
      const float* leaves = ensemble.leaves.data() + cascade.first_leaf * kShapeSize;
      for (std::size_t first = 0; first < cascade.trees; first += kBlock) {
        const std::size_t last = std::min(first + kBlock, cascade.trees);
        for (std::size_t f = 0; f < faces.size(); ++f) {
          AddLeaves(leaves, leaf.data() + f * cascade.trees, first, last, faces[f].shape);
        }
      }
    }
  }

  State Start(const FaceInImage& face, bool is_mirrored) const {
    if (face.image->depth() != CV_8U || (face.image->channels() != 1 && face.image->channels() != 3)) {
      throw std::invalid_argument("Landmarker: the image must be CV_8UC1 or CV_8UC3");
    }
    features::Box box = face.box;
    if (is_mirrored) box.x = static_cast<float>(face.image->cols) - box.x - box.width;
    return {face.image, BoxFrame(box), ensemble.mean, is_mirrored};
  }

  // In the pixels of the picture as it is.
  static Landmarks68 PointsOf(const State& state) {
    Landmarks68 points;
    for (std::size_t i = 0; i < features::kLandmarkCount; ++i) {
      // Pixel centres at .5.
      const auto x = static_cast<float>(state.frame.X(state.shape[2 * i]) + 0.5);
      const auto y = static_cast<float>(state.frame.Y(state.shape[2 * i + 1]) + 0.5);
      if (state.is_mirrored) {
        points[features::MirrorLandmark(i)] = {static_cast<float>(state.image->cols) - x, y};
      } else {
        points[i] = {x, y};
      }
    }
    return points;
  }

  std::vector<Landmarks68> FindOneWay(std::span<const FaceInImage> faces) const {
    std::vector<State> states;
    states.reserve(faces.size());
    for (const FaceInImage& face : faces) states.push_back(Start(face, false));
    Run(states);
    std::vector<Landmarks68> found;
    found.reserve(faces.size());
    for (const State& state : states) found.push_back(PointsOf(state));
    return found;
  }

  // Means of the face and its mirror image.
  std::vector<Landmarks68> FindBothWays(std::span<const FaceInImage> faces) const {
    std::vector<State> states;
    states.reserve(2 * faces.size());
    for (const bool is_mirrored : {false, true}) {
      for (const FaceInImage& face : faces) states.push_back(Start(face, is_mirrored));
    }
    Run(states);
    std::vector<Landmarks68> found;
    found.reserve(faces.size());
    for (std::size_t f = 0; f < faces.size(); ++f) {
      Landmarks68 points = PointsOf(states[f]);
      const Landmarks68 turned = PointsOf(states[f + faces.size()]);
      for (std::size_t i = 0; i < points.size(); ++i) points[i] = features::Midpoint(points[i], turned[i]);
      found.push_back(points);
    }
    return found;
  }
};

// What a file is, its first bytes tell.
bool HoldsNets(const std::string& path) {
  std::array<char, 8> begin{};
  std::ifstream file(path, std::ios::binary);
  file.read(begin.data(), begin.size());
  return file.gcount() == begin.size() &&
         IsNetLandmarker({reinterpret_cast<const std::uint8_t*>(begin.data()), begin.size()});
}

std::vector<Landmarks68> PointsOf(const std::vector<FoundLandmarks>& found) {
  std::vector<Landmarks68> points;
  points.reserve(found.size());
  for (const FoundLandmarks& face : found) points.push_back(face.points);
  return points;
}

constexpr const char* kDlibPrefix = "dlib:";
constexpr const char* kNetPrefix = "auforge-";

}  // namespace

struct Landmarker::Impl {
  std::optional<TreeLandmarker> trees;  // one of the two
  std::optional<NetLandmarker> nets;
};

namespace {

std::string ConfiguredOr(const char* name) {
  const char* configured = std::getenv("AUFORGE_LANDMARKS");
  return configured != nullptr && *configured != '\0' ? configured : name;
}

}  // namespace

std::string DefaultLandmarks() { return ConfiguredOr("auforge"); }

std::string LandmarkFile(const std::string& name) {
  if (name == "auforge") return DefaultNetLandmarkerPath();
  if (name == "dlib") return "/usr/share/dlib/shape_predictor_68_face_landmarks.dat";
  return name.starts_with(kDlibPrefix) ? name.substr(std::string_view(kDlibPrefix).size()) : name;
}

std::string LandmarksFor(const std::string& trained_with) {
  return ConfiguredOr(trained_with.starts_with(kNetPrefix) ? "auforge" : "dlib");
}

void RequireSameLandmarker(const std::string& found_by, const std::string& trained_with, const std::string& name) {
  if (found_by == trained_with) return;
  throw datasets::storage::BadContent(name + " was trained with the landmarks of " + trained_with + ", not with those of " + found_by +
                              ": use --landmarks " + (trained_with.starts_with(kNetPrefix) ? "with that net's file" : "dlib") +
                              ", or a model that was trained with these");
}

Landmarker::Landmarker(const std::string& name) : impl_(std::make_unique<Impl>()) {
  const std::string path = LandmarkFile(name);
  if (HoldsNets(path) && !name.starts_with(kDlibPrefix)) {
    impl_->nets.emplace(NetLandmarker::Load(path));
  } else {
    impl_->trees.emplace(TreeLandmarker{ReadLandmarkEnsemble(path)});
  }
}

Landmarker::~Landmarker() = default;
Landmarker::Landmarker(Landmarker&&) noexcept = default;
Landmarker& Landmarker::operator=(Landmarker&&) noexcept = default;

std::string Landmarker::Name() const { return impl_->nets ? kNetPrefix + impl_->nets->digest() : "dlib"; }

Landmarks68 Landmarker::Find(const cv::Mat& image, const features::Box& box) const {
  const FaceInImage face{&image, box};
  return Find(std::span(&face, 1)).front();
}

std::vector<Landmarks68> Landmarker::Find(std::span<const FaceInImage> faces) const {
  if (impl_->nets) return PointsOf(impl_->nets->Find(faces));
  return impl_->trees->FindOneWay(faces);
}

std::vector<Landmarks68> Landmarker::FindSteady(std::span<const FaceInImage> faces) const {
  if (impl_->nets) return PointsOf(impl_->nets->Find(faces));
  return FindSteady(faces, impl_->trees->FindBothWays(faces));
}

std::vector<Landmarks68> Landmarker::FindSteady(std::span<const FaceInImage> faces,
                                                std::span<const Landmarks68> first) const {
  if (first.size() != faces.size())
    throw std::invalid_argument("Landmarker: points for another number of faces");
  if (faces.empty()) return {};
  if (impl_->nets) return PointsOf(impl_->nets->Find(faces, first));
  std::vector<FaceInImage> again(faces.begin(), faces.end());
  for (std::size_t f = 0; f < again.size(); ++f) again[f].box = BoxAskedFor(first[f], faces[f].box);
  return impl_->trees->FindBothWays(again);
}

Landmarks68 Landmarker::FindSteady(const cv::Mat& image, const features::Box& box) const {
  const FaceInImage face{&image, box};
  return FindSteady(std::span(&face, 1)).front();
}

bool Landmarker::TellsSpread() const { return impl_->nets.has_value(); }

std::vector<FoundLandmarks> Landmarker::FindWithSpread(std::span<const FaceInImage> faces) const {
  if (!impl_->nets) throw std::logic_error("Landmarker: regression trees do not know how far off they are");
  return impl_->nets->Find(faces);
}

}  // namespace auforge::annotator
