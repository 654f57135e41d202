// What training data and options must be like.
#include <cmath>
#include <stdexcept>

#include "annotator/training.h"

namespace auforge::annotator {
namespace {

void Require(bool condition, const std::string& text) {
  if (!condition) throw std::invalid_argument(text);
}

}  // namespace

void TrainingData::Validate() const {
  const std::size_t a = schema.size();
  const std::size_t dimension = features::FeatureExtractor(spec).Dimension();
  Require(features.size() == rows * dimension && labels.size() == rows * a && identity.size() == rows &&
              (weights.empty() || weights.size() == rows * a) && (seen.empty() || seen.size() == rows * a) &&
              left.size() == right.size() && (left.empty() || left.size() == rows * a) &&
              (copy.empty() || copy.size() == rows) && (evidence.empty() || evidence.size() == rows) &&
              unlabelled.size() == unlabelled_group.size() * dimension,
          "training data: the arrays do not match " + std::to_string(rows) + " rows");
  for (std::size_t j = 0; j < a; ++j) {
    bool varies = false;
    float first = NAN;
    for (std::size_t i = 0; i < rows; ++i) {
      const float v = labels[i * a + j];
      if (std::isnan(v)) continue;
      Require(v >= 0 && v <= 5, "training data: row " + std::to_string(i) + ": AU" +
                                    std::to_string(schema.numbers()[j]) + " = " + std::to_string(v) +
                                    "; must be 0..5");
      if (std::isnan(first)) first = v;
      varies = varies || v != first;
    }
    Require(varies, "training data: AU" + std::to_string(schema.numbers()[j]) +
                        " never varies; leave it out or add faces that show it");
  }
}

void TrainOptions::Validate() const {
  const auto check = [](bool good, const char* field, double value, const char* constraint) {
    Require(good, std::string("train.") + field + " = " + std::to_string(value) + "; must be " + constraint);
  };
  Require(learner == "nystrom" || learner == "svm" || learner == "ksda",
          "train.learner = " + learner + "; must be nystrom, svm or ksda");
  check(centres >= 1 && centres <= 8192, "centres", centres, "1..8192");
  check(svm_rows >= 50 && svm_rows <= 20000, "svm_rows", svm_rows, "50..20000");
  check(svm_c > 0, "svm_c", svm_c, "> 0");
  check(svm_epsilon >= 0, "svm_epsilon", svm_epsilon, ">= 0");
  check(ksda_rows >= 50 && ksda_rows <= 8000, "ksda_rows", ksda_rows, "50..8000");
  check(consistency >= 0, "consistency", consistency, ">= 0");
  check(prevalence >= 0, "prevalence", prevalence, ">= 0");
  check(photo_share >= 0 && photo_share <= 1, "photo_share", photo_share, "0..1");
  check(photo_spread >= 0 && photo_spread <= 20, "photo_spread", photo_spread, "0..20");
  for (const auto& [field, components] : {std::pair("shape_components", shape_components),
                                          std::pair("gabor_components", gabor_components),
                                          std::pair("hog_components", hog_components),
                                          std::pair("learnt_components", learnt_components)}) {
    check(components >= 1, field, components, ">= 1");
  }
  check(whitening >= 0 && whitening <= 1, "whitening", whitening, "0..1");
  check(side_components >= 0 && side_components <= 2000, "side_components", side_components, "0..2000");
  check(side_centres >= 0 && side_centres <= 8192, "side_centres", side_centres, "0..8192");
  check(half_centres >= 1 && half_centres <= 8192, "half_centres", half_centres, "1..8192");
  check(gamma_scale > 0, "gamma_scale", gamma_scale, "> 0");
  check(ridge > 0, "ridge", ridge, "> 0");
  check(validation_share >= 0.02 && validation_share <= 0.5, "validation_share", validation_share,
        "0.02..0.5");
  check(test_share >= 0.02 && test_share <= 0.5, "test_share", test_share, "0.02..0.5");
}

}  // namespace auforge::annotator
