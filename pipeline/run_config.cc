#include "pipeline/run_config.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "datasets/shard.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/checksum.h"

namespace auforge::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Identity of the 100 MB landmark file without reading all of it: its size and its first megabyte.
std::string LandmarkDigest(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  std::vector<char> head(1 << 20);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  const std::string text(head.data(), static_cast<std::size_t>(file.gcount()));
  return datasets::storage::Sha256Hex(text + std::to_string(fs::file_size(path))).substr(0, 16);
}

std::string Text(const json& value) { return value.is_null() ? "nothing" : value.dump(); }

}  // namespace

RunConfig MakeRunConfig(const AnnotateOptions& options, const std::string& model_digest, const std::string& detector,
                        const std::string& landmark_path) {
  json config = {{"crop_eye_height", options.crop.eye_height},
                       {"crop_inter_ocular", options.crop.inter_ocular},
                       {"crop_size", options.crop.size},
                       {"detector", detector},
                       {"detector_threshold", options.detector_threshold},
                       {"emotion", "nearest"},
                       {"duplicates", options.skip_duplicates ? "skipped" : "kept"},
                       {"jpeg_quality", options.jpeg_quality},
                       {"landmarks", LandmarkDigest(landmark_path)},
                       {"max_bytes", options.source.max_bytes},
                       {"max_pixels", options.decode.max_pixels},
                       {"min_face", options.min_face},
                       {"min_quality", options.min_quality},
                       {"min_side", options.decode.min_side},
                       {"model", model_digest},
                       {"reduce", options.reduce},
                       {"shard_size", options.source.shard_size}};
  if (options.skip_duplicates && options.count > 1) {
    // Each process knows only its own shards: another split would skip others.
    config["index"] = options.index;
    config["count"] = options.count;
  }
  const std::string text = config.dump();
  return {text, datasets::storage::Sha256Hex(text), model_digest};
}

bool IsFinishedShard(const std::string& folder, const datasets::InputShard& shard, const RunConfig& config) {
  if (!datasets::ShardIsDone(folder, shard.index)) return false;
  const std::string path = (fs::path(folder) / datasets::StatsFileName(shard.index)).string();
  const json stats = json::parse(datasets::storage::ReadFile(path), nullptr, false);
  if (!stats.is_object() || !stats.contains("config")) {
    throw std::runtime_error(path + ": is not a stats file of auforge annotate; move it away or choose another -o");
  }
  const json ours = json::parse(config.json);
  for (const auto& [key, value] : ours.items()) {
    const json theirs = stats["config"].value(key, json());
    if (theirs != value) {
      throw ConfigMismatch(path + ": was made with " + key + " = " + Text(theirs) + ", this run has " + Text(value) +
                           "; use the same options and model, or another output folder");
    }
  }
  const std::string source = stats.value("source", "");
  if (source != shard.name) {
    throw ConfigMismatch(path + ": was made from " + source + ", this run would make it from " + shard.name +
                         "; use another output folder");
  }
  if (stats.value("source_digest", "") != shard.digest) {
    throw ConfigMismatch(path + ": was made from other images: " + shard.name +
                         " has gained, lost or renamed some; use another output folder");
  }
  return true;
}

}  // namespace auforge::pipeline
