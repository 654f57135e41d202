#include "tools/crawl/report_data.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "tools/cli/cli.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/paths.h"

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
      ++data.aus[j].fine[std::min<std::size_t>(19, static_cast<std::size_t>(4 * intensity))];
      if (present[j] == 0) continue;
      ++data.aus[j].present;
      for (std::size_t k = 0; k < width; ++k) data.together[j][k] += present[k];
    }
    const auto& names = shard.header().emotion_names;
    const std::size_t emotion = shard.Emotion()[i];
    ++data.emotions[emotion < names.size() ? names[emotion] : "unknown"];
    const auto bin = [](float value, float low, float step, std::size_t bins) {
      return std::min(bins - 1, static_cast<std::size_t>(std::max(0.0F, (value - low) / step)));
    };
    ++data.quality[bin(shard.Quality()[i], 0, 0.1F, 10)];
    ++data.yaw[bin(shard.Pose(i).yaw, -90, 10, 18)];
    ++data.pitch[bin(shard.Pose(i).pitch, -90, 10, 18)];
    const float size = shard.FaceBox(i).width;
    ++data.face_sizes[size < 40 ? 0 : size < 80 ? 1 : size < 160 ? 2 : size < 320 ? 3 : 4];
  }
}

// Floats are stored as the doubles nearest to them; people want 0.3, not 0.30000001192092896.
std::string SettingText(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return value.dump();
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value.get<double>());
  return text;
}

void AddStats(const std::string& shard, ReportData& data) {
  const std::string path = Sibling(shard, "_stats.json");
  if (!datasets::storage::Exists(path)) return;
  const json stats = json::parse(datasets::storage::ReadFile(path), nullptr, false);
  if (!stats.is_object()) throw BadInputError(path + ": is not JSON; remove it and annotate again");
  if (data.settings.empty()) {
    const json config = stats.value("config", json::object());
    for (const auto& [name, value] : config.items()) {
      data.settings.emplace_back(name, SettingText(value));
    }
  }
  const json crawl = stats.value("crawl", json::object());
  for (const auto& [status, count] : crawl.items()) {
    if (count.is_number_unsigned()) data.crawl[status] += count.get<std::uint64_t>();
  }
  const json stages = stats.value("stage_seconds", json::object());
  for (const auto& [stage, seconds] : stages.items()) {
    if (seconds.is_number()) data.stage_seconds[stage] += seconds.get<double>();
  }
}

void AddFailures(const std::string& shard, ReportData& data) {
  const std::string path = Sibling(shard, "_errors.jsonl");
  if (!datasets::storage::Exists(path)) return;
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
  for (const std::string& name : header.schema.Names())
    data.aus.push_back({name, 0, 0, std::vector<std::uint64_t>(5), std::vector<std::uint64_t>(20)});
  data.together.assign(data.aus.size(), std::vector<std::uint64_t>(data.aus.size()));
  data.face_sizes.assign(5, 0);
  data.quality.assign(10, 0);
  data.yaw.assign(18, 0);
  data.pitch.assign(18, 0);
  data.model_digest = header.model_digest;
  data.detector = header.detector;
  data.tool_version = header.tool_version;
}

void AddProvenance(const datasets::ShardHeader& header, ReportData& data) {
  data.models.insert(header.model_digest);
  data.detectors.insert(header.detector);
  data.versions.insert(header.tool_version);
  data.configs.insert(header.config_digest);
  if (data.sources.size() < kSourcesKept) data.sources.insert(header.source);
  if (data.first_created.empty() || header.created < data.first_created) data.first_created = header.created;
  data.last_created = std::max(data.last_created, header.created);
}

void AddShard(const datasets::ShardReader& shard, ReportData& data) {
  data.images += shard.SampleCount();
  data.faces += shard.FaceCount();
  data.without_crops += shard.header().has_crops ? 0 : 1;
  for (std::size_t i = 0; i < shard.SampleCount(); ++i) {
    ++data.by_status[std::string(datasets::OutcomeName(shard.Sample(i).status))];
  }
  AddProvenance(shard.header(), data);
  AddFaces(shard, data);
  AddStats(shard.path(), data);
  AddFailures(shard.path(), data);
}

// Faces are only known to be sound when they are read; nothing of a shard is counted before it is.
std::unique_ptr<datasets::ShardReader> OpenOrPass(const std::string& path, bool pass_over,
                                                  ReportData& data) {
  try {
    return std::make_unique<datasets::ShardReader>(path);
  } catch (const datasets::storage::BadContent& error) {
    if (!pass_over) throw;
    data.left_out.push_back({path, error.what(), true});
  } catch (const std::runtime_error& error) {
    if (!pass_over) throw;
    data.left_out.push_back({path, error.what(), false});
  }
  return nullptr;
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

ReportData GatherReport(const std::vector<std::string>& folder_or_shards, std::size_t sample_faces,
                        bool pass_over) {
  ReportData data;
  std::vector<std::size_t> faces_of_shard;
  std::vector<std::string> names;
  for (const std::string& path : datasets::FindShards(folder_or_shards)) {
    const auto shard = OpenOrPass(path, pass_over, data);
    if (shard == nullptr) continue;
    if (data.shards.empty()) {
      Start(*shard, data);
      names = shard->header().schema.Names();
    }
    if (shard->header().schema.Names() != names) {
      throw BadInputError(path + ": its AUs differ from those of " + data.shards[0] +
                               "; report on them apart");
    }
    AddShard(*shard, data);
    data.shards.push_back(path);
    faces_of_shard.push_back(shard->FaceCount());
  }
  if (data.shards.empty()) {
    const std::string text = data.left_out[0].fault + "; no other shard can be read";
    const bool may_pass = std::any_of(data.left_out.begin(), data.left_out.end(),
                                      [](const LeftOut& shard) { return !shard.is_damaged; });
    if (may_pass) throw std::runtime_error(text);
    throw datasets::storage::BadContent(text);
  }
  ChooseSample(faces_of_shard, sample_faces, data);
  return data;
}

}  // namespace auforge::tools
