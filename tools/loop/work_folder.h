// Where a loop keeps what it makes, and how it knows where it stopped.
//
//   WORK/generator.h5           the present generator; replaced by one rename
//   WORK/au-model.h5            the present AU model, once a round has promoted one; likewise
//   WORK/loop.html              the page of the newest round
//   WORK/loop.lock              held while a loop runs there
//   WORK/rounds/0001/           a round, there from the moment in which its inputs are chosen
//     round.json                what is done and what comes next; written after every step
//     inputs.json, inputs.list  what came in
//     shards/, training/        what annotate made of it, and what the filter left of that
//     parent.h5, candidate.h5   the generator it began with, and the one that it trained
//     decision.json, loop.html  what became of it
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace auforge::tools {

enum class Step : std::uint8_t { kAnnotator, kAnnotate, kFilter, kDrift, kTrain, kJudge, kDecide, kPage, kEnd };
std::string StepName(Step step);  // "annotate", …

struct RoundRecord {
  int number = 0;              // from 1
  std::string plan;            // digest of the plan with which it began
  std::string parent;          // digest of parent.h5; empty: there was no generator before
  std::string began;           // ISO 8601 UTC
  std::uint64_t inputs = 0;    // files that came in
  Step next = Step::kAnnotator;
  bool is_learnt_from = true;  // false: beyond the drift's bounds, or nothing passed the filter
  bool is_promoted = false;
  bool is_model_promoted = false;  // the AU model
  std::map<std::string, std::string> tickets;  // of jobs that a cluster has been given, by name
};

class WorkFolder {
 public:
  explicit WorkFolder(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  std::string RoundFolder(int number) const;
  std::string RoundFile(int number, const std::string& name) const { return RoundFolder(number) + "/" + name; }
  // In order; those whose folder has been removed are not there. Throws storage::BadContent naming a record that is none.
  std::vector<RoundRecord> Rounds() const;
  void Save(const RoundRecord& record) const { WriteRecord(RoundFile(record.number, "round.json"), record); }
  static void WriteRecord(const std::string& path, const RoundRecord& record);
  // Unfinished files that killed loops have left; only for who holds the lock.
  void RemoveLeftovers() const;
  // The number that a new round gets.
  int NextNumber() const;

 private:
  std::string path_;
};

// One file of the inputs, and what tells whether it is still the same.
struct InputFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970
  friend auto operator<=>(const InputFile&, const InputFile&) = default;
};
void WriteInputs(const std::string& path, const std::vector<InputFile>& inputs);
std::vector<InputFile> ReadInputs(const std::string& path);

// Held as long as the object lives; the system lets go of it however the process ends. Throws std::runtime_error saying who
// holds it and since when. Where files cannot be locked it holds nothing.
class WorkLock {
 public:
  explicit WorkLock(const std::string& path);
  ~WorkLock();
  WorkLock(const WorkLock&) = delete;
  WorkLock& operator=(const WorkLock&) = delete;

 private:
  int descriptor_;
};

// A second name for the same bytes, or a copy where that cannot be; whole or absent, and in one rename in the place of what
// is there.
void PlaceFile(const std::string& from, const std::string& to, bool may_link = true);
// SHA-256 of a file, hex.
std::string FileDigest(const std::string& path);
// Removes what a killed step has left, and gives the path back.
std::string Fresh(const std::string& path);
void RenameFolder(const std::string& from, const std::string& to);

}  // namespace auforge::tools
