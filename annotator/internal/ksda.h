// Kernel subclass discriminant analysis for one AU, as EmotioNet uses it (Zhu & Martinez 2006; You, Hamsici &
// Martinez, "Kernel optimization in discriminant analysis", PAMI 2011): the active class is cut into
// subclasses by intensity, the inactive one, and what a letter holds, by nearest-neighbour ordering; the
// width of the kernel and the number of subclasses maximise Q = Q1 Q2. The discriminants are read off by a
// regression of the intensity, or by the nearest subclass mean.
// Pure functions; single-threaded.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace auforge::annotator {

struct KsdaOptions {
  std::vector<int> inactive_subclasses = {1, 2, 4};  // numbers tried, each 1..32
  std::vector<int> letter_subclasses = {1, 2};       // parts tried for each intensity, each 1..8
  int width_steps = 9;        // kernel widths tried: sigma0 2^(k/2) around the mean distance, 1..33
  double ridge = 1e-4;        // epsilon relative to the trace of K B K, > 0
  std::size_t smallest = 6;   // a letter or part of fewer rows joins its neighbour, >= 2
  bool nearest_mean = false;  // decide by the nearest subclass mean, as published; else intensity is read off
                              // the discriminants by a linear regression
};

// One AU's classifier over n training rows. Discriminant of a face: y = vectors' k(x), k = exp(-gamma |x -
// row|^2).
struct KsdaClassifier {
  float gamma = 0;
  std::size_t rows = 0;               // n
  std::size_t dimensions = 0;         // D <= subclasses - 1
  std::vector<float> vectors;         // n x D, row-major
  std::vector<float> means;           // S x D, of the subclasses
  std::vector<std::uint8_t> letters;  // S: 0 inactive, 1..5 = A..E
  float spread = 1;                   // mean squared distance to the own subclass mean, by dimension, > 0
  std::vector<float> readout;         // D + 1: intensity = readout . y + the last; empty: nearest mean
  double quality = 0;                 // the Q reached
};

// Order of n samples along a chain: the two most distant ones at the ends, then alternately the nearest
// remaining to the first and to the last. squared: n x n squared distances, row-major.
std::vector<std::size_t> NearestNeighbourOrder(std::span<const float> squared, std::size_t n);

// Q1 (homoscedasticity, at most 1/2) and Q2 (separation) of subclasses under a kernel. kernel: n x n with
// unit diagonal; subclass: n, 0..letters.size()-1; letters: class of each subclass, 0 = inactive.
struct KsdaCriterion {
  double homoscedasticity = 0;
  double separation = 0;
  double Q() const { return homoscedasticity * separation; }
};
KsdaCriterion EvaluateKsda(const Eigen::MatrixXf& kernel, std::span<const int> subclass,
                           std::span<const std::uint8_t> letters);

// squared: n x n squared distances of the training rows; intensity: n, 0..5, none missing. Throws
// std::invalid_argument when one of the classes has fewer than `smallest` rows.
KsdaClassifier LearnKsdaClassifier(std::span<const float> squared, std::span<const float> intensity,
                                   const KsdaOptions& options);

// The score of a discriminant y (D values): by the classifier's readout where it has one, else KsdaNearest.
float KsdaScore(const KsdaClassifier& classifier, std::span<const float> y);
// The published decision: the letter of the nearest subclass mean, refined within its step by the other means
// (weights exp(-d^2 / 2 spread)); below 1 when the nearest is inactive, at least 1 otherwise.
float KsdaNearest(const KsdaClassifier& classifier, std::span<const float> y);

}  // namespace auforge::annotator
