// Labelled faces for train-au and eval-au, from any of the sources that a SPEC names.
//   shards:DIR,copies=N,count=N      faces of finished shards; labels are their AUs (synth: is the same)
//   landmarks:FACE.h5,count=N,seed=S exact landmarks of random model faces; shape features only
//   disfa:DIR, csv:FILE, …           published labels (datasets/labels), with
//                                    fold=K,folds=N,part=train|test, part=learn|judge, every=N, camera=left|right,
//                                    images=DIR (csv: also TAR, again for further places), scale=1|5 (csv: also 3),
//                                    doubt=drop (csv)
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "annotator/training.h"
#include "datasets/labels/label_set.h"
#include "tools/au/best_face.h"
#include "tools/cli/cli.h"

namespace auforge::tools {

// name:path[,option=value]…
struct DataSpec {
  std::string name;
  std::string path;
  std::vector<std::pair<std::string, std::string>> options;
  // The option's number, or `fallback`; throws UsageError when it is no whole number of 0..most.
  std::uint64_t Number(const std::string& option, std::uint64_t fallback,
                       std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) const;
  std::string Text(const std::string& option, const std::string& fallback) const;
  // Of an option that may be given again.
  std::vector<std::string> All(const std::string& option) const;
  // Throws UsageError naming an option that is not among `known`.
  void CheckOptions(const std::vector<std::string>& known) const;
};
// Throws UsageError naming the text.
DataSpec ParseDataSpec(const std::string& text);
// "shards:DIR, synth:DIR, …": every source with what it looks for, a line each.
std::string DataSourcesHelp();

// "6,12,25" -> {6, 12, 25}. Throws UsageError naming the option and what is no AU.
std::vector<int> ParseAus(const std::string& option, const std::string& text);
// --detector, --detector-model, --landmarks and --min-face, for commands that look at labelled pictures.
void AddFaceSearch(Command& command, FaceSearch& faces);

using Log = std::function<void(const std::string&)>;

// Pools the specs over the catalogue of AUs; in pictures faces are looked for as `faces` says. Throws UsageError for an
// unknown source, std::runtime_error for files. What is left out on the way (faults of label files, pictures without a face, AUs outside the
// catalogue) is logged and counted.
// held_out: specs whose faces take no part in training (TrainingData::held_out).
annotator::TrainingData LoadTrainingData(const std::vector<std::string>& specs,
                                         const features::FeatureSpec& features, const FaceSearch& faces,
                                         int jobs, const Log& log, const std::vector<std::string>& held_out = {});

// The labels of a source of published labels alone, without a look at the pictures; its faults are logged.
datasets::LabelSet LoadLabelSet(const DataSpec& spec, const Log& log);

// Names the labelled AUs that are not among those of a model, with the number of their labels.
void NameAusWithoutModel(const annotator::TrainingData& data, const features::AuSchema& model, const Log& log);

// Leaves out the AUs that nothing is known of, and those that never vary; names each with the number of its
// labels. Throws std::runtime_error when none is left.
void DropConstantAus(annotator::TrainingData& data, const Log& log);

// Pictures without labels: each face as itself, mirrored, compressed and halved. inputs: files, folders,
// lists, tars. Landmarks that are not named are those of the data.
void LoadUnlabelled(const std::vector<std::string>& inputs, const FaceSearch& faces, int jobs, annotator::TrainingData& data,
                    const Log& log);

// The points of all of a training are of one landmarker. Throws BadInputError naming `source` where its are others'.
void MeetLandmarker(annotator::TrainingData& data, const std::string& landmarker, const std::string& source);
// Faces are looked for as the model knows them, or the faces that were read before, unless a landmarker is named.
void UseLandmarksOf(const annotator::AuModel& model, FaceSearch& faces);
void UseLandmarksOf(const annotator::TrainingData& data, FaceSearch& faces);

}  // namespace auforge::tools
