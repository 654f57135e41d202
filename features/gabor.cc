#include "features/gabor.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>

#include "features/internal/gabor_pair.h"

namespace auforge::features {
namespace {

using Eigen::Index;
using internal::GaborPair;
using internal::PhaseWeights;
using Patches = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double kPi = std::numbers::pi;

// Waves whose patches have the same size: their filters as two matrices, one column a wave.
struct Group {
  int radius = 0;
  std::vector<std::size_t> waves;                  // index in the bank
  std::vector<std::vector<PhaseWeights>> weights;  // of each wave, for each phase
  Eigen::MatrixXf even;                            // (half + 1) x waves
  Eigen::MatrixXf odd;                             // half x waves
};

Eigen::Map<const Eigen::VectorXd> Column(const std::vector<double>& v) {
  return {v.data(), static_cast<Index>(v.size())};
}

void Append(const GaborPair& pair, std::size_t wave, const std::vector<double>& phases, Group& group) {
  const auto column = static_cast<Index>(group.waves.size());
  group.waves.push_back(wave);
  std::vector<PhaseWeights>& weights = group.weights.emplace_back();
  for (const double phase : phases) weights.push_back(pair.Weights(phase));
  group.even.conservativeResize(static_cast<Index>(pair.even.size()), column + 1);
  group.odd.conservativeResize(static_cast<Index>(pair.odd.size()), column + 1);
  group.even.col(column) = Column(pair.even).cast<float>();
  group.odd.col(column) = Column(pair.odd).cast<float>();
}

// A patch folded about its centre: sums and differences of opposite pixels, so that even and odd filters need
// only half of the products. sums: half + 1 values (the last is the centre), differences: half.
void Fold(const cv::Mat& picture, cv::Point corner, int side, float* sums, float* differences) {
  const int radius = side / 2;
  const auto fold = [&](const float* row, const float* opposite, int count) {
    for (int x = 0; x < count; ++x) {
      const float a = row[x], b = opposite[side - 1 - x];
      sums[x] = a + b;
      differences[x] = a - b;
    }
    sums += count;
    differences += count;
  };
  for (int y = 0; y < radius; ++y) {
    fold(picture.ptr<float>(corner.y + y) + corner.x, picture.ptr<float>(corner.y + side - 1 - y) + corner.x,
         side);
  }
  const float* middle = picture.ptr<float>(corner.y + radius) + corner.x;
  fold(middle, middle, radius);
  *sums = middle[radius];
}

void CheckSize(std::size_t size, std::size_t needed, const char* what) {
  if (size == needed) return;
  throw std::invalid_argument("gabor: room for " + std::to_string(size) + " " + what + "; needs " +
                              std::to_string(needed));
}

}  // namespace

struct GaborBank::Impl {
  GaborOptions options;
  std::vector<double> phases;
  int radius = 0;  // of the widest group
  std::size_t point_count = 0;
  std::size_t wave_count = 0;
  std::vector<Group> groups;
};

GaborBank::GaborBank(const GaborOptions& options) : impl_(std::make_unique<Impl>()) {
  options.Validate();
  impl_->options = options;
  impl_->point_count = MirrorFacePoints(options.points).size();
  impl_->phases.assign(options.phases.begin(), options.phases.end());
  if (options.output == GaborOutput::kSqrtMagnitude) impl_->phases = {0, kPi / 2};
  std::map<int, Group> groups;
  for (const float wavelength : options.wavelengths) {
    for (const float ratio : options.sigma_ratios) {
      const double sigma = static_cast<double>(wavelength) * ratio;
      const int radius = internal::GaborRadius(sigma, options.gamma);
      for (int k = 0; k < options.orientations; ++k) {
        const GaborPair pair({wavelength, sigma, options.gamma, k * kPi / options.orientations}, radius);
        Append(pair, impl_->wave_count++, impl_->phases, groups[radius]);
      }
    }
  }
  for (auto& [radius, group] : groups) {
    group.radius = radius;
    impl_->radius = radius;
    impl_->groups.push_back(std::move(group));
  }
}

GaborBank::~GaborBank() = default;
GaborBank::GaborBank(GaborBank&&) noexcept = default;
GaborBank& GaborBank::operator=(GaborBank&&) noexcept = default;

std::size_t GaborBank::PointCount() const { return impl_->point_count; }
std::size_t GaborBank::FilterCount() const { return impl_->wave_count * impl_->phases.size(); }
int GaborBank::Radius() const { return impl_->radius; }
std::size_t GaborBank::Dimension() const {
  const bool pairs = impl_->options.output == GaborOutput::kSqrtMagnitude;
  return PointCount() * FilterCount() / (pairs ? 2 : 1);
}

cv::Mat GaborBank::Filter(std::size_t index) const {
  const std::size_t phases = impl_->phases.size();
  for (const Group& group : impl_->groups) {
    const auto found = std::find(group.waves.begin(), group.waves.end(), index / phases);
    if (found == group.waves.end()) continue;
    const Index column = found - group.waves.begin();
    const PhaseWeights w = group.weights[static_cast<std::size_t>(column)][index % phases];
    const int side = 2 * group.radius + 1;
    const int half = side * side / 2;
    cv::Mat filter(side, side, CV_32FC1);
    for (int i = 0; i <= half; ++i) {
      const float even = w.even * group.even(i, column);
      const float odd = i < half ? w.odd * group.odd(i, column) : 0;
      const int opposite = side * side - 1 - i;
      filter.at<float>(opposite / side, opposite % side) = even - odd;
      filter.at<float>(i / side, i % side) = even + odd;
    }
    const int rim = impl_->radius - group.radius;
    cv::copyMakeBorder(filter, filter, rim, rim, rim, rim, cv::BORDER_CONSTANT, 0);
    return filter;
  }
  throw std::invalid_argument("gabor: filter " + std::to_string(index) + " of " +
                              std::to_string(FilterCount()));
}

void GaborBank::Respond(const cv::Mat& grey, std::span<const cv::Point> pixels, std::span<float> out) const {
  if (grey.empty() || grey.type() != CV_32FC1) throw std::invalid_argument("gabor: needs a CV_32FC1 picture");
  CheckSize(out.size(), pixels.size() * FilterCount(), "responses");
  const int radius = impl_->radius;
  cv::Mat padded;
  cv::copyMakeBorder(grey, padded, radius, radius, radius, radius, cv::BORDER_REPLICATE);

  // Whole vectors of points; the rows beyond the last point stay zero.
  const Index rows = (static_cast<Index>(pixels.size()) + 7) / 8 * 8;
  const Index widest = impl_->groups.back().even.rows();
  Patches sums(rows, widest), differences(rows, widest);
  sums.bottomRows(std::min<Index>(rows, 8)).setZero();
  differences.bottomRows(std::min<Index>(rows, 8)).setZero();
  Eigen::MatrixXf even, odd;
  const std::size_t phases = impl_->phases.size();
  for (const Group& group : impl_->groups) {
    const int inset = radius - group.radius;
    for (std::size_t p = 0; p < pixels.size(); ++p) {
      const cv::Point corner(std::clamp(pixels[p].x, 0, grey.cols - 1) + inset,
                             std::clamp(pixels[p].y, 0, grey.rows - 1) + inset);
      const auto row = static_cast<Index>(p);
      Fold(padded, corner, 2 * group.radius + 1, &sums(row, 0), &differences(row, 0));
    }
    even.noalias() = sums.leftCols(group.even.rows()) * group.even;
    odd.noalias() = differences.leftCols(group.odd.rows()) * group.odd;
    for (std::size_t w = 0; w < group.waves.size(); ++w) {
      for (std::size_t p = 0; p < pixels.size(); ++p) {
        float* responses = &out[p * FilterCount() + group.waves[w] * phases];
        const float e = even(static_cast<Index>(p), static_cast<Index>(w));
        const float o = odd(static_cast<Index>(p), static_cast<Index>(w));
        for (std::size_t f = 0; f < phases; ++f) {
          responses[f] = group.weights[w][f].even * e + group.weights[w][f].odd * o;
        }
      }
    }
  }
}

void GaborBank::Extract(const cv::Mat& crop, const Landmarks68& landmarks, std::span<float> out) const {
  CheckSize(out.size(), Dimension(), "features");
  const cv::Mat grey = NormaliseLocally(crop, impl_->options.normalisation_sigma);
  std::vector<cv::Point> pixels;
  pixels.reserve(PointCount());
  for (const Point2& point : FacePoints(landmarks, impl_->options.points)) {
    // Landmarks of a wild guess may lie anywhere; the cast needs a bound.
    const auto pixel = [](float v) { return static_cast<int>(std::floor(std::clamp(v, -1e6F, 1e6F))); };
    pixels.emplace_back(pixel(point.x), pixel(point.y));
  }
  if (impl_->options.output == GaborOutput::kResponses) {
    Respond(grey, pixels, out);
    return;
  }
  std::vector<float> responses(pixels.size() * FilterCount());
  Respond(grey, pixels, responses);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float even = responses[2 * i], odd = responses[2 * i + 1];
    out[i] = std::sqrt(std::sqrt(even * even + odd * odd));
  }
}

std::vector<std::size_t> GaborBank::MirrorColumns() const {
  const bool magnitudes = impl_->options.output == GaborOutput::kSqrtMagnitude;
  const std::size_t phases = magnitudes ? 1 : impl_->phases.size();
  const auto orientations = static_cast<std::size_t>(impl_->options.orientations);
  const std::size_t per_point = Dimension() / PointCount();
  const std::vector<std::size_t> points = MirrorFacePoints(impl_->options.points);
  std::vector<std::size_t> columns;
  columns.reserve(Dimension());
  for (std::size_t p = 0; p < points.size(); ++p) {
    for (std::size_t i = 0; i < per_point; ++i) {
      const std::size_t phase = i % phases;
      const std::size_t k = i / phases % orientations;
      const std::size_t mirrored_k = (orientations - k) % orientations;
      // The wave at angle 0 runs the other way in the mirror: only its cosine stays itself.
      const bool same = magnitudes || k != 0 || std::abs(std::sin(impl_->phases[phase])) < 1e-6;
      const std::size_t mirrored = i - k * phases + mirrored_k * phases;
      columns.push_back(same ? points[p] * per_point + mirrored : kNoMirrorColumn);
    }
  }
  return columns;
}

}  // namespace auforge::features
