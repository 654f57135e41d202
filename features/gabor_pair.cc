#include "features/internal/gabor_pair.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace auforge::features::internal {
namespace {

constexpr double kSigmasKept = 3;

// Of the whole filter; the centre, where there is one, is the last element.
double Energy(const std::vector<double>& half, bool centre) {
  double sum = 0;
  for (const double v : half) sum += 2 * v * v;
  return centre ? sum - half.back() * half.back() : sum;
}

}  // namespace

int GaborRadius(double sigma, double gamma) {
  return std::max(1, static_cast<int>(std::ceil(kSigmasKept * sigma / std::min(1.0, gamma))));
}

GaborPair::GaborPair(const GaborWave& wave, int radius) {
  const int side = 2 * radius + 1;
  const int half = (side * side - 1) / 2;
  const double cosine = std::cos(wave.angle);
  const double sine = std::sin(wave.angle);
  std::vector<double> envelope;
  double envelope_sum = 0, even_sum = 0;
  for (int i = 0; i <= half; ++i) {
    const double x = i % side - radius;
    const double y = i / side - radius;
    const double s1 = x * cosine + y * sine;
    const double s2 = -x * sine + y * cosine;
    const double e = std::exp(-(s1 * s1 + wave.gamma * wave.gamma * s2 * s2) / (2 * wave.sigma * wave.sigma));
    const double turn = 2 * std::numbers::pi * s1 / wave.wavelength;
    const double times = i == half ? 1 : 2;
    envelope.push_back(e);
    even.push_back(e * std::cos(turn));
    if (i < half) odd.push_back(-e * std::sin(turn));
    envelope_sum += times * e;
    even_sum += times * even.back();
  }
  const double dc = even_sum / envelope_sum;
  for (std::size_t i = 0; i < even.size(); ++i) even[i] -= dc * envelope[i];
}

PhaseWeights GaborPair::Weights(double phase) const {
  const double a = std::cos(phase);
  const double b = std::sin(phase);
  const double energy = a * a * Energy(even, true) + b * b * Energy(odd, false);
  if (!(energy > 1e-12)) return {};
  const double scale = 1 / std::sqrt(energy);
  return {static_cast<float>(scale * a), static_cast<float>(scale * b)};
}

}  // namespace auforge::features::internal
