// What a model's estimates are worth as evidence for emotions, and which categories they lead to.
#pragma once

#include <string>
#include <vector>

#include "annotator/emotions.h"
#include "annotator/training.h"

namespace auforge::tools {

struct EmotionFit {
  std::vector<annotator::AuEvidence> evidence;  // of the AUs that both classes are labelled of
  // By category (annotator::EmotionNames()): faces whose labels are nearest to it, whose estimates are, and both.
  std::vector<std::size_t> labelled, estimated, agreed;
};

// Rows without any label are left out; an AU that a row has no label of is unknown to both sides.
EmotionFit FitEmotions(const annotator::AuModel& model, const annotator::TrainingData& data);
// The evidence as it stands in annotator/emotion_nearest.cc, and a line for each category that occurs.
std::string EmotionText(const EmotionFit& fit);

}  // namespace auforge::tools
