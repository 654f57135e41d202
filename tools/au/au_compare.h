// Trains the same data in several ways and puts them side by side: learners, and what each part of the method
// does.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "annotator/training.h"

namespace auforge::tools {

struct Way {
  std::string name;                          // "nystrom", "shape only", …
  std::vector<annotator::AuFigure> figures;  // held-out identities
  double training_seconds = 0;
  annotator::QualityFigure quality;
  double seconds_a_face = 0;  // prediction in batches of 32, features not counted
  std::uint64_t bytes = 0;    // of the model file
  std::vector<double>
      present_unlabelled;   // per AU: share of the unlabelled photos that show it; empty without any
  double disagreement = 0;  // of the unlabelled photos: share of AUs whose presence differs between
                            // a photo and itself mirrored, compressed or halved
};

// The three learners with the same front end: as they are meant to be used, and once more with the same faces to
// learn from (as many as the learner that takes the fewest can) and one head. folder: where each leaves its model,
// NAME.h5.
std::vector<Way> CompareLearners(const annotator::TrainingData& data, const annotator::TrainOptions& options,
                                 const std::string& folder,
                                 const std::function<void(const std::string&)>& log);
// The method as it is and with one thing changed at a time: kinds of features, heads, mirror averages,
// copies, unlabelled photos.
std::vector<Way> Ablate(const annotator::TrainingData& data, const annotator::TrainOptions& options,
                        const std::function<void(const std::string&)>& log);

// Means of every way, and r of every AU; Markdown.
std::string WaysTable(const std::vector<Way>& ways);

}  // namespace auforge::tools
