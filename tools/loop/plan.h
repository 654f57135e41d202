// The plan of `auforge loop`: a JSON file in which // begins a comment (docs/loop.md has every key). Plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/loop/better_rule.h"

namespace auforge::tools {

// How far a round may be from the one before; nullopt: however far.
struct DriftBounds {
  double tell_psi = 0.1;                          // population stability index from which on a change is told
  std::optional<double> max_broken = 0.2;         // share of the images that cannot be decoded or read, 0..1
  std::optional<double> max_lost = 0.25;          // how much more of the images may have no usable face, 0..1
  std::optional<double> max_contradictions = 0.1; // how much more of the faces may contradict themselves or their captions, 0..1
  std::optional<double> max_quality_psi = 0.5;    // of the faces' quality
  std::optional<double> max_au_psi = 0.5;         // mean over AUs
};

struct EngineOptions {
  std::string kind = "local";  // local, slurm, kubernetes
  int tasks = 1;               // processes that share the shards of annotate, 1..10000
  std::vector<std::string> submit_options;  // of every sbatch or kubectl, "--partition=gpu"
  std::string program;         // auforge as the nodes find it; empty: where this one is
  std::string image, volume, mount;  // kubernetes: the container's image, the claim that holds all paths, where it is mounted
  double poll_seconds = 15;    // between two looks at a job, 0.01..3600
};

// The AU model's part of a round; without data the model stays as it is.
struct AnnotatorPlan {
  std::vector<std::string> data;     // new labels, as `train-au --data`
  std::string held_out;              // faces to judge AU models on, as `eval-au --data`
  std::vector<std::string> train;    // options of train-au
  std::vector<std::string> better;   // conditions of `eval-au --better`; empty: its own
};

struct LoopPlan {
  std::string path;            // of the plan's file
  std::string digest;          // SHA-256 of its bytes, hex
  std::string work;            // where everything goes
  std::vector<std::string> inputs;
  double settle_seconds = 60;  // younger files are left for the next round
  std::string filter;          // which faces are learnt from; empty: all
  std::string held_out;        // a shard or a folder of them: faces to judge on
  bool drop_overlap = false;   // faces that are held out, too, are left out of the training; else the round is refused
  std::string generator = "default";  // that the first round begins with: default, none, a file, a run's folder
  int fresh_weight = 2;        // how often a face of this round is seen for one of an earlier round, 1..100
  int earlier_rounds = 0;      // rounds before this one that are learnt from again; 0: all
  DriftBounds drift;
  BetterRule better;
  EngineOptions engine;
  AnnotatorPlan annotator;
  std::string folder;          // of the plan; commands run there, so that relative paths in options begin there
  // Options of the commands, as on their command lines.
  std::vector<std::string> annotate, train, judge;
};

// Paths in it become absolute; relative ones begin at the plan's folder. Throws UsageError naming file and key for what
// cannot be meant (an unknown key with the nearest known one, a value of the wrong type), storage::BadContent where it is
// no JSON, std::runtime_error where it cannot be read. Looks at no other file.
LoopPlan ReadPlan(const std::string& path);
LoopPlan ParsePlan(const std::string& text, const std::string& path);

// What must be there before the work: models, generator, held-out shards, programs, a folder that can be written. Throws
// UsageError or std::runtime_error naming key and path.
void CheckPlan(const LoopPlan& plan);

// The value of an option among those of a command; empty: it is not there.
std::string OptionOf(const std::vector<std::string>& options, const std::string& name);

// A plan with all keys and what they mean.
std::string ExamplePlan();

// Option names that may stand in a section ("annotate", "train", "judge", "annotator.train"), without dashes.
std::vector<std::string> PlanOptions(const std::string& section);

}  // namespace auforge::tools
