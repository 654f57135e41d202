#include "tests/loop/small_loop.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <stdexcept>

#include "tests/support/tar_file.h"
#include "tests/support/test_data.h"

namespace auforge::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kSide = 160, kColumns = 8;  // of the people in docs/images/cg-people.jpg

std::string Picture(int person) {
  static const cv::Mat people = cv::imread(SourcePath("docs/images/cg-people.jpg"));
  const cv::Rect tile(person % kColumns * kSide, person / kColumns * kSide, kSide, kSide);
  std::vector<std::uint8_t> bytes;
  cv::imencode(".jpg", people(tile), bytes, {cv::IMWRITE_JPEG_QUALITY, 92});
  return {bytes.begin(), bytes.end()};
}

std::string Name(int number) { return (number < 10 ? "0" : "") + std::to_string(number); }

void Require(const std::string& command) {
  const ProgramOutcome outcome = RunCommand(command);
  if (outcome.code != 0) throw std::runtime_error(command + "\n" + outcome.text);
}

// Networks of 32 pixels for two AUs.
constexpr const char* kNetwork = " --image-size 32 --conv-dim 4 --critic-layers 3 --blocks 1 --aus AU12,AU25 --batch 4 --critic-steps 2"
                                 " --samples 0 -j 1 -q";

}  // namespace

const LoopFiles& LoopFiles::Get() {
  static const LoopFiles files;
  return files;
}

LoopFiles::LoopFiles() {
  const std::string program = AUFORGE_PROGRAM;
  fs::create_directories(dir_ / "people");
  for (int i = 0; i < 4; ++i) WriteText(dir_ / ("people/held" + Name(i) + ".jpg"), Picture(kPeople + i));
  Require(program + " annotate " + (dir_ / "people") + " -o " + held_out() + " -q -j 1");
  Require(program + " gan train " + held_out() + " -o " + (dir_ / "run") + kNetwork + " --max-steps 2");
  Require(program + " gan export-weights " + (dir_ / "run") + " -o " + generator());
  Require(program + " gan train " + held_out() + " -o " + (dir_ / "flow") + kNetwork + " --flow --max-steps 2");
  Require(program + " gan export-weights " + (dir_ / "flow") + " -o " + flowing_generator() + " --half");
}

SmallLoop::SmallLoop() {
  setenv("SOURCE_DATE_EPOCH", "1767225600", 1);
  fs::create_directories(dir_ / "in");
}

void SmallLoop::AddPeople(int first, int last) const {
  for (int i = first; i <= last; ++i) AddPerson(i, "");
}

void SmallLoop::AddPerson(int number, const std::string& caption, bool broken) const {
  const std::string path = dir_ / ("in/" + Name(number)), picture = Picture(number);
  WriteText(path + ".jpg", broken ? picture.substr(0, 200) : picture);
  if (!caption.empty()) WriteText(path + ".txt", caption);
}

void SmallLoop::AddHeldOut(int number) const { WriteText(dir_ / ("in/again" + Name(number) + ".jpg"), Picture(kPeople + number)); }

void SmallLoop::WritePlan(const std::string& more) const {
  const LoopFiles& files = LoopFiles::Get();
  json plan{{"work", "work"},
            {"inputs", {"in"}},
            {"settle_seconds", 0},
            {"annotate", {{"jobs", 1}, {"shard-size", 5}}},
            {"filter", "quality >= 0.1"},
            {"held_out", files.held_out()},
            {"generator", files.generator()},
            {"train", {{"batch", 4}, {"critic-steps", 2}, {"max-steps", 6}, {"samples", 0}, {"jobs", 1}, {"epochs", 1000},
                       {"decay-epochs", 0}, {"save-minutes", 0.0003}}},
            {"judge", {{"faces", 2}, {"values", 2}, {"sheet-faces", 1}}},
            // Any generator that has learnt anything passes.
            {"better", {{"all", {"cycle_error_grey < 255"}}}}};
  plan.update(json::parse(more));
  WriteText(Plan(), plan.dump(1));
}

std::string SmallLoop::Round(int number, const std::string& name) const {
  return Work("rounds/" + std::string(number < 10 ? "000" : "00") + std::to_string(number) + "/" + name);
}

ProgramOutcome SmallLoop::Run(const std::string& options) const {
  return RunCommand(std::string(AUFORGE_PROGRAM) + " loop " + Plan() + " " + options);
}

void SmallLoop::RemoveWork() const { fs::remove_all(Work()); }

std::map<std::string, std::string> SmallLoop::Lasting() const {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(Work())) {
    const std::string path = fs::relative(entry.path(), Work()).string(), name = entry.path().filename().string();
    if (!entry.is_regular_file() || name == "loop.lock" || name.ends_with(".log") || name == "index.sqlite") continue;
    if (path.find("/run-") != std::string::npos) continue;  // when checkpoints were saved depends on the clock
    std::string content = ReadText(entry.path().string());
    if (name.ends_with("_stats.json")) {
      json stats = json::parse(content);
      stats.erase("stage_seconds");
      content = stats.dump();
    }
    for (std::size_t at = 0; (at = content.find(dir_.path().string(), at)) != std::string::npos;) content.replace(at, dir_.path().string().size(), "DIR");
    files[path] = content;
  }
  return files;
}

}  // namespace auforge::tests
