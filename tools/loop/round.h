// One round of a loop, step by step. Every step may be killed at any moment: what it makes is put in place whole, and it is
// done again unless the record says that it is done.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "tools/loop/engine.h"
#include "tools/loop/plan.h"
#include "tools/loop/work_folder.h"

namespace auforge::tools {

// A signal asked the loop to end; the same command goes on.
struct LoopStopped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What became of a round.
struct Decision {
  bool is_promoted = false;
  std::vector<std::string> reasons;  // a sentence each
  Verdict verdict;                   // no conditions where nothing was judged
  Figures old, fresh;                // of `gan eval`
  std::string generator;             // digest of the candidate; empty: none was trained
};
std::string ToJson(const Decision& decision);
Decision DecisionFromJson(const std::string& text, const std::string& path);

class Round {
 public:
  Round(const LoopPlan& plan, const WorkFolder& work, Engine& engine, RoundRecord record, bool quiet)
      : plan_(plan), work_(work), engine_(engine), record_(std::move(record)), quiet_(quiet) {}

  // Makes the folder of a round of these inputs. The generator that it begins with is put aside there, so that what is
  // promoted meanwhile changes nothing.
  static RoundRecord Begin(const LoopPlan& plan, const WorkFolder& work, const std::vector<InputFile>& inputs, bool quiet);

  // Does the steps up to and with `last`. Throws LoopStopped, and what a command that failed stands for: UsageError,
  // BadInputError or std::runtime_error naming the step, the round and the log.
  void RunUntil(Step last);
  const RoundRecord& record() const { return record_; }

 private:
  std::string File(const std::string& name) const { return work_.RoundFile(record_.number, name); }
  std::string Name() const { return "round " + std::to_string(record_.number); }
  void Say(const std::string& text) const;
  void RunStep();
  Job JobOf(const std::string& name, std::vector<std::string> arguments, int tasks = 1) const;
  void Run(const std::vector<Job>& jobs);

  void RefitAnnotator();
  bool JudgeAnnotator();
  void RelabelEarlier();
  void Annotate();
  void Filter();
  void RequireNoOverlap(const std::vector<std::string>& folders) const;
  void Drift();
  void Train();
  void Judge();
  void Decide();
  void DrawPage();

  std::vector<RoundRecord> EarlierLearnt() const;
  std::vector<std::string> TrainingFolders() const;
  std::vector<std::string> NetworkOptions() const;
  void WriteLineage(const std::string& name, const std::string& parent, const std::vector<std::string>& files) const;

  const LoopPlan& plan_;
  const WorkFolder& work_;
  Engine& engine_;
  RoundRecord record_;
  bool quiet_;
};

}  // namespace auforge::tools
