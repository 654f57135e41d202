#include "features/gabor.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>

namespace auforge::features {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// The envelope has fallen to exp(-4.5) = 1 % at three sigmas.
constexpr float kSigmasKept = 3;

struct Wave {
  float wavelength, sigma, angle, phase, gamma;
};

// One filter on a square of side 2 radius + 1, row-major.
std::vector<float> MakeFilter(const Wave& wave, int radius) {
  const int side = 2 * radius + 1;
  std::vector<double> envelope, carrier;
  double envelope_sum = 0, product_sum = 0;
  const double pi = std::numbers::pi;
  const double cosine = std::cos(wave.angle);
  const double sine = std::sin(wave.angle);
  for (int y = -radius; y <= radius; ++y) {
    for (int x = -radius; x <= radius; ++x) {
      const double s1 = x * cosine + y * sine;
      const double s2 = -x * sine + y * cosine;
      const double distance = s1 * s1 + wave.gamma * wave.gamma * s2 * s2;
      const double e = std::exp(-distance / (2.0 * wave.sigma * wave.sigma));
      const double c = std::cos(2 * pi * s1 / wave.wavelength + wave.phase);
      envelope.push_back(e);
      carrier.push_back(c);
      envelope_sum += e;
      product_sum += e * c;
    }
  }
  const double dc = product_sum / envelope_sum;
  double energy = 0;
  std::vector<double> filter(static_cast<std::size_t>(side) * static_cast<std::size_t>(side));
  for (std::size_t i = 0; i < filter.size(); ++i) {
    filter[i] = envelope[i] * (carrier[i] - dc);
    energy += filter[i] * filter[i];
  }
  std::vector<float> result(filter.size());
  const double scale = energy > 0 ? 1 / std::sqrt(energy) : 0;
  std::transform(filter.begin(), filter.end(), result.begin(),
                 [scale](double v) { return static_cast<float>(v * scale); });
  return result;
}

template <typename T>
void Require(bool condition, const char* field, T value, const char* constraint) {
  if (condition) return;
  throw std::invalid_argument(std::string("gabor.") + field + " = " + std::to_string(value) + "; must be " +
                              constraint);
}

}  // namespace

void GaborOptions::Validate() const {
  Require(crop_size >= 32 && crop_size <= 1024, "crop_size", crop_size, "in 32..1024 pixels");
  Require(!wavelengths.empty() && wavelengths.size() <= 16, "wavelengths.size", wavelengths.size(), "in 1..16");
  for (const float w : wavelengths) Require(w >= 2 && w <= 64, "wavelengths", w, "in 2..64 pixels");
  Require(orientations >= 1 && orientations <= 32, "orientations", orientations, ">= 1 and <= 32");
  Require(!sigma_ratios.empty() && sigma_ratios.size() <= 8, "sigma_ratios.size", sigma_ratios.size(), "in 1..8");
  for (const float s : sigma_ratios) Require(s > 0 && s <= 2, "sigma_ratios", s, "> 0 and <= 2");
  Require(!phases.empty() && phases.size() <= 8, "phases.size", phases.size(), "in 1..8");
  for (const float p : phases) Require(std::isfinite(p), "phases", p, "finite");
  Require(gamma > 0 && gamma <= 10, "gamma", gamma, "> 0 and <= 10");
  Require(normalisation_sigma >= 0 && normalisation_sigma <= 100, "normalisation_sigma", normalisation_sigma,
          "in 0..100 pixels");
}

GaborOptions GaborOptions::EmotioNet() {
  GaborOptions options;
  const float root = std::numbers::sqrt2_v<float>;
  options.wavelengths = {4, 4 * root, 8, 8 * root, 16};
  options.orientations = 8;
  options.phases = {0, std::numbers::pi_v<float> / 2};
  options.points = GaborPoints::kEmotioNet;
  options.output = GaborOutput::kResponses;
  options.normalisation_sigma = 0;
  return options;
}

struct GaborBank::Impl {
  GaborOptions options;
  int radius = 0;
  std::size_t point_count = 0;
  Matrix filters;  // pixels of a patch x filters
};

GaborBank::GaborBank(const GaborOptions& options) : impl_(std::make_unique<Impl>()) {
  options.Validate();
  impl_->options = options;
  impl_->point_count = MirrorFacePoints(options.points).size();
  std::vector<float> phases = options.phases;
  if (options.output == GaborOutput::kSqrtMagnitude) phases = {0, std::numbers::pi_v<float> / 2};
  std::vector<Wave> waves;
  float widest = 0;
  for (const float wavelength : options.wavelengths) {
    for (const float ratio : options.sigma_ratios) {
      widest = std::max(widest, wavelength * ratio);
      for (int k = 0; k < options.orientations; ++k) {
        const float angle = static_cast<float>(k) * std::numbers::pi_v<float> / static_cast<float>(options.orientations);
        for (const float phase : phases) waves.push_back({wavelength, wavelength * ratio, angle, phase, options.gamma});
      }
    }
  }
  // γ < 1 stretches the envelope along the wave's crest.
  impl_->radius = static_cast<int>(std::ceil(kSigmasKept * widest / std::min(1.0F, options.gamma)));
  const int side = 2 * impl_->radius + 1;
  impl_->filters.resize(side * side, static_cast<Eigen::Index>(waves.size()));
  for (std::size_t f = 0; f < waves.size(); ++f) {
    const std::vector<float> filter = MakeFilter(waves[f], impl_->radius);
    for (int i = 0; i < side * side; ++i) {
      impl_->filters(i, static_cast<Eigen::Index>(f)) = filter[static_cast<std::size_t>(i)];
    }
  }
}

GaborBank::~GaborBank() = default;
GaborBank::GaborBank(GaborBank&&) noexcept = default;
GaborBank& GaborBank::operator=(GaborBank&&) noexcept = default;

std::size_t GaborBank::PointCount() const { return impl_->point_count; }
std::size_t GaborBank::FilterCount() const { return static_cast<std::size_t>(impl_->filters.cols()); }
int GaborBank::Radius() const { return impl_->radius; }
std::size_t GaborBank::Dimension() const {
  const bool pairs = impl_->options.output == GaborOutput::kSqrtMagnitude;
  return PointCount() * FilterCount() / (pairs ? 2 : 1);
}

cv::Mat GaborBank::Filter(std::size_t index) const {
  const int side = 2 * impl_->radius + 1;
  cv::Mat filter(side, side, CV_32FC1);
  for (int i = 0; i < side * side; ++i) {
    filter.at<float>(i / side, i % side) = impl_->filters(i, static_cast<Eigen::Index>(index));
  }
  return filter;
}

void GaborBank::Respond(const cv::Mat& grey, std::span<const cv::Point> pixels, std::span<float> out) const {
  if (grey.empty() || grey.type() != CV_32FC1) throw std::invalid_argument("gabor: needs a CV_32FC1 picture");
  if (out.size() != pixels.size() * FilterCount()) {
    throw std::invalid_argument("gabor: room for " + std::to_string(out.size()) + " responses; needs " +
                                std::to_string(pixels.size() * FilterCount()));
  }
  const int radius = impl_->radius;
  const int side = 2 * radius + 1;
  cv::Mat padded;
  cv::copyMakeBorder(grey, padded, radius, radius, radius, radius, cv::BORDER_REPLICATE);
  Matrix patches(static_cast<Eigen::Index>(pixels.size()), side * side);
  for (std::size_t p = 0; p < pixels.size(); ++p) {
    const int x = std::clamp(pixels[p].x, 0, grey.cols - 1);
    const int y = std::clamp(pixels[p].y, 0, grey.rows - 1);
    float* row = &patches(static_cast<Eigen::Index>(p), 0);
    for (int dy = 0; dy < side; ++dy) std::copy_n(padded.ptr<float>(y + dy) + x, side, row + dy * side);
  }
  Eigen::Map<Matrix> result(out.data(), patches.rows(), impl_->filters.cols());
  result.noalias() = patches * impl_->filters;
}

void GaborBank::Extract(const cv::Mat& crop, const Landmarks68& landmarks, std::span<float> out) const {
  if (out.size() != Dimension()) {
    throw std::invalid_argument("gabor: room for " + std::to_string(out.size()) + " features; needs " +
                                std::to_string(Dimension()));
  }
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

cv::Mat NormaliseLocally(const cv::Mat& grey, float sigma) {
  cv::Mat image;
  grey.convertTo(image, CV_32FC1, sigma > 0 ? 1.0 : 1.0 / 255);
  if (sigma <= 0) return image;
  // Three box filters of width w have the variance of a Gaussian of sigma² = (w² - 1) / 4, at a cost that does not
  // depend on sigma.
  int width = static_cast<int>(std::lround(std::sqrt(4 * sigma * sigma + 1)));
  width += 1 - width % 2;
  const auto smooth = [width](const cv::Mat& in) {
    cv::Mat result = in.clone();
    for (int pass = 0; pass < 3; ++pass) cv::blur(result, result, cv::Size(width, width), cv::Point(-1, -1), cv::BORDER_REPLICATE);
    return result;
  };
  const cv::Mat mean = smooth(image);
  const cv::Mat centred = image - mean;
  cv::Mat variance = smooth(centred.mul(centred));
  // 2 grey levels: flat areas must not turn sensor noise into texture.
  variance += 4.0;
  cv::sqrt(variance, variance);
  return centred / variance;
}

}  // namespace auforge::features
