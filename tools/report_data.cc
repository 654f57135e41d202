#include "tools/report_data.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "datasets/storage/atomic_file.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kFailuresShown = 50;

std::string Sibling(const std::string& shard, const std::string& ending) {
  const fs::path path(shard);
  return (path.parent_path() / (path.stem().string() + ending)).string();
}

void AddFaces(const datasets::ShardReader& shard, ReportData& data) {
  const std::size_t width = data.aus.size();
  for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
    const auto present = shard.AuPresent().subspan(i * width, width);
    for (std::size_t j = 0; j < width; ++j) {
      const float intensity = shard.AuIntensity()[i * width + j];
      data.aus[j].intensity_sum += intensity;
      ++data.aus[j].histogram[std::min<std::size_t>(4, static_cast<std::size_t>(intensity))];
      if (present[j] == 0) continue;
      ++data.aus[j].present;
      for (std::size_t k = 0; k < width; ++k) data.together[j][k] += present[k];
    }
    const auto& names = shard.header().emotion_names;
    const std::size_t emotion = shard.Emotion()[i];
    ++data.emotions[emotion < names.size() ? names[emotion] : "unknown"];
    const float size = shard.FaceBox(i).width;
    ++data.face_sizes[size < 40 ? 0 : size < 80 ? 1 : size < 160 ? 2 : size < 320 ? 3 : 4];
  }
}

void AddStats(const std::string& shard, ReportData& data) {
  const std::string path = Sibling(shard, "_stats.json");
  if (!fs::exists(path)) return;
  const json stats = json::parse(datasets::storage::ReadFile(path), nullptr, false);
  if (!stats.is_object()) throw std::runtime_error(path + ": is not JSON; remove it and annotate again");
  const json stages = stats.value("stage_seconds", json::object());
  for (const auto& [stage, seconds] : stages.items()) {
    if (seconds.is_number()) data.stage_seconds[stage] += seconds.get<double>();
  }
}

void AddFailures(const std::string& shard, ReportData& data) {
  const std::string path = Sibling(shard, "_errors.jsonl");
  if (!fs::exists(path)) return;
  std::istringstream lines(datasets::storage::ReadFile(path));
  for (std::string line; std::getline(lines, line);) {
    const json entry = json::parse(line, nullptr, false);
    if (!entry.is_object()) continue;
    ++data.failure_count;
    if (data.failures.size() == kFailuresShown) continue;
    data.failures.push_back({entry.value("key", ""), entry.value("status", ""), entry.value("message", "")});
  }
}

void Start(const datasets::ShardReader& shard, ReportData& data) {
  const datasets::ShardHeader& header = shard.header();
  for (const std::string& name : header.schema.Names()) data.aus.push_back({name, 0, 0, std::vector<std::uint64_t>(5)});
  data.together.assign(data.aus.size(), std::vector<std::uint64_t>(data.aus.size()));
  data.face_sizes.assign(5, 0);
  data.model_digest = header.model_digest;
  data.detector = header.detector;
  data.tool_version = header.tool_version;
}

void ChooseSample(const std::vector<std::size_t>& faces_of_shard, std::size_t wanted, ReportData& data) {
  const std::size_t count = std::min<std::size_t>(wanted, data.faces);
  std::size_t shard = 0;
  std::size_t before = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t global = i * data.faces / count;
    while (global >= before + faces_of_shard[shard]) before += faces_of_shard[shard++];
    data.sample_faces.push_back({shard, global - before});
  }
}

}  // namespace

ReportData GatherReport(const std::vector<std::string>& folder_or_shards, std::size_t sample_faces) {
  ReportData data;
  data.shards = datasets::FindShards(folder_or_shards);
  std::vector<std::size_t> faces_of_shard;
  for (const std::string& path : data.shards) {
    const datasets::ShardReader shard(path);
    if (data.aus.empty()) Start(shard, data);
    std::vector<std::string> names;
    for (const AuFigures& au : data.aus) names.push_back(au.name);
    if (shard.header().schema.Names() != names) {
      throw std::runtime_error(path + ": its AUs differ from those of " + data.shards[0] + "; report on them apart");
    }
    data.images += shard.SampleCount();
    data.faces += shard.FaceCount();
    faces_of_shard.push_back(shard.FaceCount());
    for (std::size_t i = 0; i < shard.SampleCount(); ++i) {
      ++data.by_status[std::string(datasets::OutcomeName(shard.Sample(i).status))];
    }
    AddFaces(shard, data);
    AddStats(path, data);
    AddFailures(path, data);
  }
  ChooseSample(faces_of_shard, sample_faces, data);
  return data;
}

}  // namespace auforge::tools
