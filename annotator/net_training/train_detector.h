// Trains the detector of annotator/net_detector.h: scenes of pasted faces and pictures without any (detector_scene.h),
// a focal loss for where faces are, distances for boxes and points, an average of the weights over time. Backgrounds
// that fool the average are kept and shown more often. Needs LibTorch; what it makes does not.
// The same data, options, machine and library give the same net with one job, however often the training was stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "annotator/net_training/point_set.h"
#include "annotator/net_training/training_options.h"
#include "features/grid_net.h"

namespace auforge::annotator {

struct DetectorTrainOptions : TrainingOptions {
  int side = 128;              // of a scene, pixels, a multiple of 16, 64..512
  int stem = 16;               // channels of the layers, 8..128
  int second = 32, third = 32;
  int wide = 64;               // of the maps of context
  int narrow = 48;             // between their convolutions
  int context = 2;             // blocks of them, 1..8
  int merge = 32, last = 32;
  std::int64_t steps = 20000;  // > 0
  int batch = 32;              // scenes, >= 4
  double empty_share = 0.3;    // of scenes without faces
  double photo_share = 0.6;    // of pasted faces, where there are photographs
  void Validate() const;       // throws std::invalid_argument naming field and value
};

struct DetectorTrainProgress {
  std::int64_t step = 0, steps = 0;
  double seconds = 0;
  double score = 0, box = 0, points = 0;  // losses on the last batches; boxes and points in sides of boxes
};

struct DetectorTrainSummary {
  features::GridNetDescription net;
  std::int64_t steps = 0;
  bool finished = true;  // false: stopped on request; the state is saved
  double seconds = 0;
};

// photos may be empty. report: after every few steps. stop: asked between steps.
DetectorTrainSummary TrainDetector(const std::vector<PointFace>& renders, const std::vector<PointFace>& photos,
                                   const std::vector<cv::Mat>& backgrounds, const DetectorTrainOptions& options,
                                   const std::function<void(const DetectorTrainProgress&)>& report,
                                   const std::function<bool()>& stop);

}  // namespace auforge::annotator
