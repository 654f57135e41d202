// One Gabor envelope with its even and its odd carrier: what every phase of that wave is a sum of.
#pragma once

#include <vector>

namespace auforge::features::internal {

// A filter of phase φ is even * Even coefficient + odd * Odd coefficient.
struct PhaseWeights {
  float even = 0;
  float odd = 0;
};

struct GaborWave {
  double wavelength = 0;  // λ, pixels
  double sigma = 0;       // of the envelope along the wave, pixels
  double gamma = 1;       // σ / (deviation of the envelope across the wave)
  double angle = 0;       // radians
};

// Filters on a square of side 2 radius + 1 that are even and odd about its centre, so that half of each is
// stored: row-major from the top left corner to the pixel before the centre; `even` has the centre as well.
// Element i of the other half is that of index side² - 1 - i, for `odd` with the sign changed.
struct GaborPair {
  GaborPair(const GaborWave& wave, int radius);
  // For the filter of phase φ, scaled to unit energy. Zero where the pixel grid leaves nothing of that phase
  // (the sine of a wave of 2 pixels).
  PhaseWeights Weights(double phase) const;

  std::vector<double> even;  // DC-free: the mean under the envelope is taken off the carrier
  std::vector<double> odd;
};

// The envelope has fallen to exp(-4.5) = 1 % there. γ < 1 stretches it across the wave.
int GaborRadius(double sigma, double gamma);

}  // namespace auforge::features::internal
