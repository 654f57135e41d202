// Trains the net of features/learnt_net.h: renders with exact AUs and coded photographs in every batch, heavy
// augmentation, an average of the weights over time. Needs LibTorch; what it makes does not.
//
// Photographs without codes teach by what the average net (the "mean teacher" of Tarvainen & Valpola 2017) says of them
// as they are: the net in training must say the same of the augmented picture.
//
// Losses, each over what is known: intensity and presence of every AU, its intensity on either side of the face, which
// half is the stronger one, the head's pose. The same data, options, machine and library give the same net with one job, however often it was stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "annotator/net_training/crop_set.h"
#include "annotator/net_training/training_options.h"
#include "features/learnt_net.h"

namespace auforge::annotator {

struct NetTrainOptions : TrainingOptions {
  NetTrainOptions() { decay = 0.05, save_minutes = 5; }
  int crop_size = 112;                          // side of the net's picture, pixels, 32..256
  int stem = 24;                                // channels of the first layer, 8..128
  std::vector<int> blocks = {32, 64, 128, 192};  // channels of the blocks, each halves the side; the last is the
                                                // number of features
  double passes = 18;           // over the renders, > 0
  int batch = 96;               // renders in a batch, >= 8
  int photo_batch = 40;         // photographs beside them; 0 where there are none
  double photo_weight = 0.8;    // of their losses
  int unlabelled_batch = 24;    // photographs without codes beside them; 0 where there are none
  double unlabelled_weight = 1; // of what they teach
  double dropout = 0.2;         // of the features, in training
  double augment = 1;           // strength of the augmentation; 0: pictures as they are, but for mirroring
  double held_out = 0.05;       // share of the people in renders that are only judged
  void Validate() const;        // throws std::invalid_argument naming field and value
};

struct NetTrainProgress {
  std::int64_t step = 0, steps = 0;
  double seconds = 0, loss = 0;  // loss: mean of the last steps
};

struct NetTrainSummary {
  features::LearntNet net;
  std::int64_t steps = 0;
  bool finished = true;              // false: stopped on request; the state is saved
  double seconds = 0;
  std::size_t held_out = 0;          // renders of people that took no part
  std::vector<double> correlation;   // per AU on them, of the net's own head
  std::uint64_t uneven = 0;          // halves of theirs that differ by an intensity step and more, over all AUs
  std::uint64_t stronger = 0;        // of these, whose stronger one the net finds
};

// photos and unlabelled may be empty. report: after every few steps. stop: asked between steps.
NetTrainSummary TrainNet(const CropSet& renders, const CropSet& photos, const CropSet& unlabelled,
                         const NetTrainOptions& options,
                         const std::function<void(const NetTrainProgress&)>& report,
                         const std::function<bool()>& stop);

}  // namespace auforge::annotator
