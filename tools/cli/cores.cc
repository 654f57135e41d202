#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

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
  const double cores = std::strtod(quota.c_str(), nullptr) / period;
  return std::max(1, static_cast<int>(cores));
}

}  // namespace

int AvailableCores() {
  int cores = AffinityCores();
  cores = std::min(cores, QuotaCores(cores));
  if (const char* slurm = std::getenv("SLURM_CPUS_PER_TASK"); slurm != nullptr) {
    const int granted = std::atoi(slurm);
    if (granted > 0) cores = std::min(cores, granted);
  }
  return cores;
}

}  // namespace auforge::tools
