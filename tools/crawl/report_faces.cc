#include "tools/crawl/report_faces.h"

#include <algorithm>
#include <map>

namespace auforge::tools {
namespace {

// The best few of many by a key, smallest first; of equals the first that came.
class Best {
 public:
  explicit Best(std::size_t most) : most_(most) {}
  void Offer(double key, FaceReference face) {
    if (entries_.size() == most_ && (most_ == 0 || key >= entries_.back().first)) return;
    const auto at = std::upper_bound(entries_.begin(), entries_.end(), key,
                                     [](double k, const auto& e) { return k < e.first; });
    entries_.insert(at, {key, face});
    if (entries_.size() > most_) entries_.pop_back();
  }
  std::vector<FaceReference> Faces() const {
    std::vector<FaceReference> faces;
    for (const auto& [key, face] : entries_) faces.push_back(face);
    return faces;
  }

 private:
  std::size_t most_;
  std::vector<std::pair<double, FaceReference>> entries_;
};

// Added to the key of a face that cannot be trusted: it comes behind every face that can.
constexpr double kBehind = 1e6;

struct Mean {
  std::uint64_t faces = 0, trusted = 0;
  std::vector<double> sum;  // of trusted faces' intensities; of all where none is trusted
  std::vector<double> all;
};

std::string EmotionOf(const datasets::ShardReader& shard, std::size_t face) {
  const auto& names = shard.header().emotion_names;
  const std::size_t emotion = shard.Emotion()[face];
  return emotion < names.size() ? names[emotion] : "unknown";
}

void AddToMean(Mean& mean, std::span<const float> intensity, bool is_trusted) {
  mean.sum.resize(intensity.size());
  mean.all.resize(intensity.size());
  ++mean.faces;
  mean.trusted += is_trusted ? 1 : 0;
  for (std::size_t j = 0; j < intensity.size(); ++j) {
    mean.all[j] += intensity[j];
    if (is_trusted) mean.sum[j] += intensity[j];
  }
}

double DistanceTo(const Mean& mean, std::span<const float> intensity) {
  const bool use_trusted = mean.trusted > 0;
  const double count = static_cast<double>(use_trusted ? mean.trusted : mean.faces);
  double sum = 0;
  for (std::size_t j = 0; j < intensity.size(); ++j) {
    const double difference = intensity[j] - (use_trusted ? mean.sum[j] : mean.all[j]) / count;
    sum += difference * difference;
  }
  return sum;
}

}  // namespace

ReportFaces ChooseReportFaces(const ReportData& data, std::size_t each, float min_quality) {
  const std::size_t width = data.aus.size();
  std::map<std::string, Mean> means;
  std::vector<Best> strongest(width, Best(each));
  for (std::size_t s = 0; s < data.shards.size(); ++s) {
    const datasets::ShardReader shard(data.shards[s]);
    for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
      const bool is_trusted = shard.Quality()[i] >= min_quality;
      const std::span<const float> intensity = shard.AuIntensity().subspan(i * width, width);
      AddToMean(means[EmotionOf(shard, i)], intensity, is_trusted);
      for (std::size_t j = 0; j < width; ++j) {
        if (shard.AuPresent()[i * width + j] != 0)
          strongest[j].Offer((is_trusted ? 0 : kBehind) - intensity[j], {s, i});
      }
    }
  }
  std::map<std::string, Best> nearest;
  for (const auto& [emotion, mean] : means) nearest.emplace(emotion, Best(each));
  for (std::size_t s = 0; s < data.shards.size(); ++s) {
    const datasets::ShardReader shard(data.shards[s]);
    for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
      const std::string emotion = EmotionOf(shard, i);
      const double distance = DistanceTo(means.at(emotion), shard.AuIntensity().subspan(i * width, width));
      nearest.at(emotion).Offer((shard.Quality()[i] >= min_quality ? 0 : kBehind) + distance, {s, i});
    }
  }
  ReportFaces faces;
  for (const auto& [emotion, mean] : means)
    faces.typical.push_back({emotion, mean.faces, nearest.at(emotion).Faces()});
  std::stable_sort(faces.typical.begin(), faces.typical.end(),
                   [](const auto& a, const auto& b) { return a.of > b.of; });
  for (std::size_t j = 0; j < width; ++j) {
    const auto found = strongest[j].Faces();
    if (!found.empty()) faces.extreme.push_back({data.aus[j].name, found});
  }
  return faces;
}

}  // namespace auforge::tools
