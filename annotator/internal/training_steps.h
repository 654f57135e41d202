// The steps of TrainAuModel and what they hand on. Row numbers are of TrainingData.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "annotator/internal/learner.h"
#include "annotator/training.h"

namespace auforge::annotator {

struct Split {
  std::vector<std::size_t> train, validation, test;
  std::vector<std::size_t> validation_copies;  // copies of validation faces: they teach the quality figure
};
// Whole identities go to one part; the parts depend on the seed alone, not on the order of the rows. Throws
// datasets::storage::BadContent when there are too few.
Split SplitByIdentity(const TrainingData& data, const TrainOptions& options);

// What all steps share.
struct Training {
  const TrainingData& data;
  const TrainOptions& options;
  const std::function<void(const std::string&)>& log;
  Split split;
  std::size_t dimension, a;
  std::vector<float> labels, sample_weights, validation_labels;

  void Say(const std::string& text) const;  // thread-safe
};

struct LearntHead {
  Head head;
  std::vector<KsdaClassifier> ksda;
  std::vector<float> validation_scores;  // n x A
  Regression seen;                       // of the first head, where the data says what is hidden
};
// All heads, on up to options.jobs threads; they share nothing but the data.
std::vector<LearntHead> LearnHeads(const Training& t);
// The quality of faces from the errors on the validation identities; nothing where the data has no evidence.
void LearnQuality(const Training& t, AuModel::Weights& weights);

// The halves of the face; nothing where the data does not label them.
void LearnSides(const Training& t, AuModel::Weights& weights);

std::vector<SideFigure> SideFiguresOf(const AuModel& model, const TrainingData& data,
                                      const std::vector<std::size_t>& rows);
std::vector<AuFigure> FiguresOf(const AuModel& model, const TrainingData& data,
                                const std::vector<std::size_t>& rows);
QualityFigure QualityFigureOf(const AuModel& model, const TrainingData& data,
                              const std::vector<std::size_t>& rows);

// Chosen rows of a matrix of `width` columns, and one column of all of it.
template <typename T>
std::vector<T> Take(const std::vector<T>& matrix, const std::vector<std::size_t>& rows, std::size_t width) {
  std::vector<T> taken(rows.size() * width);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(matrix.begin() + static_cast<std::ptrdiff_t>(rows[i] * width), width,
                taken.begin() + static_cast<std::ptrdiff_t>(i * width));
  }
  return taken;
}
std::vector<float> Column(const std::vector<float>& matrix, std::size_t width, std::size_t column);
std::vector<std::size_t> AllRows(std::size_t n);

// Calls work(row numbers) for a few hundred rows at a time, so that memory stays small.
template <typename Work>
void InPieces(const std::vector<std::size_t>& rows, const Work& work) {
  constexpr std::size_t kPiece = 512;
  for (std::size_t begin = 0; begin < rows.size(); begin += kPiece) {
    work(std::vector<std::size_t>(
        rows.begin() + static_cast<std::ptrdiff_t>(begin),
        rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), begin + kPiece))));
  }
}

}  // namespace auforge::annotator
