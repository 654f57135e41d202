// Training an AU model: features and labels in, model and held-out figures out.
//
// split by identity -> standardise each block -> PCA with soft whitening -> RBF kernel -> learner -> calibration on
// the validation identities -> figures on the test identities. Everything is learnt from the training part alone.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "annotator/au_model.h"

namespace auforge::annotator {

// n rows. Memory: 4 bytes x n x dimension.
struct TrainingData {
  features::FeatureSpec spec;
  features::AuSchema schema;
  std::size_t rows = 0;
  std::vector<float> features;          // n x dimension of the spec
  std::vector<float> labels;            // n x A, 0..5; NaN = not labelled
  std::vector<float> weights;           // n x A, >= 0; 0 = hidden in this picture; empty: all 1
  std::vector<std::int64_t> identity;   // n; rows of one identity never part in the split

  // Throws std::invalid_argument for sizes, labels out of range, and names AUs that never vary.
  void Validate() const;
};

struct TrainOptions {
  std::string learner = "nystrom";   // "nystrom": shared random centres, kernel ridge, all AUs at once;
                                     // "svm": libsvm epsilon-SVR on a precomputed kernel, one for each AU
  std::uint64_t seed = 1;
  int centres = 1024;                // nystrom, 1..8192
  int svm_rows = 3000;               // svm: at most this many training rows, 50..20000; time grows with the square
  double svm_c = 4;                  // svm: C > 0
  double svm_epsilon = 0.15;         // svm: half width of the tube, intensity steps, >= 0
  int shape_components = 90;         // PCA, >= 1; likewise below
  int gabor_components = 250;
  int hog_components = 150;
  double whitening = 0.02;           // soft whitening: 1 / (w + whitening * w0), w = standard deviations, 0..1
  double gamma_scale = 1;            // gamma = gamma_scale / median squared distance, > 0
  double ridge = 1e-3;               // nystrom: lambda relative to the number of rows, > 0
  double validation_share = 0.15;    // of identities, 0.02..0.5; likewise test
  double test_share = 0.15;
  bool provisional = false;
  std::string provenance;
  void Validate() const;
};

struct AuFigure {
  int au = 0;
  std::uint64_t rows = 0, active = 0;   // labelled test rows, and those with intensity >= 1
  double r = 0, icc = 0, mae = 0, auc = 0, f1 = 0;
};

struct TrainReport {
  std::vector<AuFigure> test;           // held-out identities, calibrated predictions
  std::size_t train_rows = 0, validation_rows = 0, test_rows = 0;
  double seconds = 0;
};

struct TrainedModel {
  AuModel model;
  TrainReport report;
};

// log: a line of text for each step that takes time; may be empty. Single-threaded; the same data, options and seed
// give the same model.
TrainedModel TrainAuModel(const TrainingData& data, const TrainOptions& options,
                          const std::function<void(const std::string&)>& log);

// Figures of a model on labelled rows.
std::vector<AuFigure> EvaluateAuModel(const AuModel& model, const TrainingData& data);
// Mean over AUs that have both classes.
AuFigure MeanFigure(const std::vector<AuFigure>& figures);

}  // namespace auforge::annotator
