// The commands' options that a plan may set, and how JSON becomes a command line.
#include "tools/loop/internal/plan_options.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tools/loop/plan.h"

namespace auforge::tools {
namespace {

using Kind = PlanOption::Kind;

// Not those that the loop sets itself: inputs and outputs, --start-from, --lineage, progress.
const std::vector<PlanOption>& AnnotateOptions() {
  static const std::vector<PlanOption> options{
      {"model", Kind::kPath},           {"landmarks", Kind::kText},      {"detector", Kind::kText},
      {"detector-model", Kind::kPath},  {"detector-threshold", Kind::kNumber},
      {"min-face", Kind::kNumber},      {"min-quality", Kind::kNumber},  {"crop-size", Kind::kNumber},
      {"jpeg-quality", Kind::kNumber},  {"shard-size", Kind::kNumber},   {"max-pixels", Kind::kNumber},
      {"max-bytes", Kind::kNumber},     {"full-size", Kind::kFlag},      {"skip-duplicates", Kind::kFlag},
      {"skip-near-duplicates", Kind::kFlag},
      {"jobs", Kind::kNumber}};
  return options;
}

const std::vector<PlanOption>& TrainOptions() {
  static const std::vector<PlanOption> options{
      {"pairs", Kind::kPaths},            {"paired-weight", Kind::kNumber},     {"feature-weight", Kind::kNumber},
      {"attention-weight", Kind::kNumber}, {"photo-share", Kind::kNumber},      {"paired-only-steps", Kind::kNumber},
      {"unsure-label", Kind::kNumber},    {"image-size", Kind::kNumber},        {"conv-dim", Kind::kNumber},
      {"aus", Kind::kText},               {"critic-layers", Kind::kNumber},     {"blocks", Kind::kNumber},
      {"batch", Kind::kNumber},           {"epochs", Kind::kNumber},            {"decay-epochs", Kind::kNumber},
      {"rate", Kind::kNumber},            {"critic-steps", Kind::kNumber},      {"critic-step", Kind::kText},
      {"losses", Kind::kText},            {"precision", Kind::kText},           {"average", Kind::kNumber},
      {"published-scaling", Kind::kFlag}, {"lambda-au", Kind::kNumber},         {"lambda-cycle", Kind::kNumber},
      {"lambda-mask", Kind::kNumber},     {"lambda-smooth", Kind::kNumber},     {"lambda-penalty", Kind::kNumber},
      {"target-noise", Kind::kNumber},    {"min-quality", Kind::kNumber},       {"no-flip", Kind::kFlag},
      {"seed", Kind::kNumber},            {"jobs", Kind::kNumber},              {"max-steps", Kind::kNumber},
      {"max-minutes", Kind::kNumber},     {"answer-focus", Kind::kNumber},      {"flow", Kind::kFlag},
      {"flow-weight", Kind::kNumber},     {"flow-smoothness", Kind::kNumber},   {"colour-cast", Kind::kNumber},
      {"save-minutes", Kind::kNumber},    {"keep", Kind::kNumber},              {"samples", Kind::kNumber},
      {"device", Kind::kText}};
  return options;
}

const std::vector<PlanOption>& JudgeOptions() {
  static const std::vector<PlanOption> options{{"faces", Kind::kNumber},       {"values", Kind::kNumber},
                                               {"min-quality", Kind::kNumber}, {"max-yaw", Kind::kNumber},
                                               {"components", Kind::kNumber},  {"sheet-faces", Kind::kNumber}};
  return options;
}

const std::vector<PlanOption>& AnnotatorOptions() {
  static const std::vector<PlanOption> options{
      {"unlabelled", Kind::kPaths},       {"photos", Kind::kTexts},           {"held-out", Kind::kTexts},
      {"net-share", Kind::kNumber},       {"readout-lost", Kind::kNumber},    {"learner", Kind::kText},
      {"seed", Kind::kNumber},            {"centres", Kind::kNumber},         {"svm-rows", Kind::kNumber},
      {"svm-c", Kind::kNumber},           {"ksda-rows", Kind::kNumber},       {"train-rows", Kind::kNumber},
      {"consistency", Kind::kNumber},     {"prevalence", Kind::kNumber},      {"photo-share", Kind::kNumber},
      {"photo-spread", Kind::kNumber},    {"ridge", Kind::kNumber},           {"gamma-scale", Kind::kNumber},
      {"side-components", Kind::kNumber}, {"side-centres", Kind::kNumber},    {"shape-components", Kind::kNumber},
      {"gabor-components", Kind::kNumber}, {"learnt-components", Kind::kNumber}, {"net", Kind::kPath},
      {"no-shape", Kind::kFlag},          {"no-gabor", Kind::kFlag},          {"no-hog", Kind::kFlag},
      {"no-local", Kind::kFlag},          {"no-mirror-average", Kind::kFlag}, {"gabor", Kind::kText},
      {"provisional", Kind::kFlag},       {"jobs", Kind::kNumber}};
  return options;
}

}  // namespace

const std::vector<PlanOption>& OptionsOfSection(const std::string& section) {
  return section == "annotate" ? AnnotateOptions() : section == "train" ? TrainOptions() : section == "judge" ? JudgeOptions() : AnnotatorOptions();
}

std::vector<std::string> PlanOptions(const std::string& section) {
  std::vector<std::string> names;
  for (const PlanOption& option : OptionsOfSection(section)) names.emplace_back(option.name);
  return names;
}

std::string NumberText(double value) {
  char text[40];
  if (std::abs(value) < 1e15 && value == std::floor(value)) {
    std::snprintf(text, sizeof(text), "%.0f", value);
  } else {
    std::snprintf(text, sizeof(text), "%.17g", value);
  }
  return text;
}

std::string OptionOf(const std::vector<std::string>& options, const std::string& name) {
  const auto found = std::find(options.begin(), options.end(), name);
  return found == options.end() || found + 1 == options.end() ? "" : *(found + 1);
}

std::string ExamplePlan() {
  return R"json({
  // A plan of `auforge loop`. What stands behind // is a comment; paths begin at the folder of this file. Every key but
  // "work", "inputs" and "held_out" may be left out and has then the value shown here. docs/loop.md says more.

  // Where everything goes: the rounds, the present generator (generator.h5) and the newest page (loop.html).
  "work": "loop",

  // Images to look for at every round: folders that grow, tars (braces stand for those that are there), @lists.
  "inputs": ["crawl/{00000..99999}.tar", "pictures"],
  // Files that were written less than so many seconds ago are left for the next round: they may be growing still.
  "settle_seconds": 60,

  // Options of `auforge annotate` (auforge annotate --help), without dashes.
  "annotate": {
    // "model": "au-model.h5", "landmarks": "auforge", "detector": "yunet", "min-face": 60
  },

  // New labels for the AU model, in any form that `auforge train-au --data` takes, and faces to judge it on. A model that is better
  // takes the old one's place, and the shards of earlier rounds get its labels. Without "data" the model stays as it is.
  "annotator": {
    // "data": ["csv:labels.csv,images=photos"], "held_out": "csv:judge.csv,images=photos",
    // "train": { "centres": 512 }, "better": ["auc >= old + 0.002", "f1 >= old - 0.01"]
  },

  // Which faces are learnt from: an expression of `auforge query` (docs/using-the-crawl.md). "": all.
  "filter": "quality >= 0.5 & size >= 60",

  // Shards that both generators are judged on, of faces that are never learnt from.
  "held_out": "held-out",
  // What happens when images of "held_out" come in as new ones: "refuse" the round, or "drop" them from the training.
  "on_overlap": "refuse",

  // A round beyond one of these promotes nothing; null: no bound. Compared with the last round that was learnt from.
  "drift": {
    "tell_psi": 0.1,            // population stability index from which on a change is told
    "max_broken": 0.2,          // share of the images that cannot be decoded or read
    "max_lost": 0.25,           // how much more of the images have no usable face
    "max_contradictions": 0.1,  // how much more of the faces contradict themselves or their captions
    "max_quality_psi": 0.5,
    "max_au_psi": 0.5           // mean over AUs
  },

  // What the first round begins with: "default" (the generator that comes with the program), "none" (at random), a file of
  // weights, a checkpoint or a run's folder. Later rounds begin with the generator that was promoted last.
  "generator": "default",

  // How often a face of this round is seen for one of an earlier round, and how many earlier rounds are learnt from; 0: all.
  "fresh_weight": 2,
  "earlier_rounds": 0,
  // Options of `auforge gan train`. Size and AUs of the networks are those of the present generator.
  "train": { "batch": 8, "max-steps": 2000 },

  // Options of `auforge gan eval`, the same for both generators.
  "judge": { "faces": 60 },
  // Promoted when every condition of "all" holds and one of "any".
  "better": {
    "all": ["correlation >= old - 0.01", "cycle_error_grey <= old + 1", "frechet <= old * 1.1"],
    "any": ["correlation > old + 0.005", "frechet < old * 0.98"]
  },

  // Who runs annotate and train: "local", or "slurm", "kubernetes" (docs/loop.md).
  // With a cluster: "tasks" that share annotate's shards, "options" of sbatch or kubectl.
  "engine": { "kind": "local" }
}
)json";
}

}  // namespace auforge::tools
