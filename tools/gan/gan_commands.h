// Every command of `auforge-gan`, one function each.
#pragma once

#include "tools/cli/cli.h"

namespace auforge::tools {

void AddGanTrain(Cli& cli);       // gan_train_command.cc
void AddGanSheet(Cli& cli);       // gan_sheet_command.cc
void AddGanPairs(Cli& cli);       // gan_pairs_command.cc
void AddGanEdit(Cli& cli);        // gan_edit_command.cc
void AddGanEditServer(Cli& cli);  // gan_edit_server_command.cc
void AddGanWeights(Cli& cli);     // gan_weights_command.cc
void AddGanEval(Cli& cli);        // gan_eval_command.cc

}  // namespace auforge::tools
