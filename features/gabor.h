// Gabor responses at facial points as one matrix product: gathered patches times a bank of filters.
// g(s) = exp(-(s1^2 + gamma^2 s2^2) / (2 sigma^2)) cos(2 pi s1 / lambda + phi), made DC-free (EmotioNet, CVPR 2016).
#pragma once

#include <vector>

namespace auforge::features {

struct GaborOptions {
  int crop_size = 112;                                         // side of the aligned grey crop, pixels, >= 32
  std::vector<float> wavelengths = {4.5F, 7.0F, 10.5F, 15.0F}; // lambda, pixels of the crop, >= 2
  int orientations = 6;                                        // k pi / orientations, 1..32
  float sigma_ratio = 0.5F;                                    // sigma / lambda, > 0
  float gamma = 1.0F;                                          // aspect ratio, > 0
  bool all_landmarks = false;  // true: EmotioNet's 66 points; false: 51 inner landmarks + 19 skin points
  float normalisation_sigma = 14.0F;                           // local mean/variance window, pixels; 0 = off
  void Validate() const;                                       // throws std::invalid_argument
  friend bool operator==(const GaborOptions&, const GaborOptions&) = default;
};

}  // namespace auforge::features
