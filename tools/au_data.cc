#include "tools/au_data.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <opencv2/core.hpp>

#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "datasets/synthetic/landmark_sampler.h"
#include "features/align.h"
#include "features/shape.h"
#include "tools/cli.h"
#include "tools/parallel.h"

namespace auforge::tools {
namespace {

using annotator::TrainingData;

void CheckOptions(const DataSpec& spec, const std::vector<std::string>& known) {
  for (const auto& [name, value] : spec.options) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string list;
    for (const std::string& k : known) list += (list.empty() ? "" : ", ") + k;
    throw UsageError("--data " + spec.name + ": unknown option " + name + "; known: " + (list.empty() ? "none" : list));
  }
}

// Adds rows of zeros; returns the first of them.
std::size_t Grow(TrainingData& data, std::size_t count, std::size_t dimension) {
  const std::size_t first = data.rows;
  data.rows += count;
  data.features.resize(data.rows * dimension);
  data.labels.resize(data.rows * data.schema.size());
  data.identity.resize(data.rows);
  return first;
}

void LoadLandmarks(const DataSpec& spec, int jobs, std::int64_t identity_base, TrainingData& data) {
  CheckOptions(spec, {"count", "seed"});
  const features::FeatureExtractor extractor(data.spec);
  if (data.spec.gabor || data.spec.hog) {
    throw UsageError("--data landmarks: has no pictures; train with --no-gabor");
  }
  namespace synthetic = datasets::synthetic;
  const synthetic::FaceModel model = synthetic::FaceModel::Load(spec.path);
  const synthetic::LandmarkSampler sampler(model, {});
  const std::size_t count = spec.Number("count", 10000);
  const std::uint64_t seed = spec.Number("seed", 1);
  const std::size_t dimension = extractor.Dimension();
  const std::size_t first = Grow(data, count, dimension);
  ParallelFor(count, jobs, [&](std::size_t i) {
    const synthetic::LandmarkSample sample = sampler.Sample(seed, i);
    const std::size_t row = first + i;
    features::ShapeFeatures(sample.landmarks, std::span(data.features).subspan(row * dimension, dimension));
    std::copy(sample.intensity.begin(), sample.intensity.end(),
              data.labels.begin() + static_cast<std::ptrdiff_t>(row * data.schema.size()));
    data.identity[row] = identity_base + sample.identity;
  });
}

// Identity of each face: what the synthetic generator wrote, else every source image is a person of its own.
std::vector<std::int64_t> Identities(const datasets::ShardReader& shard, std::int64_t base) {
  std::vector<std::int64_t> identity(shard.FaceCount());
  const auto known = shard.Extra("/synthetic/identity");
  for (std::size_t i = 0; i < identity.size(); ++i) {
    identity[i] = base + (known && known->values.size() == identity.size() ? std::llround(known->values[i])
                                                                           : static_cast<long long>(shard.FaceSample()[i]));
  }
  return identity;
}

// An AU less of whose region can be seen is not labelled in this picture: guessing is not taught.
constexpr float kLeastVisible = 0.4F;

void LoadShards(const DataSpec& spec, int jobs, std::int64_t identity_base, TrainingData& data) {
  CheckOptions(spec, {"mirror", "count"});
  const std::size_t most = spec.Number("count", std::numeric_limits<std::size_t>::max());
  std::size_t loaded = 0;
  const features::FeatureExtractor extractor(data.spec);
  const std::size_t dimension = extractor.Dimension();
  const std::size_t a = data.schema.size();
  std::int64_t shard_base = identity_base;
  for (const std::string& path : datasets::FindShards({spec.path})) {
    if (loaded >= most) break;
    const datasets::ShardReader shard(path);
    const std::size_t faces = std::min(shard.FaceCount(), most - loaded);
    loaded += faces;
    const bool is_synthetic = shard.Extra("/synthetic/identity").has_value();
    const std::vector<std::int64_t> identity = Identities(shard, is_synthetic ? identity_base : shard_base);
    shard_base += static_cast<std::int64_t>(shard.SampleCount());
    // Each face and its mirror image: what is true of one half of a face is true of the other.
    const std::size_t copies = spec.Number("mirror", is_synthetic ? 1 : 0) != 0 ? 2 : 1;
    const std::size_t first = Grow(data, faces * copies, dimension);
    const auto visibility = shard.Extra("/synthetic/au_visibility");
    const std::size_t width = shard.header().schema.size();
    std::vector<std::optional<std::size_t>> column;
    for (const int au : data.schema.numbers()) column.push_back(shard.header().schema.Find(au));
    ParallelFor(faces, jobs, [&](std::size_t i) {
      datasets::DecodedImage crop = datasets::DecodeImage(shard.FaceImage(i), {});
      if (crop.status != datasets::Outcome::kOk) {
        throw std::runtime_error(path + ": face " + std::to_string(i) + ": " + crop.message);
      }
      features::Landmarks68 landmarks = features::Transform(shard.CropFromImage(i), shard.Landmarks(i));
      for (std::size_t copy = 0; copy < copies; ++copy) {
        const std::size_t row = first + i * copies + copy;
        if (copy == 1) {
          cv::flip(crop.bgr, crop.bgr, 1);
          landmarks = features::Mirror(landmarks, static_cast<float>(crop.bgr.cols));
        }
        extractor.Extract(crop.bgr, landmarks, std::span(data.features).subspan(row * dimension, dimension));
        for (std::size_t j = 0; j < a; ++j) {
          const bool hidden = visibility && column[j] && visibility->values[i * width + *column[j]] < kLeastVisible;
          data.labels[row * a + j] = column[j] && !hidden ? shard.AuIntensity()[i * width + *column[j]] : NAN;
        }
        data.identity[row] = identity[i];
      }
    });
  }
}

}  // namespace

std::uint64_t DataSpec::Number(const std::string& option, std::uint64_t fallback) const {
  for (const auto& [key, text] : options) {
    if (key != option) continue;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
      throw UsageError("--data " + name + ": " + option + " = " + text + " is not a whole number");
    }
    return value;
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
    if (equals == std::string::npos) throw UsageError("--data " + text + ": \"" + option + "\" must be option=value");
    spec.options.emplace_back(option.substr(0, equals), option.substr(equals + 1));
    at = next;
  }
  return spec;
}

TrainingData LoadTrainingData(const std::vector<std::string>& specs, const features::FeatureSpec& features, int jobs,
                              const std::function<void(const std::string&)>& log) {
  TrainingData data;
  data.spec = features;
  data.schema = features::CatalogueSchema();
  // Identities of one source never meet those of another.
  constexpr std::int64_t kIdentitiesPerSource = std::int64_t{1} << 40;
  std::int64_t base = 0;
  for (const std::string& text : specs) {
    const DataSpec spec = ParseDataSpec(text);
    if (spec.name == "landmarks") {
      LoadLandmarks(spec, jobs, base, data);
    } else if (spec.name == "shards" || spec.name == "synth") {
      LoadShards(spec, jobs, base, data);
    } else {
      throw UsageError("--data " + text + ": unknown source " + spec.name + "; known: shards, synth, landmarks");
    }
    base += kIdentitiesPerSource;
    if (log) log(text + ": " + std::to_string(data.rows) + " faces so far");
  }
  return data;
}

}  // namespace auforge::tools
