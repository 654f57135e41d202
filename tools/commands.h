// Every command of `auforge`, one function each; the file of the same name defines it.
#pragma once

#include "tools/cli/cli.h"

namespace auforge::tools {

void AddAnnotate(Cli& cli);  // annotate_command.cc
void AddRelabel(Cli& cli);   // relabel_command.cc
void AddInspect(Cli& cli);   // inspect_command.cc
void AddVerify(Cli& cli);    // verify_command.cc
void AddMergeStats(Cli& cli);  // merge_stats_command.cc
void AddReport(Cli& cli);    // report_command.cc
void AddQuery(Cli& cli);     // query_command.cc
void AddExport(Cli& cli);    // export_command.cc
void AddKeywords(Cli& cli);  // keywords_command.cc
void AddServe(Cli& cli);     // serve_command.cc
void AddTrainAu(Cli& cli);   // train_au_command.cc
void AddEvalAu(Cli& cli);    // eval_au_command.cc
void AddCalibrate(Cli& cli); // calibrate_command.cc
void AddEvalLandmarks(Cli& cli);  // eval_landmarks_command.cc
void AddLoop(Cli& cli);      // loop_command.cc
void AddSynth(Cli& cli);     // synth_command.cc

}  // namespace auforge::tools
