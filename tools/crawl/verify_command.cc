// auforge verify: every checksum and invariant of shards.
#include <iostream>
#include <memory>
#include <stdexcept>

#include "datasets/shard.h"
#include "tools/commands.h"

namespace auforge::tools {
namespace {

// A line for each fault. False when the shard is damaged.
bool IsSound(const std::string& shard) {
  const std::vector<std::string> faults = datasets::VerifyShard(shard);
  for (const std::string& fault : faults) {
    // Some faults name the file themselves.
    std::cout << (fault.starts_with(shard) ? "" : shard + ": ") << fault << "\n";
  }
  return faults.empty();
}

int RunVerify(const std::vector<std::string>& paths) {
  const std::vector<std::string> shards = datasets::FindShards(paths);
  std::size_t damaged = 0, unread = 0;
  for (const std::string& shard : shards) {
    try {
      damaged += IsSound(shard) ? 0 : 1;
    } catch (const std::runtime_error& error) {
      std::cout << error.what() << "\n";
      ++unread;
    }
  }
  const std::string of = " of " + std::to_string(shards.size()) + " shards ";
  if (unread > 0) std::cout << unread << of << "could not be read; nothing is known of their content\n";
  if (damaged > 0) {
    std::cout << damaged << of << "are damaged; remove them with their _stats.json and annotate again\n";
    return kBadInput;
  }
  if (unread > 0) return kFailed;
  std::cout << shards.size() << " shards are sound\n";
  return kDone;
}

}  // namespace

void AddVerify(Cli& cli) {
  auto paths = std::make_shared<std::vector<std::string>>();
  Command command = cli.Add("verify", "Check every checksum and invariant of shards", "auforge verify shards/");
  command.Positional("SHARD", *paths, "shard files or folders").Required();
  command.Run([paths] { return RunVerify(*paths); });
}

}  // namespace auforge::tools
