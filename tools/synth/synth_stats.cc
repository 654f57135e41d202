#include "tools/synth/synth_stats.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "tools/cli/cli.h"
#include "datasets/shard.h"
#include "datasets/synthetic/occluders.h"
#include "features/align.h"

namespace auforge::tools {
namespace {

namespace synthetic = datasets::synthetic;

constexpr float kFrontal = 30;  // degrees of yaw

// The rows of one shard's /synthetic group that are looked at.
struct Truth {
  explicit Truth(const datasets::ShardReader& shard)
      : pose(Column(shard, "pose", shard.FaceCount(), 3)),
        occluders(Column(shard, "occluders", shard.FaceCount(), 1)),
        visible(Column(shard, "visible_fraction", shard.FaceCount(), 1)),
        landmarks(Column(shard, "landmarks", shard.FaceCount(), 2 * features::kLandmarkCount)) {}

  static std::vector<float> Column(const datasets::ShardReader& shard, const std::string& name,
                                   std::size_t rows, std::size_t width) {
    const auto found = shard.Extra("/synthetic/" + name);
    if (!found || found->values.size() != rows * width) {
      throw BadInputError(shard.path() + ": has no /synthetic/" + name +
                               " as 'auforge synth faces' writes it");
    }
    return found->values;
  }
  std::vector<float> pose, occluders, visible, landmarks;
};

int Bin(float degrees) { return static_cast<int>(std::floor(degrees / 10)) * 10; }

float MedianOf(std::vector<float>& values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Collects detected minus exact landmarks.
class OffsetMeter {
 public:
  void Add(const features::Landmarks68& detected, const float* exact) {
    features::Landmarks68 truth;
    for (std::size_t i = 0; i < truth.size(); ++i) truth[i] = {exact[2 * i], exact[2 * i + 1]};
    const float unit = features::InterOcularDistance(truth);
    const features::Point2 right = features::Midpoint(truth[36], truth[39]),
                           left = features::Midpoint(truth[42], truth[45]);
    const float c = (left.x - right.x) / unit, s = (left.y - right.y) / unit;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const float dx = detected[i].x - truth[i].x, dy = detected[i].y - truth[i].y;
      sum_[i][0] += (c * dx + s * dy) / unit;
      sum_[i][1] += (c * dy - s * dx) / unit;
      distance_[i].push_back(std::hypot(dx, dy) / unit);
      pixels_.push_back(std::hypot(dx, dy));
      if (i >= 17) inner_.push_back(std::hypot(dx, dy));
    }
  }
  void Summarise(SynthStats& stats) {
    stats.measured = distance_[0].size();
    const double n = static_cast<double>(std::max<std::uint64_t>(1, stats.measured));
    std::vector<float> all;
    for (std::size_t i = 0; i < features::kLandmarkCount; ++i) {
      all.insert(all.end(), distance_[i].begin(), distance_[i].end());
      stats.offsets[i] = {static_cast<float>(sum_[i][0] / n), static_cast<float>(sum_[i][1] / n),
                          MedianOf(distance_[i])};
    }
    stats.median_error = MedianOf(all);
    stats.median_error_pixels = MedianOf(pixels_);
    stats.inner_error_pixels = MedianOf(inner_);
  }

 private:
  std::array<std::array<double, 2>, features::kLandmarkCount> sum_{};
  std::array<std::vector<float>, features::kLandmarkCount> distance_;
  std::vector<float> pixels_, inner_;
};

void AddAus(const float* intensity, SynthStats& stats) {
  const std::size_t n = stats.schema.size();
  for (std::size_t a = 0; a < n; ++a) {
    const float v = intensity[a];
    ++stats.histogram[a][v <= 0 ? 0 : std::min<std::size_t>(5, static_cast<std::size_t>(v) + 1)];
    if (v < 1) continue;
    ++stats.active[a];
    for (std::size_t b = 0; b < n; ++b) stats.together[a][b] += intensity[b] >= 1 ? 1 : 0;
  }
}

void AddOccluders(std::uint32_t kinds, SynthStats& stats) {
  if (kinds == 0) ++stats.occluders["none"];
  for (int k = 0; k < synthetic::kOccluderCount; ++k) {
    if ((kinds >> k & 1U) != 0)
      ++stats.occluders[std::string(OccluderName(static_cast<synthetic::Occluder>(k)))];
  }
}

void AddPictures(const datasets::ShardReader& shard, SynthStats& stats) {
  const std::size_t n = shard.SampleCount();
  stats.pictures += n;
  const std::vector<float> pose = Truth::Column(shard, "picture_pose", n, 3);
  const std::vector<float> occluders = Truth::Column(shard, "picture_occluders", n, 1);
  for (std::size_t i = 0; i < n; ++i) {
    if (std::abs(pose[3 * i]) >= kFrontal) continue;
    const bool found = shard.Sample(i).status == datasets::Outcome::kOk, bare = occluders[i] == 0;
    ++stats.frontal;
    stats.frontal_found += found ? 1 : 0;
    stats.bare_frontal += bare ? 1 : 0;
    stats.bare_frontal_found += bare && found ? 1 : 0;
  }
}

}  // namespace

SynthStats GatherSynthStats(const std::vector<std::string>& shards) {
  SynthStats stats;
  OffsetMeter meter;
  for (const std::string& path : shards) {
    const datasets::ShardReader shard(path);
    const std::size_t n = shard.header().schema.size();
    if (stats.schema.size() == 0) {
      stats.schema = shard.header().schema;
      stats.histogram.resize(n);
      stats.active.resize(n);
      stats.together.assign(n, std::vector<std::uint64_t>(n, 0));
    } else if (stats.schema.numbers() != shard.header().schema.numbers()) {
      throw BadInputError(path + ": has other AUs than " + shards.front());
    }
    const Truth truth(shard);
    AddPictures(shard, stats);
    stats.faces += shard.FaceCount();
    for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
      AddAus(&shard.AuIntensity()[i * n], stats);
      ++stats.yaw[Bin(truth.pose[3 * i])];
      ++stats.pitch[Bin(truth.pose[3 * i + 1])];
      ++stats.roll[Bin(truth.pose[3 * i + 2])];
      AddOccluders(static_cast<std::uint32_t>(truth.occluders[i]), stats);
      ++stats.visible[std::min<std::size_t>(
          4, static_cast<std::size_t>(5 * std::clamp(truth.visible[i], 0.0F, 1.0F)))];
      if (std::abs(truth.pose[3 * i]) < kFrontal && truth.occluders[i] == 0) {
        meter.Add(shard.Landmarks(i), &truth.landmarks[2 * features::kLandmarkCount * i]);
      }
    }
    if (shard.SampleCount() > 0) stats.picture_side = static_cast<float>(shard.Sample(0).width);
  }
  meter.Summarise(stats);
  return stats;
}

double Correlation(const SynthStats& stats, std::size_t a, std::size_t b) {
  const auto n = static_cast<double>(stats.faces);
  const auto na = static_cast<double>(stats.active[a]), nb = static_cast<double>(stats.active[b]);
  const double spread = na * (n - na) * nb * (n - nb);
  if (spread <= 0) return 0;
  return (n * static_cast<double>(stats.together[a][b]) - na * nb) / std::sqrt(spread);
}

}  // namespace auforge::tools
