#include "tools/annotate/merge_stats.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "tools/cli/cli.h"
#include "datasets/shard.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/paths.h"
#include "features/number.h"
#include "pipeline/duplicates.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kEnding = "_stats.json";

// By index; a shard of two folders counts twice, since it is there twice.
std::multimap<int, fs::path> FindStats(const std::vector<std::string>& folders) {
  std::multimap<int, fs::path> found;
  for (const std::string& folder : folders) {
    datasets::storage::RequireThere(folder, "no such folder");
    if (!datasets::storage::IsFolder(folder)) throw UsageError(folder + ": is not a folder of shards");
    for (const fs::path entry : datasets::storage::FolderEntries(folder)) {
      const std::string name = entry.filename().string();
      const std::size_t digits = name.find_first_not_of("0123456789");
      if (digits < 5 || digits > 9 || name.substr(digits) != kEnding) continue;
      // A link in a circle is no stats file: inspect and query do not see its shard either.
      if (!datasets::storage::IsFile(entry.string())) continue;
      const auto index = features::ParseWhole(name.substr(0, digits), 0, 999'999'999);
      if (index) found.emplace(static_cast<int>(*index), entry);
    }
  }
  return found;
}

void Add(const json& stats, RunStats& sum) {
  sum.images += stats.at("samples").get<std::uint64_t>();
  sum.faces += stats.at("faces").get<std::uint64_t>();
  for (const auto& [name, count] : stats.at("status").items())
    sum.by_status[name] += count.get<std::uint64_t>();
  if (const auto crawl = stats.find("crawl"); crawl != stats.end()) {
    for (const auto& [name, count] : crawl->items()) sum.crawl[name] += count.get<std::uint64_t>();
  }
  if (const auto seconds = stats.find("stage_seconds"); seconds != stats.end()) {
    for (const auto& [stage, value] : seconds->items()) sum.stage_seconds[stage] += value.get<double>();
  }
  ++sum.configurations[stats.at("config_digest").get<std::string>()];
  ++sum.shards;
}

std::vector<int> Missing(const std::multimap<int, fs::path>& found, int expected) {
  std::vector<int> missing;
  const int end = expected > 0 ? expected : found.rbegin()->first + 1;
  for (int i = 0; i < end; ++i) {
    if (!found.contains(i)) missing.push_back(i);
  }
  return missing;
}

}  // namespace

RunStats MergeStats(const MergeOptions& options) {
  const std::multimap<int, fs::path> found = FindStats(options.folders);
  if (found.empty())
    throw std::runtime_error(options.folders.front() +
                             ": no finished shard in it (looked for NNNNN_stats.json)");
  RunStats sum;
  pipeline::DuplicateSet seen;
  for (const auto& [index, path] : found) {
    try {
      Add(json::parse(datasets::storage::ReadFile(path.string())), sum);
    } catch (const json::exception& error) {
      sum.unreadable.push_back(path.string() + ": " + error.what());
      continue;
    }
    if (!options.duplicates) continue;
    const datasets::ShardReader shard((path.parent_path() / datasets::ShardFileName(index)).string());
    for (std::size_t i = 0; i < shard.SampleCount(); ++i) {
      if (!seen.Insert(shard.Sample(i).sha256)) ++sum.duplicates;
    }
  }
  sum.missing = Missing(found, options.expected);
  return sum;
}

}  // namespace auforge::tools
