// Training an AU model: features and labels in, model and held-out figures out.
//
// split by identity -> for each head (the whole face, its upper and its lower part): standardise each block
// -> PCA with soft whitening -> RBF kernel -> learner; on the validation identities: which heads decide on
// which AU, calibration; on the test identities: figures. Everything else is learnt from the training part
// alone.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "annotator/au_model.h"
#include "annotator/readout_options.h"

namespace auforge::annotator {

// n rows. Memory: 4 bytes x n x dimension.
struct TrainingData {
  features::FeatureSpec spec;
  features::AuSchema schema;
  std::string landmarker;              // Landmarker::Name() of its points; "": not told, dlib's
  std::size_t rows = 0;
  std::vector<float> features;         // n x dimension of the spec
  std::vector<float> labels;           // n x A, 0..5; NaN = not labelled
  std::vector<float> weights;          // n x A, >= 0; 0 = hidden in this picture; empty: all 1
  std::vector<std::int64_t> identity;  // n; rows of one identity never part in the split
  std::vector<float> seen;         // n x A, 0..1: how much of the AU's region can be seen; empty: not known
  // n x A: of the subject's halves, NaN = not labelled or an AU without sides; both empty: not known.
  std::vector<float> left, right;
  std::vector<std::uint8_t> copy;  // n; rows other than 0 are copies for training only; empty: none
  std::vector<std::uint8_t> held_out;  // n; rows other than 0 take no part in training: where there are any, they
                                       // alone calibrate and judge, and all others train; empty: none
  std::vector<QualityEvidence>
      evidence;  // n: what the quality figure is learnt from; empty: it is not learnt
  // Pictures without labels: features (u x dimension) and whose face it is (u); several pictures of one face
  // teach what must not change the answer. May be empty.
  std::vector<float> unlabelled;
  std::vector<std::int64_t> unlabelled_group;

  // Throws std::invalid_argument for sizes, labels out of range, and names AUs that never vary.
  void Validate() const;
};

struct TrainOptions {
  std::string learner =
      "nystrom";  // "nystrom": shared random centres, kernel ridge, all AUs at once;
                  // "svm": libsvm epsilon-SVR on a precomputed kernel, one for each AU;
                  // "ksda": EmotioNet's kernel subclass discriminant analysis, one for each AU
  std::uint64_t seed = 1;
  int centres = 1024;         // nystrom, 1..8192
  int svm_rows = 3000;        // svm: at most this many training rows, 50..20000; time grows with the square
  double svm_c = 4;           // svm: C > 0
  double svm_epsilon = 0.15;  // svm: half width of the tube, intensity steps, >= 0
  int ksda_rows = 1500;       // ksda: at most this many training rows, 50..8000; time grows with the cube
  bool ksda_nearest = false;  // ksda: decide by the nearest subclass mean, as published, instead of a
                              // regression on the discriminants
  std::uint64_t train_rows = 0;     // at most this many rows of the training part, for all learners; 0: all
  bool local_heads = true;          // besides the whole face, heads for its upper and lower part (not ksda)
  std::vector<std::string> blocks;  // of features that are used: "shape", "gabor", "hog", "learnt"; empty = all
  int side_components = 100;  // of the halves' differences: PCA of each block; 0: halves are not learnt
  int side_centres = 384;     // and kernel centres, 0..8192; 0: linear
  int half_centres = 384;     // of the machine that looks at one half of the face, 1..8192
  bool mirror_average = true;       // features are averaged with those of the mirrored face
  int shape_components = 90;        // PCA, >= 1; likewise below
  int gabor_components = 250;
  int hog_components = 150;
  int learnt_components = 150;  // each also the most of a local head
  double whitening = 0.02;   // soft whitening: 1 / (w + whitening * w0), w = standard deviations, 0..1
  double gamma_scale = 1;    // gamma = gamma_scale / median squared distance, > 0
  double ridge = 1e-4;       // nystrom: lambda relative to the number of rows, > 0
  double consistency =
      0.3;  // nystrom: weight of unlabelled faces' answers being the same for all their pictures
  double prevalence = 1;  // nystrom: weight of AUs not being commoner in unlabelled photos than in training
  double photo_share = 1;  // the mean intensity of an AU in them, by that in training, that is put up with, 0..1
  double photo_spread = 0;  // > 0: an AU is present in no face whose score is below the median of the unlabelled
                            // photos' plus this many of their median absolute deviations, 0..20
  std::vector<int> common_aus = {6, 12, 25, 26};  // which may be commoner there: people smile at cameras
  double validation_share = 0.15;                 // of identities, 0.02..0.5; likewise test
  double test_share = 0.15;
  double net_share = 0.7;  // of the learnt net's own opinion in the score of an AU that photographs teach, 0..1; of
                           // other AUs what does best on the validation identities
  ReadoutOptions readout;  // of labelled photographs, where there are any
  int jobs = 1;  // threads, one a head; the model does not depend on it
  bool provisional = false;
  std::string provenance;
  void Validate() const;
};

struct AuFigure {
  int au = 0;
  std::uint64_t rows = 0, active = 0;  // labelled test rows, and those with intensity >= 1
  std::uint64_t claimed = 0;           // of the labelled rows, those that the model calls present
  double r = 0, icc = 0, mae = 0, auc = 0, f1 = 0;            // f1: of intensity >= 1
  double best_f1 = std::numeric_limits<double>::quiet_NaN();  // of any threshold; NaN with one class
  // Where the data knows what is hidden: faces less than 30 % of whose region of this AU can be seen, and the
  // area under the ROC curve of the predicted visible share for them; NaN with one class only.
  std::uint64_t hidden = 0;
  double hidden_auc = std::numeric_limits<double>::quiet_NaN();
};

// Whether the quality of faces tells their error. Correlations are Spearman's, of the quality with the mean
// absolute error of a face's AUs; the lower, the better.
struct QualityFigure {
  std::uint64_t rows = 0;  // 0: the data has no evidence
  double raw = 0;          // with the error as it is; it grows with how expressive a face is
  double relative = 0;     // with the error by what is usual for faces as expressive
  double partial = 0;      // with the error, what both owe to the mean label taken out
  double evidence = 0;     // FaceQuality alone with the error
  // By fifths of the faces, highest quality first.
  std::array<double, 5> error{}, quality{}, not_poor{};  // means; share with a relative error of at most 1.5
  std::array<std::uint64_t, 5> faces{};
};

// How well the halves are told apart, of one AU.
struct SideFigure {
  int au = 0;
  std::uint64_t rows = 0;           // labelled
  double whole = 0;                 // r of the face's intensity on these rows, and
  double left = 0, right = 0;       // of the halves'
  std::uint64_t differ = 0;         // rows whose halves differ by an intensity step or more; of them
  std::uint64_t stronger = 0;       // those whose stronger half was found
};

// What one way of looking at the face is worth for each AU: correlation on the validation identities.
struct HeadFigure {
  std::string heads;      // "whole", "upper", "whole+upper", …
  std::vector<double> r;  // per AU
};
struct TrainReport {
  std::vector<AuFigure> test;     // held-out identities, calibrated predictions
  QualityFigure quality;          // on the same
  std::vector<SideFigure> sides;  // on the same; empty where the halves are not labelled
  std::vector<HeadFigure> heads;  // all that was tried; what each AU uses is in AuModelInfo::looks_at
  std::vector<ReadoutFigure> readout;  // per AU, where photographs taught the readout; else empty
  double seconds_a_face = 0;      // prediction in batches of 32, features not counted
  std::size_t train_rows = 0, validation_rows = 0, test_rows = 0;
  double seconds = 0;
};

struct TrainedModel {
  AuModel model;
  TrainReport report;
};

// log: a line of text for each step that takes time; may be empty. Single-threaded; the same data, options
// and seed give the same model.
// photos: labelled photographs that teach the readout (RefitOnPhotos) after everything else; may be null.
TrainedModel TrainAuModel(const TrainingData& data, const TrainOptions& options,
                          const std::function<void(const std::string&)>& log, const TrainingData* photos = nullptr);

// The same model with halves of the face learnt from `data`, of the model's schema and features; everything else stays
// as it is. Throws std::invalid_argument when the data labels no halves or does not fit the model.
struct WithHalves {
  AuModel model;
  std::vector<SideFigure> test;  // on identities that the halves were not learnt from
};
WithHalves LearnHalves(const AuModel& model, const TrainingData& data, const TrainOptions& options,
                       const std::function<void(const std::string&)>& log);

// Figures of a model on labelled rows.
std::vector<AuFigure> EvaluateAuModel(const AuModel& model, const TrainingData& data);
// Empty where the model or the data does not tell halves.
std::vector<SideFigure> EvaluateSides(const AuModel& model, const TrainingData& data);
QualityFigure EvaluateQuality(const AuModel& model, const TrainingData& data);
// Mean over AUs that have both classes.
AuFigure MeanFigure(const std::vector<AuFigure>& figures);

}  // namespace auforge::annotator
