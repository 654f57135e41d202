// Which part of a run this process does, when a cluster's engine has started many.
#pragma once

#include <string>

namespace auforge::tools {

struct Rank {
  int index = 0;
  int count = 1;
  std::string source;  // "Slurm array", "Kubernetes", "OpenMPI", "options"; empty for a process alone
};

// index and count as given on the command line; -1 where not given. Else SLURM_ARRAY_TASK_ID, _MIN, _STEP,
// _COUNT; JOB_COMPLETION_INDEX (Kubernetes Indexed Job) with --count or AUFORGE_COUNT; OMPI_COMM_WORLD_RANK,
// _SIZE. Throws UsageError when they make no sense together.
Rank ResolveRank(int index, int count);

}  // namespace auforge::tools
