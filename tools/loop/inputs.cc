#include "tools/loop/inputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <set>
#include <stdexcept>

#include "datasets/image_source.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/paths.h"

namespace auforge::tools {
namespace {

namespace storage = datasets::storage;

// What is there of one input: itself, or some of what its braces stand for.
std::vector<std::string> ThereOf(const std::string& input) {
  const std::string path = input.starts_with('@') ? input.substr(1) : input;
  if (storage::IsThere(path)) return {input};
  std::vector<std::string> there;
  if (path == input) {
    for (const std::string& one : datasets::ExpandBraces(input)) {
      if (storage::Exists(one)) there.push_back(one);
    }
  }
  return there;
}

InputFile StateOf(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return {path};
  return {path, static_cast<std::uint64_t>(status.st_size),
          static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec};
}

// Every file that would be read.
std::set<std::string> FilesOf(const LoopPlan& plan) {
  std::vector<std::string> there;
  for (const std::string& input : plan.inputs) {
    const std::vector<std::string> found = ThereOf(input);
    there.insert(there.end(), found.begin(), found.end());
  }
  if (there.empty()) throw std::runtime_error(plan.inputs.front() + ": nothing of the plan's \"inputs\" is there");
  std::set<std::string> files;
  try {
    const datasets::ImageSource source = datasets::ImageSource::Plan(there, {.shard_size = 1});
    for (const datasets::InputShard& shard : source.Shards()) files.insert(source.Files(shard).front());
  } catch (const storage::BadContent&) {
    // Folders in which no image is yet.
  }
  return files;
}

}  // namespace

NewInputs FindNewInputs(const LoopPlan& plan, const WorkFolder& work) {
  std::set<InputFile> known;
  for (const RoundRecord& round : work.Rounds()) {
    for (InputFile& file : ReadInputs(work.RoundFile(round.number, "inputs.json"))) known.insert(std::move(file));
  }
  const auto settled = (static_cast<double>(std::time(nullptr)) - plan.settle_seconds) * 1e9;
  NewInputs found;
  for (const std::string& path : FilesOf(plan)) {
    InputFile file = StateOf(path);
    if (known.contains(file)) {
      ++found.known;
    } else if (plan.settle_seconds > 0 && static_cast<double>(file.modified) > settled) {
      ++found.young;
    } else {
      found.files.push_back(std::move(file));
    }
  }
  return found;
}

}  // namespace auforge::tools
