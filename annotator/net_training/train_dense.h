// Trains the nets of annotator/dense_landmarker.h: drawn faces with exact points (shut lids, eyes that look aside) and
// photographs with a teacher's in every batch, heavy augmentation, an average of the weights over time. Needs LibTorch;
// what it makes does not.
//
// Both nets are trained side by side, on squares that known landmarks have placed, but for what a landmarker leaves. A
// point's loss is its distance in inter-ocular distances; the gaps between lids and between lips are learnt as such. The
// iris of a shut eye teaches nothing, what is hidden a third.
// The same data, options, machine and library give the same nets with one job, however often the training was stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "annotator/dense_landmarker.h"
#include "annotator/net_training/point_set.h"
#include "annotator/net_training/training_options.h"

namespace auforge::annotator {

struct DenseTrainOptions : TrainingOptions {
  DenseTrainOptions() { rate = 3e-3, decay = 0.02; }
  int eye_crop = 48;                           // side of the eye net's picture, pixels, 32..128
  int eye_stem = 16;                           // channels of its first layer, 8..128
  std::vector<int> eye_blocks = {32, 48, 48};  // channels of its blocks; the last two keep the side
  int mouth_crop = 64;                         // the same of the mouth's; the last block keeps the side
  int mouth_stem = 16;
  std::vector<int> mouth_blocks = {32, 48, 64};
  std::int64_t steps = 8000;   // > 0
  int batch = 64;              // eyes in a batch, three mouths to four of them, >= 8
  double photo_share = 0.5;    // of the eyes; most mouths are photographs', where there are any; 0..1
  double shut_share = 0.2;     // of the drawn eyes: shut ones, 0..1
  void Validate() const;       // throws std::invalid_argument naming field and value
};

struct DenseTrainProgress {
  std::int64_t step = 0, steps = 0;
  double seconds = 0;
  double eye = 0, mouth = 0;   // mean distance of points on the last batches, inter-ocular distances
};

struct DenseTrainSummary {
  DenseNets nets;
  std::int64_t steps = 0;
  bool finished = true;  // false: stopped on request; the state is saved
  double seconds = 0;
};

// Faces with dense points. photos may be empty. report: after every few steps. stop: asked between steps.
DenseTrainSummary TrainDense(const std::vector<PointFace>& renders, const std::vector<PointFace>& photos,
                             const DenseTrainOptions& options, const std::function<void(const DenseTrainProgress&)>& report,
                             const std::function<bool()>& stop);

}  // namespace auforge::annotator
