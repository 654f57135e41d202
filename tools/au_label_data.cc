// Training and test faces from published labels: pictures on disk, faces found as annotation finds them.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "datasets/image_codec.h"
#include "datasets/labels/label_set.h"
#include "datasets/storage/atomic_file.h"
#include "tools/au_data_sources.h"
#include "tools/best_face.h"
#include "tools/cli.h"
#include "tools/parallel.h"

namespace auforge::tools {
namespace {

constexpr std::size_t kFaultsShown = 20;

datasets::LabelOptions OptionsOf(const DataSpec& spec) {
  spec.CheckOptions({"fold", "folds", "part", "every", "camera", "images"});
  datasets::LabelOptions options;
  options.fold = static_cast<int>(spec.Number("fold", 0));
  options.folds = static_cast<int>(spec.Number("folds", 3));
  options.every = static_cast<std::int64_t>(spec.Number("every", 1));
  options.camera = spec.Text("camera", "left");
  options.images = spec.Text("images", "");
  const std::string part = spec.Text("part", "test");
  if (part != "train" && part != "test")
    throw UsageError("--data " + spec.name + ": part = " + part + "; must be train or test");
  options.train = part == "train";
  try {
    options.Validate();
  } catch (const std::invalid_argument& error) {
    throw UsageError("--data " + spec.name + ": " + error.what());
  }
  return options;
}

void Report(const datasets::LabelSet& set, const features::AuSchema& schema, const Log& log) {
  if (!log) return;
  for (std::size_t i = 0; i < std::min(kFaultsShown, set.faults.size()); ++i) log(set.faults[i]);
  if (set.faults.size() > kFaultsShown)
    log("... and " + std::to_string(set.faults.size() - kFaultsShown) + " more of the kind");
  if (set.labels_without_image > 0)
    log(std::to_string(set.labels_without_image) + " labels without their picture, left out");
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
    }
  }
}

std::optional<BestFace> Seek(const datasets::LabelledImage& image, const FaceSeeker& seeker,
                             bool& is_readable) {
  const std::string bytes = datasets::storage::ReadFile(image.image);
  const datasets::DecodedImage picture =
      datasets::DecodeImage({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, {});
  is_readable = picture.status == datasets::Outcome::kOk;
  if (!is_readable) return std::nullopt;
  return seeker.Find(picture.bgr);
}

}  // namespace

void LoadLabelled(const DataSpec& spec, int jobs, std::int64_t identity_base, annotator::TrainingData& data,
                  const Log& log) {
  const datasets::LabelSet set = datasets::ImportLabels(spec.name, spec.path, OptionsOf(spec));
  Report(set, data.schema, log);
  const features::FeatureExtractor extractor(data.spec);
  const std::size_t dimension = extractor.Dimension(), a = data.schema.size(), n = set.images.size();
  const FaceSeeker seeker;
  std::vector<std::vector<float>> rows(n);
  std::vector<annotator::QualityEvidence> evidence(n);
  std::vector<std::uint8_t> unreadable(n, 0);
  ParallelFor(n, jobs, [&](std::size_t i) {
    bool is_readable = true;
    const auto face = Seek(set.images[i], seeker, is_readable);
    unreadable[i] = is_readable ? 0 : 1;
    if (!face) return;
    rows[i].resize(dimension);
    extractor.Extract(face->crop, face->landmarks, rows[i]);
    evidence[i] = face->evidence;
  });

  std::map<std::string, std::int64_t> people;
  std::size_t faceless = 0, broken = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const datasets::LabelledImage& image = set.images[i];
    broken += unreadable[i];
    if (rows[i].empty()) {
      faceless += unreadable[i] == 0 ? 1 : 0;
      if (log && faceless + broken <= kFaultsShown)
        log(image.image + (unreadable[i] != 0 ? ": cannot be decoded" : ": no face found"));
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
    const std::string& name = image.subject.empty() ? image.image : image.subject;
    data.identity[row] =
        identity_base + people.try_emplace(name, static_cast<std::int64_t>(people.size())).first->second;
  }
  if (log && faceless + broken > 0) {
    log(std::to_string(faceless) + " pictures without a face and " + std::to_string(broken) +
        " that cannot be decoded, left out");
  }
}

}  // namespace auforge::tools
