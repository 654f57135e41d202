// Commands that train nets; served by auforge-gan.
#pragma once

#include "tools/cli/cli.h"

namespace auforge::tools {

void AddTrainNet(Cli& cli);        // train_net_command.cc
void AddTrainLandmarks(Cli& cli);  // train_landmarks_command.cc
void AddTrainDense(Cli& cli);      // train_dense_command.cc
void AddTrainDetector(Cli& cli);   // train_detector_command.cc

}  // namespace auforge::tools
