// Training and test faces from published labels: pictures on disk, faces found as annotation finds them.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "datasets/image_codec.h"
#include "datasets/labels/label_set.h"
#include "datasets/storage/memory_fault.h"
#include "tools/au/au_data_sources.h"
#include "tools/au/best_face.h"
#include "tools/au/labelled_pictures.h"
#include "tools/cli/cli.h"

namespace auforge::tools {
namespace {

constexpr std::size_t kFaultsShown = 20;

datasets::LabelOptions OptionsOf(const DataSpec& spec) {
  spec.CheckOptions({"fold", "folds", "part", "every", "camera", "images", "scale", "doubt"});
  datasets::LabelOptions options;
  constexpr std::uint64_t kMost = 1'000'000'000;
  options.fold = static_cast<int>(spec.Number("fold", 0, kMost));
  options.folds = static_cast<int>(spec.Number("folds", 3, kMost));
  options.every = static_cast<std::int64_t>(spec.Number("every", 1, kMost));
  options.camera = spec.Text("camera", "left");
  options.images = spec.All("images");
  options.scale = static_cast<int>(spec.Number("scale", 0, kMost));
  const std::string doubt = spec.Text("doubt", "keep");
  if (doubt != "keep" && doubt != "drop")
    throw UsageError("--data " + spec.name + ": doubt = " + doubt + "; must be keep or drop");
  options.drop_doubts = doubt == "drop";
  const std::string part = spec.Text("part", options.fold > 0 ? "test" : "all");
  if (part == "learn" || part == "judge") {
    options.part = part == "learn" ? datasets::LabelPart::kLearn : datasets::LabelPart::kJudge;
  } else if (part != "train" && part != "test" && part != "all") {
    throw UsageError("--data " + spec.name + ": part = " + part +
                     "; must be train or test (with fold), learn or judge, or all");
  }
  options.train = part == "train";
  try {
    options.ValidateFor(spec.name);
  } catch (const std::invalid_argument& error) {
    throw UsageError("--data " + spec.name + ": " + error.what());
  }
  return options;
}

void Report(const datasets::LabelSet& set, const features::AuSchema& schema, const Log& log) {
  if (!log) return;
  for (const std::string& note : set.notes) log(note);
  for (std::size_t i = 0; i < std::min(kFaultsShown, set.faults.size()); ++i) log(set.faults[i]);
  if (set.faults.size() > kFaultsShown)
    log("... and " + std::to_string(set.faults.size() - kFaultsShown) + " more of the kind");
  if (set.labels_without_image > 0)
    log(std::to_string(set.labels_without_image) + " labels without their picture, left out");
  if (set.labelled_twice > 0)
    log(std::to_string(set.labelled_twice) + " labels of pictures that are labelled already, left out");
  if (set.images_without_label > 0)
    log(std::to_string(set.images_without_label) + " pictures without a label, left out");
  if (!set.graded) log(set.source + " says presence only: r, ICC and MAE compare with a nominal intensity");
  for (std::size_t j = 0; j < set.schema.size(); ++j) {
    const int au = set.schema.numbers()[j];
    std::size_t labels = 0, active = 0;
    for (const datasets::LabelledImage& image : set.images) {
      labels += std::isnan(image.intensity[j]) ? 0 : 1;
      active += image.intensity[j] >= 1 ? 1 : 0;
    }
    if (labels > 0 && !schema.Find(au)) {
      log("AU" + std::to_string(au) + ": is not in the catalogue; " + std::to_string(labels) +
          " labels left out, " + std::to_string(active) + " of them active");
    } else if (!set.images.empty() && active == 0 && schema.Find(au)) {
      log("AU" + std::to_string(au) + ": none of " + std::to_string(labels) + " labels is active");
    } else if (active == labels && labels > 0) {
      log("AU" + std::to_string(au) + ": all " + std::to_string(labels) + " labels are active");
    }
  }
}

// Rows of one picture that speak of several faces, told apart by their landmarks: whose is whose.
class SharedPictures {
 public:
  explicit SharedPictures(const datasets::LabelSet& set) {
    for (const datasets::LabelledImage& image : set.images) ++rows_[NameOf(image)];
    std::erase_if(rows_, [](const auto& entry) { return entry.second == 1; });
  }
  bool Contains(const datasets::LabelledImage& image) const { return rows_.contains(NameOf(image)); }
  void Report(const datasets::LabelSet& set, const Log& log) const {
    if (!log) return;
    std::size_t untold = 0;
    std::string first;
    for (const datasets::LabelledImage& image : set.images) {
      if (image.landmarks || !Contains(image)) continue;
      if (untold++ == 0) first = NameOf(image);
    }
    if (untold > 0) {
      log(std::to_string(untold) + " labels share their picture with others and have no landmarks that say of whose face "
          "they are; each is taken for the surest face (the first: " + first + ")");
    }
  }

 private:
  std::map<std::string, std::size_t> rows_;
};

// Labels that are there and cannot be understood will not be the next time.
datasets::LabelSet ReadLabels(const DataSpec& spec, const datasets::LabelOptions& options) {
  try {
    return datasets::ImportLabels(spec.name, spec.path, options);
  } catch (const std::runtime_error& error) {
    if (access(spec.path.c_str(), R_OK) != 0 || datasets::storage::IsOutOfMemory(error)) throw;
    throw BadInputError(error.what());
  }
}

datasets::LabelSet Import(const DataSpec& spec, const features::AuSchema& schema, const Log& log) {
  datasets::LabelOptions options = OptionsOf(spec);
  const datasets::LabelPart part = std::exchange(options.part, datasets::LabelPart::kAll);
  datasets::LabelSet set = ReadLabels(spec, options);
  if (part != datasets::LabelPart::kAll) {
    // Before the parts are taken: a picture that stands in both under two names must not.
    const std::size_t all = set.images.size(), repeated = DropRepeated(set, log);
    datasets::SelectPart(set, part);
    if (log) {
      if (repeated > 0) log(std::to_string(repeated) + " labels of a picture that another label has, left out");
      log("part=" + std::string(part == datasets::LabelPart::kLearn ? "learn" : "judge") + ": " +
          std::to_string(set.images.size()) + " of " + std::to_string(all) + " labelled pictures");
    }
  }
  Report(set, schema, log);
  return set;
}

}  // namespace

datasets::LabelSet LoadLabelSet(const DataSpec& spec, const Log& log) {
  return Import(spec, features::CatalogueSchema(), log);
}

bool LoadLabelled(const DataSpec& spec, const FaceSearch& faces, int jobs, std::int64_t identity_base,
                  annotator::TrainingData& data, const Log& log) {
  const datasets::LabelSet set = Import(spec, data.schema, log);
  const features::FeatureExtractor extractor(data.spec);
  const std::size_t dimension = extractor.Dimension(), a = data.schema.size(), n = set.images.size();
  FaceSearch search = faces;
  UseLandmarksOf(data, search);
  const FaceSeeker seeker(search);
  MeetLandmarker(data, seeker.landmarker().Name(), spec.name + ":" + spec.path);
  const SharedPictures shared(set);
  shared.Report(set, log);
  std::vector<std::vector<float>> rows(n);
  std::vector<annotator::QualityEvidence> evidence(n);
  enum class Fate : std::uint8_t { kNotThere, kBroken, kSeen };
  std::vector<Fate> fate(n, Fate::kNotThere);
  const std::size_t missing = VisitPictures(set, jobs, log, [&](std::size_t i, std::span<const std::uint8_t> encoded) {
    const datasets::DecodedImage picture = datasets::DecodeImage(encoded, {});
    fate[i] = picture.status == datasets::Outcome::kOk ? Fate::kSeen : Fate::kBroken;
    if (fate[i] == Fate::kBroken) return;
    const auto& landmarks = set.images[i].landmarks;
    const auto face = landmarks && shared.Contains(set.images[i]) ? seeker.FindNear(picture.bgr, *landmarks)
                                                                  : seeker.Find(picture.bgr);
    if (!face) return;
    rows[i].resize(dimension);
    extractor.Extract(face->crop, face->landmarks, rows[i]);
    evidence[i] = face->evidence;
  });

  std::map<std::string, std::int64_t> people;
  std::size_t faceless = 0, broken = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const datasets::LabelledImage& image = set.images[i];
    if (fate[i] == Fate::kNotThere) continue;
    broken += fate[i] == Fate::kBroken ? 1 : 0;
    if (rows[i].empty()) {
      faceless += fate[i] == Fate::kSeen ? 1 : 0;
      if (log && faceless + broken <= kFaultsShown)
        log(NameOf(image) + (fate[i] == Fate::kBroken ? ": cannot be decoded" : ": no face found"));
      continue;
    }
    const std::size_t row = AddRows(data, 1, dimension);
    std::copy(rows[i].begin(), rows[i].end(),
              data.features.begin() + static_cast<std::ptrdiff_t>(row * dimension));
    data.evidence[row] = evidence[i];
    for (std::size_t j = 0; j < a; ++j) {
      const auto column = set.schema.Find(data.schema.numbers()[j]);
      data.labels[row * a + j] = column ? image.intensity[*column] : NAN;
    }
    const std::string name = image.subject.empty() ? NameOf(image) : image.subject;
    data.identity[row] =
        identity_base + people.try_emplace(name, static_cast<std::int64_t>(people.size())).first->second;
  }
  if (log && faceless + broken > 0) {
    log(std::to_string(faceless) + " pictures without a face and " + std::to_string(broken) +
        " that cannot be decoded, left out");
  }
  if (log && missing > 0)
    log(std::to_string(missing) + " labelled pictures that their videos and tars do not have, left out");
  return missing == 0 && set.labels_without_image == 0;
}

}  // namespace auforge::tools
