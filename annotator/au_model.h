// A trained AU annotator: from feature rows to intensities, probabilities and presences of every AU at once.
//
// predict(X): for each head (the whole face, or a region of it): features averaged with their mirror images
// -> standardised -> projection (PCA with soft whitening) -> RBF kernel against shared centres ->
// coefficients -> scores. An AU's score is a mixture of the heads, chosen on validation identities, and where
// labelled photographs have taught a readout (photo_readout.h) what that makes of all scores and the opinions
// of the learnt net. intensity = calibrated score, at most 5, bent below 1/4 so that it stays above 0; presence =
// intensity >= 1; probability = monotone calibrated map of the score. An AU whose region is judged hidden is marked and gets no estimate. Two matrix products a head for a
// batch, whatever the number of AUs. The file (HDF5, docs/au-model-format.md) carries schema, feature spec,
// weights, calibration and provenance; it is versioned and checksummed, and refused when a value is not
// finite.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "annotator/face_quality.h"
#include "features/au_schema.h"
#include "features/feature_extractor.h"

namespace auforge::annotator {

// Of identities that took no part in training, with calibrated predictions.
struct HeldOutFigures {
  float r = 0, icc = 0, mae = 0, auc = 0, f1 = 0;
};

struct AuModelInfo {
  features::AuSchema schema;
  features::FeatureSpec features;
  std::string learner;                   // "nystrom", "svm", "ksda"
  std::string landmarker = "dlib";       // Landmarker::Name() of the points it was trained with; of others it knows nothing
  std::string provenance;                // command, data and seed, for people
  bool provisional = false;              // a first model that says of itself that it is not good enough yet
  std::vector<std::string> confidence;   // per AU: "strong", "fair", "weak"
  std::vector<std::string> looks_at;     // per AU: the heads that decide, "whole+upper"
  std::vector<HeldOutFigures> held_out;  // per AU; empty when nothing was held out
  std::string digest;                    // SHA-256 (hex) over all numbers and settings; goes into every shard
};

// Immutable after loading; Predict is const and thread-safe.
class AuModel {
 public:
  static AuModel Load(const std::string& path);  // throws std::runtime_error naming file, fault and remedy
  // The same from a file's bytes; `name` stands for the file in messages.
  static AuModel Parse(std::span<const std::uint8_t> bytes, const std::string& name);
  void Save(const std::string& path) const;      // atomically
  AuModel(AuModel&&) noexcept;
  AuModel& operator=(AuModel&&) noexcept;
  ~AuModel();

  const AuModelInfo& info() const;
  // The same model with another text about where it comes from.
  AuModel WithProvenance(const std::string& text) const;

  // features: row-major n x Dimension() of the model's FeatureSpec. The result of a row does not depend on
  // the batch it came in. visible: if given, set to n x A: 0 where the AU's region cannot be seen in that
  // picture (covered, turned away); its intensity, probability and presence are 0 then, because nothing is
  // known, not because it was found absent. evidence: n, or empty. With it, quality (0..1) is the probability
  // that the mean error of the face's AUs is at most one and a half times what is usual for faces as
  // expressive, lowered where FaceQuality finds hardly a face; of a model that has not learnt it,
  // FaceQuality. Without evidence it is 0.
  std::vector<features::AuEstimate> Predict(std::span<const float> features, std::size_t n,
                                            std::vector<std::uint8_t>* visible = nullptr,
                                            std::span<const QualityEvidence> evidence = {}) const;

  struct Weights;  // annotator/internal/au_model_weights.h; made by the learners
  explicit AuModel(std::unique_ptr<Weights> weights);
  const Weights& weights() const;

 private:
  std::unique_ptr<Weights> weights_;
};

// AuModelInfo::landmarker of a model's file, without loading it; "dlib" where that cannot be told.
std::string LandmarkerOfModel(const std::string& path);

// $AUFORGE_MODEL, else the model beside the installed program, else the one in the source tree.
std::string DefaultAuModelPath();

}  // namespace auforge::annotator
