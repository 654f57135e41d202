// Trains the landmarker of annotator/net_landmarker.h: renders with exact points and photographs with a teacher's in
// every batch, heavy augmentation, an average of the weights over time. Needs LibTorch; what it makes does not.
//
// Both nets are trained side by side on the same faces: the first on squares about boxes that are off by up to a fifth
// and heads that lean up to 45 degrees, the second on squares that known points have placed, but for what the first
// leaves. A point's loss is its distance in inter-ocular distances, so that one wild label pulls no harder than a small
// error; besides, the gaps between lids and between lips are learnt as such. How far the second net expects to be off
// (a two-sided exponential's scale) and what can be seen are learnt beside, without touching the points.
// The same data, options, machine and library give the same nets with one job, however often the training was stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "annotator/net_landmarker.h"
#include "annotator/net_training/point_set.h"
#include "annotator/net_training/training_options.h"

namespace auforge::annotator {

struct LandmarkTrainOptions : TrainingOptions {
  LandmarkTrainOptions() { decay = 0.02; }
  int first_crop = 64;                                // side of the first net's picture, pixels, 32..128
  int first_stem = 16;                                // channels of its first layer, 8..128
  std::vector<int> first_blocks = {24, 48, 96};       // channels of its blocks, each halves the side
  int second_crop = 96;                               // the same of the second, 32..256
  int second_stem = 16;
  std::vector<int> second_blocks = {32, 48, 96, 160};
  double passes = 30;          // over the renders, > 0
  int batch = 64;              // renders in a batch, >= 8
  int photo_batch = 24;        // photographs beside them; 0 where there are none
  double photo_weight = 1;     // of their losses
  void Validate() const;       // throws std::invalid_argument naming field and value
};

struct LandmarkTrainProgress {
  std::int64_t step = 0, steps = 0;
  double seconds = 0;
  double first = 0, second = 0;  // mean distance of points on the last batches, inter-ocular distances
};

struct LandmarkTrainSummary {
  LandmarkNets nets;
  std::int64_t steps = 0;
  bool finished = true;  // false: stopped on request; the state is saved
  double seconds = 0;
};

// photos may be empty. report: after every few steps. stop: asked between steps.
LandmarkTrainSummary TrainLandmarks(const std::vector<PointFace>& renders, const std::vector<PointFace>& photos,
                                    const LandmarkTrainOptions& options,
                                    const std::function<void(const LandmarkTrainProgress&)>& report,
                                    const std::function<bool()>& stop);

}  // namespace auforge::annotator
