#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

#include "features/number.h"
#include "tools/cli/cli.h"

namespace auforge::tools {
namespace {

int AffinityCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

// cgroup v2 "quota period" in microseconds; "max" means no limit.
int QuotaCores(int unlimited) {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return unlimited;
  const double cores = features::ParseNumber(quota).value_or(0) / period;
  return cores > 0 ? std::max(1, static_cast<int>(cores)) : unlimited;
}

constexpr const char* kSlurmCores = "SLURM_CPUS_PER_TASK";

std::optional<int> GrantedCores() {
  const char* slurm = std::getenv(kSlurmCores);
  const auto cores = slurm == nullptr ? std::nullopt : features::ParseWhole(slurm, 1, std::numeric_limits<int>::max());
  return cores ? std::optional(static_cast<int>(*cores)) : std::nullopt;
}

}  // namespace

int AvailableCores() {
  int cores = AffinityCores();
  cores = std::min(cores, QuotaCores(cores));
  if (const auto granted = GrantedCores()) cores = std::min(cores, *granted);
  return cores;
}

void CheckEnvironment() {
  const char* slurm = std::getenv(kSlurmCores);
  if (slurm != nullptr && *slurm != '\0' && !GrantedCores())
    throw UsageError(std::string(kSlurmCores) + " = " + slurm + "; must be a whole number from 1, or not set");
}

}  // namespace auforge::tools
