#include "pipeline/resume.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "datasets/address.h"
#include "datasets/input_identity.h"
#include "datasets/shard.h"
#include "datasets/shard_outline.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/hdf5_file.h"
#include "datasets/storage/paths.h"

namespace auforge::pipeline {
namespace {

namespace fs = std::filesystem;
using datasets::Comparison;
using nlohmann::json;

std::string Text(const json& value) { return value.is_null() ? "nothing" : value.dump(); }

std::string ShardPath(const std::string& output, int index) {
  return (fs::path(output) / datasets::ShardFileName(index)).string();
}
std::string StatsPath(const std::string& output, int index) {
  return (fs::path(output) / datasets::StatsFileName(index)).string();
}

std::string Resolved(const std::string& path) {
  if (datasets::IsAddress(path)) return path;
  std::error_code error;
  const fs::path resolved = fs::weakly_canonical(path, error);
  return error ? path : resolved.string();
}

json ReadStats(const std::string& path) {
  json stats = json::parse(datasets::storage::ReadFile(path), nullptr, false);
  if (!stats.is_object() || !stats.contains("config") || !stats["config"].is_object()) {
    throw ConfigMismatch(path + ": is not a stats file of auforge annotate; move it away or choose another -o");
  }
  return stats;
}

std::string Member(const json& stats, const char* name) {
  const json value = stats.value(name, json());
  return value.is_string() ? value.get<std::string>() : "";
}

// The first option that differs, as a sentence.
std::optional<std::string> OptionDifference(const json& stats, const RunConfig& config) {
  json ours = json::parse(config.json);
  const json& theirs = stats["config"];
  for (const auto& [key, value] : theirs.items()) ours.emplace(key, json());  // what only they have
  for (const auto& [key, value] : ours.items()) {
    const json other = theirs.value(key, json());
    if (other != value)
      return "was made with " + key + " = " + Text(other) + ", this run has " + Text(value);
  }
  return std::nullopt;
}

// The same tar, list or folder, whatever became of its content.
bool IsSamePlace(const json& stats, const InputRecord& input) {
  return Member(stats, "source") == input.name || Member(stats, "source_path") == input.path;
}

std::string OtherSource(const std::string& path, const json& stats, const InputRecord& input) {
  return path + ": was made from " + Member(stats, "source") + ", this run would make it from " + input.name +
         "; use another output folder";
}

// That the input was found to be the same: the next time its images need not be compared. A folder that cannot be
// written costs the comparison again, nothing else.
void Confirm(const std::string& path, json stats, const InputRecord& input) {
  stats["source_path"] = input.path;
  stats["source_state"] = input.state;
  try {
    datasets::storage::WriteFileAtomically(path, stats.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
  } catch (const std::runtime_error&) {
  }
}

// fault: of an address that could not be read to its end.
Comparison CompareImages(const std::string& shard_path, const datasets::ImageSource& source,
                         const datasets::InputShard& shard, const std::function<bool()>& stop, std::string& fault) {
  try {
    const datasets::ShardReader reader(shard_path);
    const auto items = source.Open(shard);
    const Comparison comparison = datasets::CompareItems(reader, *items, stop);
    fault = items->Fault();
    return comparison;
  } catch (const datasets::storage::BadContent&) {
    return Comparison::kOther;  // a damaged shard is made anew
  }
}

}  // namespace

InputRecord RecordInput(const datasets::ImageSource& source, const datasets::InputShard& shard) {
  const std::vector<std::string> files = source.Files(shard);
  return {shard.name, files.empty() ? "" : Resolved(files.front()), shard.digest, datasets::FileStateDigest(files)};
}

bool IsFinishedShard(const datasets::ImageSource& source, const datasets::InputShard& shard,
                     const ResumeOptions& options) {
  if (!datasets::ShardIsDone(options.output, shard.index)) return false;
  const std::string path = StatsPath(options.output, shard.index);
  const json stats = ReadStats(path);
  if (const auto difference = OptionDifference(stats, options.config))
    throw ConfigMismatch(path + ": " + *difference + "; use the same options and model, or another output folder");
  const InputRecord input = RecordInput(source, shard);
  const bool is_same_place = IsSamePlace(stats, input);
  if (Member(stats, "source_digest") != input.keys) {
    if (!is_same_place) throw ConfigMismatch(OtherSource(path, stats, input));
    throw ConfigMismatch(path + ": was made from other images: " + shard.name +
                         " has gained, lost or renamed some; use another output folder");
  }
  if (is_same_place && Member(stats, "source_state") == input.state) return true;
  const std::string shard_path = ShardPath(options.output, shard.index);
  const auto tell = [&options](const std::string& text) {
    if (options.notice) options.notice(text);
  };
  std::string fault;
  switch (CompareImages(shard_path, source, shard, options.stop, fault)) {
    case Comparison::kSame:
      Confirm(path, stats, input);
      return true;
    case Comparison::kStopped:
      return true;
    case Comparison::kUnreadable:
      // Another time it may prove to be the same under a new address.
      if (!is_same_place && !fault.empty()) throw std::runtime_error(fault);
      if (!is_same_place) throw ConfigMismatch(OtherSource(path, stats, input));
      tell(shard.name + ": cannot be read now, to see whether it has changed; " + shard_path +
           " stays as it is");
      return true;
    case Comparison::kOther:
      break;
  }
  if (!is_same_place) throw ConfigMismatch(OtherSource(path, stats, input));
  tell(shard.name + ": has changed since it was labelled; " + shard_path + " is made anew");
  return false;
}

void RequireSameOptions(const std::string& output, const RunConfig& config) {
  const auto there = datasets::FirstFinishedShard(output);
  if (!there) return;
  const std::string path = StatsPath(output, *there);
  if (const auto difference = OptionDifference(ReadStats(path), config))
    throw ConfigMismatch(path + ": " + *difference + "; use the same options and model, or another output folder");
}

void RequireSameRun(const std::string& output, int index, const InputRecord& input, const RunConfig& config) {
  const std::string path = StatsPath(output, index);
  const json stats = ReadStats(path);
  if (const auto difference = OptionDifference(stats, config))
    throw ConfigMismatch(path + ": " + *difference + "; use the same options and model, or another output folder");
  if (!IsSamePlace(stats, input) || Member(stats, "source_digest") != input.keys)
    throw ConfigMismatch(OtherSource(path, stats, input));
}

void RequireOurs(const std::string& output, const datasets::InputShard& shard, const InputRecord& input,
                 const RunConfig& config) {
  const std::string path = ShardPath(output, shard.index), stats_path = StatsPath(output, shard.index);
  if (!datasets::storage::IsThere(path)) return;
  std::string difference;
  if (datasets::storage::IsThere(stats_path)) {
    const json stats = ReadStats(stats_path);
    const auto option = OptionDifference(stats, config);
    const bool is_ours = IsSamePlace(stats, input) && Member(stats, "source_digest") == input.keys;
    if (option) difference = *option;
    if (!is_ours) difference = "was made from " + Member(stats, "source");
  } else {
    // Between its shard and its commit marker, or killed there.
    try {
      const datasets::storage::Hdf5Reader file(path);
      const std::string source = file.ReadString("/", "source");
      if (source != input.name && Resolved(source) != input.path) difference = "was made from " + source;
      if (file.ReadString("/", "config_digest") != config.digest) difference = "was made with other options";
    } catch (const datasets::storage::BadContent&) {
      return;  // half a file is nobody's
    }
  }
  if (difference.empty()) return;
  throw ConfigMismatch(path + ": another run has put it there meanwhile, which " + difference + "; the labels of " +
                       input.name + " are not written over it: use another output folder");
}

void MakeRoom(const std::string& output, const datasets::InputShard& shard, const InputRecord& input,
              const RunConfig& config) {
  RequireOurs(output, shard, input, config);
  const std::string stats_path = StatsPath(output, shard.index);
  if (!datasets::storage::IsThere(stats_path)) return;
  // The marker of the old content must not stand beside the new for a moment.
  if (Member(ReadStats(stats_path), "source_state") == input.state) return;
  std::error_code error;
  fs::remove(stats_path, error);
  if (error) throw std::runtime_error(stats_path + ": cannot be removed: " + error.message());
}

}  // namespace auforge::pipeline
