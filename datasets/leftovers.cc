#include "datasets/leftovers.h"

#include <sys/types.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <system_error>

#include "features/number.h"

namespace auforge::datasets {

namespace fs = std::filesystem;

namespace {

// Of which shard a file is that was not finished; nothing of other files.
std::optional<int> ShardOfTemporary(const std::string& name) {
  const std::size_t digits = name.find_first_not_of("0123456789");
  if (digits < 5 || digits == std::string::npos || digits > 9) return std::nullopt;
  const std::string rest = name.substr(digits);
  const bool is_ours = rest.starts_with(".h5.tmp.") || rest.starts_with("_stats.json.tmp.") ||
                       rest.starts_with("_errors.jsonl.tmp.");
  const auto index = features::ParseWhole(name.substr(0, digits), 0, 999'999'999);
  if (!is_ours || !index) return std::nullopt;
  return static_cast<int>(*index);
}

// What has died writes nothing any more, even where nobody has asked for its status yet: parents that were killed do not.
bool IsZombie(std::int64_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  const std::size_t name = text.rfind(')');  // may hold anything
  return name != std::string::npos && name + 2 < text.size() && (text[name + 2] == 'Z' || text[name + 2] == 'X');
}

// Whether the process that is named by a temporary file (storage::TemporaryName: ".tmp.[JOB_]PID.RESTART") lives on this
// machine: an orphan of the same job may still be writing. Of another machine's nothing is known.
bool HasLivingWriter(const std::string& name) {
  const std::size_t end = name.rfind('.');
  if (end == std::string::npos || end == 0) return false;
  const std::size_t begin = name.find_last_of("._", end - 1);
  if (begin == std::string::npos) return false;
  const auto pid = features::ParseWhole(name.substr(begin + 1, end - begin - 1), 1, std::numeric_limits<pid_t>::max());
  return pid && (kill(static_cast<pid_t>(*pid), 0) == 0 || errno == EPERM) && !IsZombie(*pid);
}

}  // namespace

Leftovers::Leftovers(const std::string& folder) {
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (const auto index = ShardOfTemporary(name); index && !HasLivingWriter(name)) files_.emplace(*index, entry->path());
  }
}

std::string FileInWork(const std::string& folder) {
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (ShardOfTemporary(name) && HasLivingWriter(name)) return name;
  }
  return "";
}

void Leftovers::Remove(int shard_index) {
  const auto [first, last] = files_.equal_range(shard_index);
  std::error_code ignored;
  for (auto it = first; it != last; ++it) fs::remove(it->second, ignored);
  files_.erase(first, last);
}

}  // namespace auforge::datasets
