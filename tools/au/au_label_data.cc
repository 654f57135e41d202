// Training and test faces from published labels: pictures on disk, faces found as annotation finds them.
#include <algorithm>
#include <cmath>
#include <future>
#include <map>
#include <optional>

#include "datasets/image_codec.h"
#include "datasets/labels/label_set.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/video_reader.h"
#include "tools/au/au_data_sources.h"
#include "tools/au/best_face.h"
#include "tools/cli/cli.h"
#include "tools/cli/parallel.h"

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

using Bytes = std::span<const std::uint8_t>;
// What happens with the bytes of the set's i-th image; called from several threads.
using Visit = std::function<void(std::size_t i, Bytes encoded)>;

// Frames of one video, images[begin, end) of the set, in chunks: one is read while the one before is looked
// at. Returns how many of them the video has, and says so where that is not all.
std::size_t VisitVideo(const datasets::LabelSet& set, std::size_t begin, std::size_t end, int jobs,
                       const Log& log, const Visit& visit) {
  const std::string& path = set.images[begin].image;
  std::vector<long> frames;
  for (std::size_t i = begin; i < end; ++i) frames.push_back(set.images[i].frame);
  datasets::VideoReader video(path, {.frames = frames, .program = {}});
  std::string fault;
  const auto read = [&] {
    std::vector<datasets::ImageItem> chunk;
    datasets::ImageItem item;
    while (chunk.size() < 2 * static_cast<std::size_t>(std::max(1, jobs)) && video.Next(item)) {
      if (item.status == datasets::Outcome::kOk) {
        chunk.push_back(std::move(item));
      } else {
        fault = item.message;
      }
    }
    return chunk;
  };
  std::size_t done = 0;
  for (std::vector<datasets::ImageItem> chunk = read(); !chunk.empty();) {
    auto next = std::async(std::launch::async, read);
    ParallelFor(chunk.size(), jobs, [&](std::size_t c) { visit(begin + done + c, chunk[c].bytes); });
    done += chunk.size();
    chunk = next.get();
  }
  const std::size_t missing = end - begin - done;
  if (missing == 0 || !log) return done;
  if (fault.empty())
    fault = "ends with frame " + std::to_string(video.frames_read()) + ", its labels with frame " +
            std::to_string(frames.back()) + "; is it the video that was labelled?";
  log(path + ": " + fault + " (" + std::to_string(missing) + " labelled frames left out)");
  return done;
}

// Every image of the set, in any order; returns how many could not be had because their video ends before.
std::size_t VisitImages(const datasets::LabelSet& set, int jobs, const Log& log, const Visit& visit) {
  std::vector<std::size_t> pictures;
  std::size_t missing = 0;
  for (std::size_t i = 0; i < set.images.size();) {
    std::size_t end = i + 1;
    if (set.images[i].frame == 0) {
      pictures.push_back(i);
    } else {
      while (end < set.images.size() && set.images[end].image == set.images[i].image) ++end;
      missing += end - i - VisitVideo(set, i, end, jobs, log, visit);
    }
    i = end;
  }
  ParallelFor(pictures.size(), jobs, [&](std::size_t p) {
    const std::string bytes = datasets::storage::ReadFile(set.images[pictures[p]].image);
    visit(pictures[p], {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  });
  return missing;
}

}  // namespace

datasets::LabelSet LoadLabelSet(const DataSpec& spec, const Log& log) {
  datasets::LabelSet set = datasets::ImportLabels(spec.name, spec.path, OptionsOf(spec));
  Report(set, features::CatalogueSchema(), log);
  return set;
}

void LoadLabelled(const DataSpec& spec, int jobs, std::int64_t identity_base, annotator::TrainingData& data,
                  const Log& log) {
  const datasets::LabelSet set = datasets::ImportLabels(spec.name, spec.path, OptionsOf(spec));
  Report(set, data.schema, log);
  const features::FeatureExtractor extractor(data.spec);
  const std::size_t dimension = extractor.Dimension(), a = data.schema.size(), n = set.images.size();
  const FaceSeeker seeker;
  std::vector<std::vector<float>> rows(n);
  std::vector<annotator::QualityEvidence> evidence(n);
  enum class Fate : std::uint8_t { kNotThere, kBroken, kSeen };
  std::vector<Fate> fate(n, Fate::kNotThere);
  const std::size_t missing = VisitImages(set, jobs, log, [&](std::size_t i, Bytes encoded) {
    const datasets::DecodedImage picture = datasets::DecodeImage(encoded, {});
    fate[i] = picture.status == datasets::Outcome::kOk ? Fate::kSeen : Fate::kBroken;
    if (fate[i] == Fate::kBroken) return;
    const auto face = seeker.Find(picture.bgr);
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
    log(std::to_string(missing) + " labelled frames that their videos do not have, left out");
}

}  // namespace auforge::tools
