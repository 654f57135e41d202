#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

#include "features/gabor.h"
#include "features/internal/gabor_pair.h"

namespace auforge::features {
namespace {

// Bounds that no sensible bank meets, but that a damaged or hostile model file might: 64 MiB of coefficients.
constexpr int kMaxRadius = 256;
constexpr double kMaxCoefficients = 1 << 24;

template <typename T>
void Require(bool condition, const char* field, T value, const char* constraint) {
  if (condition) return;
  throw std::invalid_argument(std::string("gabor.") + field + " = " + std::to_string(value) + "; must be " +
                              constraint);
}

}  // namespace

void GaborOptions::Validate() const {
  Require(crop_size >= 32 && crop_size <= 1024, "crop_size", crop_size, "in 32..1024 pixels");
  Require(!wavelengths.empty() && wavelengths.size() <= 16, "wavelengths.size", wavelengths.size(),
          "in 1..16");
  for (const float w : wavelengths) Require(w >= 2 && w <= 64, "wavelengths", w, "in 2..64 pixels");
  Require(orientations >= 1 && orientations <= 32, "orientations", orientations, ">= 1 and <= 32");
  Require(!sigma_ratios.empty() && sigma_ratios.size() <= 8, "sigma_ratios.size", sigma_ratios.size(),
          "in 1..8");
  for (const float s : sigma_ratios) Require(s > 0 && s <= 2, "sigma_ratios", s, "> 0 and <= 2");
  Require(!phases.empty() && phases.size() <= 8, "phases.size", phases.size(), "in 1..8");
  for (const float p : phases) Require(std::isfinite(p), "phases", p, "finite");
  Require(gamma > 0 && gamma <= 10, "gamma", gamma, "> 0 and <= 10");
  Require(normalisation_sigma >= 0 && normalisation_sigma <= 100, "normalisation_sigma", normalisation_sigma,
          "in 0..100 pixels");
  double coefficients = 0;
  for (const float wavelength : wavelengths) {
    for (const float ratio : sigma_ratios) {
      const double radius = std::ceil(3.0 * wavelength * ratio / std::min(1.0F, gamma));
      Require(radius <= kMaxRadius, "wavelengths * sigma_ratios / gamma: radius of a filter", radius,
              "<= 256 pixels");
      coefficients += orientations * (2 * radius + 1) * (2 * radius + 1);
    }
  }
  Require(coefficients <= kMaxCoefficients, "wavelengths, sigma_ratios, orientations: coefficients",
          coefficients, "<= 16777216");
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

GaborOptions GaborOptions::EmotioNetFull(int orientations) {
  GaborOptions options = EmotioNet();
  options.orientations = orientations;
  options.sigma_ratios = {0.25F, 0.5F, 0.75F, 1.0F};
  options.phases = {0, 1, 2};
  return options;
}

}  // namespace auforge::features
