// auforge verify: every checksum and invariant of shards.
#include <iostream>
#include <memory>

#include "datasets/shard.h"
#include "tools/commands.h"

namespace auforge::tools {
namespace {

int RunVerify(const std::vector<std::string>& paths) {
  const std::vector<std::string> shards = datasets::FindShards(paths);
  std::size_t damaged = 0;
  for (const std::string& shard : shards) {
    const std::vector<std::string> faults = datasets::VerifyShard(shard);
    for (const std::string& fault : faults) {
      // Some faults name the file themselves.
      std::cout << (fault.starts_with(shard) ? "" : shard + ": ") << fault << "\n";
    }
    damaged += faults.empty() ? 0 : 1;
  }
  if (damaged == 0) {
    std::cout << shards.size() << " shards are sound\n";
    return kDone;
  }
  std::cout << damaged << " of " << shards.size()
            << " shards are damaged; remove them with their _stats.json and annotate again\n";
  return kBadInput;
}

}  // namespace

void AddVerify(Cli& cli) {
  auto paths = std::make_shared<std::vector<std::string>>();
  Command command = cli.Add("verify", "Check every checksum and invariant of shards", "auforge verify shards/");
  command.Positional("SHARD", *paths, "shard files or folders").Required();
  command.Run([paths] { return RunVerify(*paths); });
}

}  // namespace auforge::tools
