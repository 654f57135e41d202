// auforge loop: from what a crawl has brought since the last time to a generator that is better, or stays as it is.
#include <iostream>
#include <memory>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/paths.h"
#include "tools/cli/signals.h"
#include "tools/commands.h"
#include "tools/loop/inputs.h"
#include "tools/loop/round.h"

namespace auforge::tools {
namespace {

namespace storage = datasets::storage;

struct LoopArguments {
  std::string plan, until = "end";
  bool is_new = false, dry_run = false, quiet = false;
};

// Inputs that --dry-run names.
constexpr std::size_t kNamed = 5;

Step LastStep(const std::string& until) {
  if (until == "annotate") return Step::kAnnotate;
  if (until == "filter") return Step::kDrift;
  if (until == "train") return Step::kTrain;
  if (until == "judge") return Step::kJudge;
  return Step::kPage;
}

std::string Said(const NewInputs& found) {
  std::string text = std::to_string(found.files.size()) + " new files, " + std::to_string(found.known) + " known ones";
  if (found.young > 0) text += ", " + std::to_string(found.young) + " that may be growing still and are left for the next time";
  return text;
}

int WriteExample(const std::string& path) {
  if (storage::IsThere(path)) throw UsageError(path + ": is there already; name a new file");
  storage::RequireOutputFile(path);
  storage::WriteFileAtomically(path, ExamplePlan());
  std::cout << path << ": an example; change it, then run auforge loop " << path << "\n";
  return kDone;
}

// The round that is not at its end; nullptr where there is none.
std::unique_ptr<RoundRecord> Unfinished(const WorkFolder& work) {
  const std::vector<RoundRecord> rounds = work.Rounds();
  if (rounds.empty() || rounds.back().next == Step::kEnd) return nullptr;
  return std::make_unique<RoundRecord>(rounds.back());
}

int DryRun(const LoopPlan& plan, const WorkFolder& work, Step last) {
  if (const auto open = Unfinished(work)) {
    std::cout << "round " << open->number << " would go on with " << StepName(open->next) << "\n";
    return kDone;
  }
  const NewInputs found = FindNewInputs(plan, work);
  std::cout << Said(found) << "\n";
  for (std::size_t i = 0; i < std::min(kNamed, found.files.size()); ++i) std::cout << "  " << found.files[i].path << "\n";
  if (found.files.size() > kNamed) std::cout << "  …\n";
  if (found.files.empty()) {
    std::cout << "nothing would be done\n";
    return kDone;
  }
  std::cout << "round " << work.NextNumber() << " would begin in " << work.RoundFolder(work.NextNumber()) << ":";
  for (int step = 0; step <= static_cast<int>(last); ++step) std::cout << " " << StepName(static_cast<Step>(step));
  std::cout << "\n";
  return kDone;
}

int RunLoop(const LoopArguments& arguments) {
  if (arguments.is_new) return WriteExample(arguments.plan);
  InstallStopSignals();
  const LoopPlan plan = ReadPlan(arguments.plan);
  CheckPlan(plan);
  const WorkFolder work(plan.work);
  const Step last = LastStep(arguments.until);
  if (arguments.dry_run) return DryRun(plan, work, last);
  const std::unique_ptr<Engine> engine = MakeEngine(plan, arguments.quiet);
  engine->Check();
  storage::MakeFolder(work.File("rounds"));
  const WorkLock lock(work.File("loop.lock"));
  work.RemoveLeftovers();
  try {
    RoundRecord record;
    if (const auto open = Unfinished(work)) {
      record = *open;
      if (!arguments.quiet) std::cerr << "round " << record.number << ": goes on with " << StepName(record.next) << "\n";
      if (record.plan != plan.digest && !arguments.quiet)
        std::cerr << "round " << record.number << ": the plan has changed since it began; steps that are done stay as they are\n";
    } else {
      const NewInputs found = FindNewInputs(plan, work);
      if (found.files.empty()) {
        std::cout << "nothing to do: " << Said(found) << "\n";
        return kDone;
      }
      if (!arguments.quiet) std::cerr << "round " << work.NextNumber() << ": " << Said(found) << "\n";
      record = Round::Begin(plan, work, found.files, arguments.quiet);
    }
    Round round(plan, work, *engine, record, arguments.quiet);
    round.RunUntil(last);
    const RoundRecord& now = round.record();
    std::cout << "round " << now.number << ": ";
    if (now.next != Step::kEnd) {
      std::cout << "done up to " << arguments.until << "; without --until it goes on with " << StepName(now.next) << "\n";
    } else {
      std::cout << (now.is_promoted ? "promoted to " + work.File("generator.h5") : now.is_learnt_from ? "not better, kept aside" : "set aside")
                << "; " << work.File("loop.html") << "\n";
    }
  } catch (const LoopStopped& stopped) {
    std::cerr << stopped.what() << "; run the same command again to go on\n";
  }
  return kDone;
}

}  // namespace

void AddLoop(Cli& cli) {
  auto arguments = std::make_shared<LoopArguments>();
  Command command = cli.Add("loop", "Annotate what is new, train on it, and promote the generator that is better; again and again",
                            "auforge loop --new plan.json\n"
                            "  auforge loop plan.json\n"
                            "  auforge loop plan.json --until annotate");
  command.Positional("PLAN", arguments->plan, "the plan, a JSON file (docs/loop.md)").Required();
  command.Flag("--new", arguments->is_new, "write an example with comments to PLAN");
  command.Add("--until", arguments->until, "the last step; the same command without it goes on")
      .OneOf({"annotate", "filter", "train", "judge", "end"});
  command.Flag("--dry-run", arguments->dry_run, "say what would be done, and write nothing");
  command.Flag("-q,--quiet", arguments->quiet, "no progress");
  command.Run([arguments] { return RunLoop(*arguments); });
}

}  // namespace auforge::tools
