#include "tools/annotate/rank.h"

#include <cstdlib>
#include <optional>

#include "features/number.h"
#include "tools/cli/cli.h"

namespace auforge::tools {
namespace {

std::optional<int> Number(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  const auto value = features::ParseWhole(text, 0, 100'000'000);
  if (!value) throw UsageError(std::string(name) + " = " + text + "; must be a whole number from 0");
  return static_cast<int>(*value);
}

// An array 5-19:2 is tasks 5, 7, …: ours are counted from 0.
std::optional<Rank> FromSlurm() {
  const auto id = Number("SLURM_ARRAY_TASK_ID"), count = Number("SLURM_ARRAY_TASK_COUNT");
  if (!id || !count) return std::nullopt;
  const int first = Number("SLURM_ARRAY_TASK_MIN").value_or(0);
  const int step = std::max(1, Number("SLURM_ARRAY_TASK_STEP").value_or(1));
  return Rank{(*id - first) / step, *count, "Slurm array"};
}

std::optional<Rank> FromKubernetes(int count) {
  const auto index = Number("JOB_COMPLETION_INDEX");
  if (!index) return std::nullopt;
  const int all = count >= 0 ? count : Number("AUFORGE_COUNT").value_or(-1);
  if (all < 0) {
    throw UsageError(
        "JOB_COMPLETION_INDEX is set, but not how many there are; give --count or AUFORGE_COUNT the job's "
        "completions");
  }
  return Rank{*index, all, "Kubernetes"};
}

std::optional<Rank> FromOpenMpi() {
  const auto rank = Number("OMPI_COMM_WORLD_RANK"), size = Number("OMPI_COMM_WORLD_SIZE");
  if (!rank || !size) return std::nullopt;
  return Rank{*rank, *size, "OpenMPI"};
}

}  // namespace

Rank ResolveRank(int index, int count) {
  Rank rank;
  if (index >= 0) {
    if (count < 0) throw UsageError("--index without --count; how many processes share the work?");
    rank = {index, count, "options"};
  } else if (auto slurm = FromSlurm()) {
    rank = *slurm;
  } else if (auto kubernetes = FromKubernetes(count)) {
    rank = *kubernetes;
  } else if (auto mpi = FromOpenMpi()) {
    rank = *mpi;
  } else if (count > 1) {
    throw UsageError(
        "--count without --index, and no Slurm array, Kubernetes Indexed Job or OpenMPI tells it");
  }
  if (rank.count < 1 || rank.index >= rank.count) {
    throw UsageError("index " + std::to_string(rank.index) + " of " + std::to_string(rank.count) +
                     " processes; must be 0..count-1");
  }
  return rank;
}

}  // namespace auforge::tools
