#include "tools/cli/memory.h"

#include <sys/resource.h>

#include <algorithm>

namespace auforge::tools {
MemoryLimit FindMemoryLimit() {
  rlimit space{}, data{};
  if (getrlimit(RLIMIT_AS, &space) != 0) space.rlim_cur = RLIM_INFINITY;
  if (getrlimit(RLIMIT_DATA, &data) != 0) data.rlim_cur = RLIM_INFINITY;
  const rlim_t least = std::min(space.rlim_cur, data.rlim_cur);
  if (least == RLIM_INFINITY) return {};
  return {static_cast<unsigned long>(least / 1024), space.rlim_cur <= data.rlim_cur ? 'v' : 'd'};
}

std::string OutOfMemoryText() {
  const MemoryLimit limit = FindMemoryLimit();
  if (limit.kilobytes == 0) return "out of memory; use fewer --jobs, or a machine with more";
  return "out of memory: the process may use " + std::to_string(limit.kilobytes) + " KB (ulimit -" + limit.letter +
         "); raise the limit, or use fewer --jobs";
}

}  // namespace auforge::tools
