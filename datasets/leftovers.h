// Temporary files that killed processes left in an output folder: NNNNN.h5.tmp.JOB.RESTART and the like. They
// are harmless, but a run that is killed often enough would fill the disk with them.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace auforge::datasets {

class Leftovers {
 public:
  // Lists the folder once; one that does not exist has none. Files of processes that live on this machine are not listed.
  explicit Leftovers(const std::string& folder);
  // Removes those of a shard that is finished.
  void Remove(int shard_index);

 private:
  std::multimap<int, std::filesystem::path> files_;
};

// A file that a living process of this machine is writing in the folder as part of a shard; "" where there is none.
std::string FileInWork(const std::string& folder);

}  // namespace auforge::datasets
