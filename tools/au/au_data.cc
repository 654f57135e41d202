#include "tools/au/au_data.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <stdexcept>

#include "datasets/labels/label_set.h"
#include "datasets/synthetic/landmark_sampler.h"
#include "features/number.h"
#include "features/shape.h"
#include "tools/au/au_data_sources.h"
#include "tools/cli/cli.h"
#include "tools/cli/parallel.h"
#include "tools/au/photo_features.h"

namespace auforge::tools {
namespace {

using annotator::TrainingData;

void LoadLandmarks(const DataSpec& spec, int jobs, std::int64_t identity_base, TrainingData& data) {
  spec.CheckOptions({"count", "seed"});
  const features::FeatureExtractor extractor(data.spec);
  if (data.spec.LooksAtPicture()) {
    throw UsageError("--data landmarks: has no pictures; train with --no-gabor --no-hog and without --net");
  }
  namespace synthetic = datasets::synthetic;
  const synthetic::FaceModel model = synthetic::FaceModel::Load(spec.path);
  const synthetic::LandmarkSampler sampler(model, {});
  const std::size_t count = spec.Number("count", 10000);
  const std::uint64_t seed = spec.Number("seed", 1);
  const std::size_t dimension = extractor.Dimension();
  const std::size_t first = AddRows(data, count, dimension);
  ParallelFor(count, jobs, [&](std::size_t i) {
    const synthetic::LandmarkSample sample = sampler.Sample(seed, i);
    const std::size_t row = first + i;
    features::ShapeFeatures(sample.landmarks, std::span(data.features).subspan(row * dimension, dimension));
    std::copy(sample.intensity.begin(), sample.intensity.end(),
              data.labels.begin() + static_cast<std::ptrdiff_t>(row * data.schema.size()));
    data.identity[row] = identity_base + sample.identity;
  });
}

// Rows of `values` (rows x before) with only the columns of `kept`.
void KeepColumns(std::vector<float>& values, std::size_t before, const std::vector<std::size_t>& kept) {
  if (values.empty()) return;
  std::vector<float> result;
  result.reserve(values.size() / before * kept.size());
  for (std::size_t at = 0; at < values.size(); at += before) {
    for (const std::size_t j : kept) result.push_back(values[at + j]);
  }
  values = std::move(result);
}

}  // namespace

std::size_t AddRows(TrainingData& data, std::size_t count, std::size_t dimension) {
  const std::size_t first = data.rows;
  data.rows += count;
  data.features.resize(data.rows * dimension);
  data.labels.resize(data.rows * data.schema.size());
  data.seen.resize(data.rows * data.schema.size(), 1.0F);
  data.weights.resize(data.rows * data.schema.size(), 1.0F);
  data.left.resize(data.rows * data.schema.size(), NAN);
  data.right.resize(data.rows * data.schema.size(), NAN);
  data.evidence.resize(data.rows);
  data.identity.resize(data.rows);
  data.copy.resize(data.rows, 0);
  return first;
}

std::string DataSpec::Text(const std::string& option, const std::string& fallback) const {
  for (const auto& [key, text] : options) {
    if (key == option) return text;
  }
  return fallback;
}

std::vector<std::string> DataSpec::All(const std::string& option) const {
  std::vector<std::string> texts;
  for (const auto& [key, text] : options) {
    if (key == option) texts.push_back(text);
  }
  return texts;
}

void DataSpec::CheckOptions(const std::vector<std::string>& known) const {
  for (const auto& [option, value] : options) {
    if (std::find(known.begin(), known.end(), option) != known.end()) continue;
    std::string list;
    for (const std::string& k : known) list += (list.empty() ? "" : ", ") + k;
    throw UsageError("--data " + name + ": unknown option " + option + "; known: " + list);
  }
}

std::uint64_t DataSpec::Number(const std::string& option, std::uint64_t fallback, std::uint64_t most) const {
  for (const auto& [key, text] : options) {
    if (key != option) continue;
    const auto value = features::ParseCount(text, most);
    if (!value) {
      throw UsageError("--data " + name + ": " + option + " = " + text + " is not a whole number" +
                       (most == std::numeric_limits<std::uint64_t>::max() ? " from 0" : " of 0.." + std::to_string(most)));
    }
    return *value;
  }
  return fallback;
}

DataSpec ParseDataSpec(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
    throw UsageError("--data " + text + ": must be name:path, for example shards:out/");
  }
  DataSpec spec;
  spec.name = text.substr(0, colon);
  std::size_t at = text.find(',', colon);
  spec.path = text.substr(colon + 1, at == std::string::npos ? at : at - colon - 1);
  while (at != std::string::npos) {
    const std::size_t next = text.find(',', at + 1);
    const std::string option = text.substr(at + 1, next == std::string::npos ? next : next - at - 1);
    const std::size_t equals = option.find('=');
    if (equals == std::string::npos)
      throw UsageError("--data " + text + ": \"" + option + "\" must be option=value");
    spec.options.emplace_back(option.substr(0, equals), option.substr(equals + 1));
    at = next;
  }
  return spec;
}

std::string DataSourcesHelp() {
  std::string text = "shards, synth, landmarks";
  for (const datasets::LabelSource& source : datasets::LabelSources()) text += ", " + source.name;
  return text;
}

std::vector<int> ParseAus(const std::string& option, const std::string& text) {
  std::vector<int> aus;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const auto au = features::ParseAu(text.substr(at, end - at));
    if (!au) throw UsageError(option + ": \"" + text.substr(at, end - at) + "\" is no AU; write 6,12,25");
    aus.push_back(*au);
    at = end + 1;
  }
  return aus;
}

void AddFaceSearch(Command& command, FaceSearch& faces) {
  command.Add("--detector", faces.detector, "what finds the faces of pictures: auforge: turned and small faces, too; hog: dlib's, frontal faces; yunet: OpenCV's, needs --detector-model");
  command.Add("--detector-model", faces.detector_model, "yunet's file, face_detection_yunet_2022mar.onnx, or another net of auforge's");
  command.Add("--landmarks", faces.landmarks, "auforge, dlib[:FILE] or FILE; default: that of the model, else auforge");
  command.Add("--min-face", faces.min_face, "smallest face to look for in them, pixels").Range(20, 2000);
}

void MeetLandmarker(TrainingData& data, const std::string& landmarker, const std::string& source) {
  if (data.landmarker.empty()) data.landmarker = landmarker;
  if (data.landmarker == landmarker) return;
  throw BadInputError(source + " has landmarks of " + landmarker + ", what was read before it of " + data.landmarker +
                      ": label or render it again with the same --landmarks");
}

void UseLandmarksOf(const annotator::AuModel& model, FaceSearch& faces) {
  if (faces.landmarks.empty()) faces.landmarks = annotator::LandmarksFor(model.info().landmarker);
}

void UseLandmarksOf(const TrainingData& data, FaceSearch& faces) {
  if (faces.landmarks.empty() && !data.landmarker.empty()) faces.landmarks = annotator::LandmarksFor(data.landmarker);
}

TrainingData LoadTrainingData(const std::vector<std::string>& specs, const features::FeatureSpec& features,
                              const FaceSearch& faces, int jobs, const Log& log,
                              const std::vector<std::string>& held_out) {
  try {
    faces.Validate();
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
  TrainingData data;
  data.spec = features;
  data.schema = features::CatalogueSchema();
  // Identities of one source never meet those of another.
  constexpr std::int64_t kIdentitiesPerSource = std::int64_t{1} << 40;
  std::int64_t base = 0;
  bool is_complete = true;
  const auto load = [&](const std::string& text) {
    const DataSpec spec = ParseDataSpec(text);
    if (spec.name == "landmarks") {
      LoadLandmarks(spec, jobs, base, data);
      MeetLandmarker(data, annotator::AuModelInfo{}.landmarker, text);
    } else if (spec.name == "shards" || spec.name == "synth") {
      LoadShards(spec, jobs, base, data);
    } else if (datasets::IsLabelSource(spec.name)) {
      is_complete = LoadLabelled(spec, faces, jobs, base, data, log) && is_complete;
    } else {
      throw UsageError("--data " + text + ": unknown source " + spec.name + "; known: " + DataSourcesHelp());
    }
    base += kIdentitiesPerSource;
    if (log) log(text + ": " + std::to_string(data.rows) + " faces so far");
  };
  for (const std::string& text : specs) load(text);
  const std::size_t taught = data.rows;
  for (const std::string& text : held_out) load(text);
  if (!held_out.empty()) {
    data.held_out.assign(data.rows, 1);
    std::fill_n(data.held_out.begin(), taught, std::uint8_t{0});
  }
  if (data.rows == 0) {
    const std::string text = "no labelled faces in what --data names";
    if (is_complete) throw BadInputError(text);
    throw std::runtime_error(text + "; some of its files are missing or cut short");
  }
  // Where nothing is hidden there is nothing to learn about it.
  if (std::all_of(data.seen.begin(), data.seen.end(), [](float v) { return v == 1; })) data.seen.clear();
  if (std::all_of(data.weights.begin(), data.weights.end(), [](float v) { return v == 1; }))
    data.weights.clear();
  if (std::all_of(data.left.begin(), data.left.end(), [](float v) { return std::isnan(v); })) {
    data.left.clear();
    data.right.clear();
  }
  // Landmarks without pictures say nothing of pictures.
  if (!data.spec.LooksAtPicture()) data.evidence.clear();
  return data;
}

void NameAusWithoutModel(const TrainingData& data, const features::AuSchema& model, const Log& log) {
  const std::size_t a = data.schema.size();
  for (std::size_t j = 0; j < a; ++j) {
    std::size_t labels = 0, active = 0;
    for (std::size_t at = j; at < data.labels.size(); at += a) {
      labels += std::isnan(data.labels[at]) ? 0 : 1;
      active += data.labels[at] >= 1 ? 1 : 0;
    }
    if (log && labels > 0 && !model.Find(data.schema.numbers()[j]))
      log("AU" + std::to_string(data.schema.numbers()[j]) + ": the model does not have it; " +
          std::to_string(labels) + " labels left out, " + std::to_string(active) + " of them active");
  }
}

void DropConstantAus(TrainingData& data, const Log& log) {
  const std::size_t a = data.schema.size();
  std::vector<std::size_t> kept;
  std::vector<int> numbers;
  for (std::size_t j = 0; j < a; ++j) {
    std::size_t labels = 0;
    float low = INFINITY, high = -INFINITY;
    for (std::size_t at = j; at < data.labels.size(); at += a) {
      if (std::isnan(data.labels[at])) continue;
      ++labels;
      low = std::min(low, data.labels[at]);
      high = std::max(high, data.labels[at]);
    }
    const std::string name = "AU" + std::to_string(data.schema.numbers()[j]);
    if (low < high) {
      kept.push_back(j);
      numbers.push_back(data.schema.numbers()[j]);
    } else if (log && labels == 0) {
      log(name + ": no labels; not learnt");
    } else if (log) {
      log(name + ": all " + std::to_string(labels) + " labels are " + std::to_string(low) + "; not learnt");
    }
  }
  if (kept.empty())
    throw BadInputError("no AU varies in the labels that --data names; there is nothing to learn");
  KeepColumns(data.labels, a, kept);
  KeepColumns(data.weights, a, kept);
  KeepColumns(data.seen, a, kept);
  KeepColumns(data.left, a, kept);
  KeepColumns(data.right, a, kept);
  data.schema = features::AuSchema(numbers);
}

void LoadUnlabelled(const std::vector<std::string>& inputs, const FaceSearch& faces, int jobs, TrainingData& data,
                    const Log& log) {
  FaceSearch search = faces;
  UseLandmarksOf(data, search);
  PhotoFeatures photos = ExtractPhotos(inputs, data.spec, true, search, jobs);
  if (log) {
    log(std::to_string(photos.pictures) + " unlabelled photos, " + std::to_string(photos.faces) +
        " with a face, " + std::to_string(photos.picture.size()) + " pictures of them");
  }
  if (photos.faces == 0) throw BadInputError(inputs.front() + ": no face in the unlabelled photos");
  data.unlabelled = std::move(photos.rows);
  data.unlabelled_group = std::move(photos.picture);
}

}  // namespace auforge::tools
