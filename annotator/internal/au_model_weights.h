// The numbers of an AU model, as the learners make them and the file stores them. All matrices row-major.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "annotator/au_model.h"
#include "annotator/internal/head.h"
#include "annotator/internal/ksda.h"
#include "annotator/internal/matrix_product.h"
#include "annotator/internal/quality_head.h"
#include "annotator/internal/readout.h"
#include "annotator/internal/side_head.h"

namespace auforge::annotator {

struct AuCalibration {
  float threshold = 0;  // score at which the intensity is 1, hence the AU present
  float gain = 1;       // intensity = 1 + gain * (score - threshold), at most 5, bent above 0 (IntensityOf); > 0
  float slope = 1;      // probability = 1 / (1 + exp(-slope * (score - threshold))); > 0
  float centre = 0;     // median of the scores of validation faces without the AU, and their median absolute
  float spread = 1;     // deviation (> 0): what another kind of pictures is compared with
};

struct AuModel::Weights {
  AuModelInfo info;
  // Projections and centres are halves (half_rows.h): they are rounded when the model is made, and stored so. Of
  // models read from files older than format 4 they are floats, and stay so.
  bool has_halves = true;
  std::size_t dimension = 0;         // of a row of features; set when the model is made
  std::vector<Head> heads;           // H >= 1
  std::vector<float> mix;            // H x A, >= 0; the score of an AU is the sum of mix * score of the head
  std::vector<KsdaClassifier> ksda;  // A, over the centres of the first head; empty for the other learners
  std::vector<float>
      seen_coefficients;         // C x A of the first head: how much of the AU's region can be seen, 0..1;
  std::vector<float> seen_bias;  // A; both empty where the training data did not say
  Readout readout;        // may be empty: then the scores are the heads' own
  RenderMoments moments;  // what refits of the readout are held back by; may be empty
  std::vector<AuCalibration> calibration;  // A
  QualityHead quality;                     // may be empty: then the evidence alone is the quality
  SideHead sides;                          // may be empty: then nothing is said of the halves

  // Throws std::invalid_argument naming what does not fit or is not finite.
  void Validate() const;
  // requires: Validate passes.
  void RoundToHalves();
  // SHA-256 over everything that influences a prediction.
  std::string Digest() const;
  // U: how many numbers the readout sees of a face.
  std::size_t ReadoutInputs() const;
  // Scores before calibration, n x A, from rows of features.
  std::vector<float> Scores(const float* features, std::size_t n) const;
};

// Intensities of the KSDA classifiers, n x A, from rows projected by the head.
std::vector<float> KsdaScores(const Head& head, const std::vector<KsdaClassifier>& classifiers,
                              const std::vector<float>& projected, std::size_t n);

// exp(-gamma |z_i - c_j|^2), n x count, by one product; SquaredDistances without the exponential.
std::vector<float> RbfKernel(const float* rows, std::size_t n, const float* centres, std::size_t count,
                             std::size_t components, float gamma);
std::vector<float> SquaredDistances(const float* rows, std::size_t n, const float* centres, std::size_t count,
                                    std::size_t components);

}  // namespace auforge::annotator
