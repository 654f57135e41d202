// auforge merge-stats: the sum of a run over all its shards and machines.
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/commands.h"
#include "tools/annotate/merge_stats.h"

namespace auforge::tools {
namespace {

struct MergeArguments {
  MergeOptions options;
  bool json = false;
};

// "3-7, 12": arrays are resubmitted with exactly this.
std::string Ranges(const std::vector<int>& sorted) {
  std::string text;
  for (std::size_t i = 0; i < sorted.size();) {
    std::size_t last = i;
    while (last + 1 < sorted.size() && sorted[last + 1] == sorted[last] + 1) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(sorted[i]);
    if (last > i) text += "-" + std::to_string(sorted[last]);
    i = last + 1;
  }
  return text;
}

void PrintJson(const RunStats& sum, bool with_duplicates) {
  nlohmann::json out = {{"shards", sum.shards},
                        {"images", sum.images},
                        {"faces", sum.faces},
                        {"status", sum.by_status},
                        {"crawl", sum.crawl},
                        {"stage_seconds", sum.stage_seconds},
                        {"configurations", sum.configurations},
                        {"missing", sum.missing},
                        {"unreadable", sum.unreadable}};
  if (with_duplicates) out["duplicates"] = sum.duplicates;
  std::cout << out.dump() << "\n";
}

void PrintText(const RunStats& sum, bool with_duplicates) {
  std::cout << sum.shards << " shards, " << sum.images << " images, " << sum.faces << " faces\n";
  for (const auto& [status, count] : sum.by_status) {
    std::printf(
        "  %-12s %12llu %6.2f%%\n", status.c_str(), static_cast<unsigned long long>(count),
        100 * static_cast<double>(count) / static_cast<double>(std::max<std::uint64_t>(1, sum.images)));
  }
  if (!sum.crawl.empty()) {
    std::cout << "what the crawl tried:";
    for (const auto& [name, count] : sum.crawl) std::cout << (name == sum.crawl.begin()->first ? " " : ", ") << count << " " << name;
    std::cout << "\n";
  }
  if (with_duplicates) std::cout << "images with the bytes of another one: " << sum.duplicates << "\n";
  double total = 0;
  for (const auto& [stage, seconds] : sum.stage_seconds) total += seconds;
  if (total > 0) {
    std::printf("processor time %.2f h:", total / 3600);
    for (const auto& [stage, seconds] : sum.stage_seconds)
      std::printf(" %s %.0f%%", stage.c_str(), 100 * seconds / total);
    std::printf("\n");
  }
  if (!sum.missing.empty()) std::cout << "missing shards: " << Ranges(sum.missing) << "\n";
}

int RunMerge(const MergeArguments& arguments) {
  const RunStats sum = MergeStats(arguments.options);
  if (arguments.json) {
    PrintJson(sum, arguments.options.duplicates);
  } else {
    PrintText(sum, arguments.options.duplicates);
  }
  std::cout.flush();
  for (const std::string& fault : sum.unreadable) std::cerr << fault << "\n";
  if (sum.configurations.size() > 1) {
    std::cerr << "the shards were made with " << sum.configurations.size()
              << " different configurations; they do not belong to one run\n";
  }
  if (!sum.unreadable.empty() || sum.configurations.size() > 1) return kBadInput;
  return sum.missing.empty() ? kDone : kFailed;
}

}  // namespace

void AddMergeStats(Cli& cli) {
  auto arguments = std::make_shared<MergeArguments>();
  Command command = cli.Add("merge-stats", "Sum the stats files of a run; exit 1 while shards are missing",
                            "auforge merge-stats shards/ --expect 1000");
  command.Positional("DIR", arguments->options.folders, "folders of shards").Required();
  command
      .Add("--expect", arguments->options.expected,
           "shards that the run should have; default: up to the largest number")
      .Range(0, 100'000'000);
  command.Flag("--duplicates", arguments->options.duplicates,
               "count images with equal bytes over all shards");
  command.Flag("--json", arguments->json, "print JSON");
  command.Run([arguments] { return RunMerge(*arguments); });
}

}  // namespace auforge::tools
