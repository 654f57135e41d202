#include "tools/loop/work_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "datasets/creation_time.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/paths.h"
#include "datasets/storage/temporary_files.h"
#include "features/number.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
namespace storage = datasets::storage;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kRecordFormat = "auforge-loop-round 1";
constexpr int kDigits = 4;

constexpr const char* kStepNames[] = {"annotator", "annotate", "filter", "drift", "train", "judge", "decide", "page", "end"};

Step StepOf(const std::string& name, const std::string& path) {
  for (std::size_t i = 0; i < std::size(kStepNames); ++i) {
    if (name == kStepNames[i]) return static_cast<Step>(i);
  }
  throw storage::BadContent(path + ": names a step \"" + name + "\" that this program does not know");
}

RoundRecord ReadRecord(const std::string& path) {
  const json j = json::parse(storage::ReadFile(path), nullptr, false);
  if (!j.is_object() || j.value("format", "") != kRecordFormat)
    throw storage::BadContent(path + ": is no record of a round; remove its folder to begin the round anew");
  try {
    RoundRecord record;
    record.number = j.at("round").get<int>();
    record.plan = j.at("plan").get<std::string>();
    record.parent = j.at("parent").get<std::string>();
    record.began = j.at("began").get<std::string>();
    record.inputs = j.at("inputs").get<std::uint64_t>();
    record.next = StepOf(j.at("next").get<std::string>(), path);
    record.is_learnt_from = j.at("learnt_from").get<bool>();
    record.is_promoted = j.at("promoted").get<bool>();
    record.is_model_promoted = j.at("model_promoted").get<bool>();
    record.tickets = j.at("jobs").get<std::map<std::string, std::string>>();
    return record;
  } catch (const json::exception& error) {
    throw storage::BadContent(path + ": is damaged (" + error.what() + "); remove its folder to begin the round anew");
  }
}

// 0: its name is none of a round.
int NumberOf(const std::string& folder) {
  const std::string name = fs::path(folder).filename().string();
  const bool is_number = name.size() >= kDigits && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? static_cast<int>(features::ParseCount(name, 1'000'000'000).value_or(0)) : 0;
}

std::string Host() {
  char name[HOST_NAME_MAX + 1] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "an unknown host";
}

// To the disk; where that cannot be told to, the system does it some day.
void Flush(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  fsync(file);
  close(file);
}

}  // namespace

std::string StepName(Step step) { return kStepNames[static_cast<std::size_t>(step)]; }

std::string WorkFolder::RoundFolder(int number) const {
  std::string name = std::to_string(number);
  if (name.size() < kDigits) name.insert(0, kDigits - name.size(), '0');
  return path_ + "/rounds/" + name;
}

std::vector<RoundRecord> WorkFolder::Rounds() const {
  std::vector<RoundRecord> rounds;
  if (!storage::IsThere(path_ + "/rounds")) return rounds;
  for (const std::string& folder : storage::FolderEntries(path_ + "/rounds")) {
    const int number = NumberOf(folder);
    if (number == 0) continue;
    rounds.push_back(ReadRecord(folder + "/round.json"));
    if (rounds.back().number != number)
      throw storage::BadContent(folder + "/round.json: is of round " + std::to_string(rounds.back().number) + "; the folder was renamed");
  }
  std::sort(rounds.begin(), rounds.end(), [](const RoundRecord& a, const RoundRecord& b) { return a.number < b.number; });
  return rounds;
}

void WorkFolder::RemoveLeftovers() const {
  std::vector<std::string> folders{path_, path_ + "/rounds"};
  for (const RoundRecord& round : Rounds()) {
    // Jobs of a cluster may be writing there still.
    if (round.next != Step::kEnd && round.tickets.empty()) folders.push_back(RoundFolder(round.number));
  }
  for (const std::string& folder : folders) {
    for (const std::string& entry : storage::FolderEntries(folder)) {
      const std::string name = fs::path(entry).filename().string();
      if (name.find(".tmp") != std::string::npos || name.starts_with(storage::kOwnPrefix)) Fresh(entry);
    }
  }
}

int WorkFolder::NextNumber() const {
  const std::vector<RoundRecord> rounds = Rounds();
  return rounds.empty() ? 1 : rounds.back().number + 1;
}

void WorkFolder::WriteRecord(const std::string& path, const RoundRecord& r) {
  const ordered_json j{{"format", kRecordFormat}, {"round", r.number},          {"plan", r.plan},
                       {"parent", r.parent},      {"began", r.began},           {"inputs", r.inputs},
                       {"next", StepName(r.next)}, {"learnt_from", r.is_learnt_from}, {"promoted", r.is_promoted},
                       {"model_promoted", r.is_model_promoted},
                       {"jobs", r.tickets}};
  storage::WriteFileAtomically(path, j.dump(1) + "\n");
}

void WriteInputs(const std::string& path, const std::vector<InputFile>& inputs) {
  ordered_json list = ordered_json::array();
  for (const InputFile& file : inputs) list.push_back({{"path", file.path}, {"bytes", file.bytes}, {"modified", file.modified}});
  storage::WriteFileAtomically(path, list.dump(0, ' ', false, json::error_handler_t::replace) + "\n");
}

std::vector<InputFile> ReadInputs(const std::string& path) {
  const json list = json::parse(storage::ReadFile(path), nullptr, false);
  if (!list.is_array()) throw storage::BadContent(path + ": is no list of inputs; remove the round's folder to begin it anew");
  std::vector<InputFile> inputs;
  try {
    for (const json& file : list)
      inputs.push_back({file.at("path").get<std::string>(), file.at("bytes").get<std::uint64_t>(), file.at("modified").get<std::int64_t>()});
  } catch (const json::exception&) {
    throw storage::BadContent(path + ": is damaged; remove the round's folder to begin it anew");
  }
  return inputs;
}

WorkLock::WorkLock(const std::string& path) : descriptor_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) throw std::runtime_error(path + ": cannot be opened: " + std::strerror(errno));
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return;  // a file system without locks
    char holder[256] = {};
    const ssize_t length = read(descriptor_, holder, sizeof(holder) - 1);
    close(descriptor_);
    std::string who(holder, length > 0 ? static_cast<std::size_t>(length) : 0);
    while (who.ends_with('\n')) who.pop_back();
    throw std::runtime_error(fs::path(path).parent_path().string() + ": another auforge loop works there: " +
                             (who.empty() ? "it has just begun" : who) + "; wait for it, or stop it");
  }
  const std::string who = "process " + std::to_string(getpid()) + " on " + Host() + " since " + datasets::CreationTime() + "\n";
  // Only for people to read: a disk that is full takes nothing from the lock.
  if (ftruncate(descriptor_, 0) == 0) [[maybe_unused]] const ssize_t wrote = write(descriptor_, who.data(), who.size());
}

WorkLock::~WorkLock() { close(descriptor_); }

void PlaceFile(const std::string& from, const std::string& to, bool may_link) {
  storage::TemporaryFile fresh(storage::TemporaryName(to));
  std::error_code error;
  fs::remove(fresh.path(), error);
  error = std::make_error_code(std::errc::not_supported);
  if (may_link) fs::create_hard_link(from, fresh.path(), error);
  if (error) {
    error.clear();
    fs::copy_file(from, fresh.path(), fs::copy_options::overwrite_existing, error);
  }
  if (error) throw std::runtime_error(to + ": cannot be made of " + from + ": " + error.message());
  Flush(fresh.path());
  if (std::rename(fresh.path().c_str(), to.c_str()) != 0)
    throw std::runtime_error(to + ": cannot be replaced: " + std::strerror(errno));
  // Not released: of two names of one file, as after a kill behind this line, renaming takes neither away.
  Flush(fs::path(to).parent_path().string());
}

std::string FileDigest(const std::string& path) { return storage::Sha256Hex(storage::ReadFile(path)); }

std::string Fresh(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) throw std::runtime_error(path + ": cannot be removed: " + error.message());
  return path;
}

void RenameFolder(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0)
    throw std::runtime_error(to + ": cannot be made of " + from + ": " + std::strerror(errno));
}

}  // namespace auforge::tools
