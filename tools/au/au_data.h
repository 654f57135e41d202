// Labelled faces for train-au and eval-au, from any of the sources that a SPEC names.
//   shards:DIR,copies=N,count=N      faces of finished shards; labels are their AUs (synth: is the same)
//   landmarks:FACE.h5,count=N,seed=S exact landmarks of random model faces; shape features only
//   disfa:DIR, csv:FILE, …           published labels (datasets/labels), with
//                                    fold=K,folds=N,part=train|test,every=N,camera=left|right,images=DIR
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "annotator/training.h"
#include "datasets/labels/label_set.h"

namespace auforge::tools {

// name:path[,option=value]…
struct DataSpec {
  std::string name;
  std::string path;
  std::vector<std::pair<std::string, std::string>> options;
  // The option's number, or `fallback`; throws UsageError when it is none.
  std::uint64_t Number(const std::string& option, std::uint64_t fallback) const;
  std::string Text(const std::string& option, const std::string& fallback) const;
  // Throws UsageError naming an option that is not among `known`.
  void CheckOptions(const std::vector<std::string>& known) const;
};
// Throws UsageError naming the text.
DataSpec ParseDataSpec(const std::string& text);
// "shards:DIR, synth:DIR, …": every source with what it looks for, a line each.
std::string DataSourcesHelp();

using Log = std::function<void(const std::string&)>;

// Pools the specs over the catalogue of AUs. Throws UsageError for an unknown source, std::runtime_error for
// files. What is left out on the way (faults of label files, pictures without a face, AUs outside the
// catalogue) is logged and counted.
annotator::TrainingData LoadTrainingData(const std::vector<std::string>& specs,
                                         const features::FeatureSpec& features, int jobs, const Log& log);

// The labels of a source of published labels alone, without a look at the pictures; its faults are logged.
datasets::LabelSet LoadLabelSet(const DataSpec& spec, const Log& log);

// Leaves out the AUs that nothing is known of, and those that never vary; names each with the number of its
// labels. Throws std::runtime_error when none is left.
void DropConstantAus(annotator::TrainingData& data, const Log& log);

// Pictures without labels: each face as itself, mirrored, compressed and halved. inputs: files, folders,
// lists, tars.
void LoadUnlabelled(const std::vector<std::string>& inputs, int jobs, annotator::TrainingData& data,
                    const Log& log);

}  // namespace auforge::tools
