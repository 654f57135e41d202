// auforge relabel: shards that an older AU model has labelled get the labels of another one, without their images.
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "datasets/storage/temporary_files.h"
#include "pipeline/relabel.h"
#include "tools/commands.h"
#include "tools/cli/progress.h"
#include "tools/cli/signals.h"
#include "tools/cli/stop_deadline.h"

namespace auforge::tools {
namespace {

struct RelabelArguments {
  pipeline::RelabelOptions options;
  bool quiet = false;
  bool json = false;
};

// Shards of which a part was done are dropped anyway.
constexpr std::chrono::milliseconds kStopGrace{2000};

nlohmann::json ToJson(const pipeline::RelabelSummary& summary) {
  return {{"faces", summary.faces},
          {"shards_written", summary.shards_written},
          {"shards_left", summary.shards_left},
          {"shards_damaged", summary.damaged.size()},
          {"shards_unread", summary.unread.size()},
          {"model_digest", summary.model_digest},
          {"seconds", summary.seconds},
          {"stopped", summary.stopped}};
}

void PrintSummary(const pipeline::RelabelSummary& summary, const std::string& output) {
  const std::string model = "AU model " + summary.model_digest.substr(0, 16);
  if (summary.shards_written == 0 && summary.shards_left > 0 && !summary.stopped) {
    std::cout << "nothing to do: " << summary.shards_left << " shards have the labels of " << model << " already\n";
    return;
  }
  std::cout << summary.faces << " faces in " << Duration(summary.seconds) << " ("
            << static_cast<int>(static_cast<double>(summary.faces) / std::max(1e-9, summary.seconds) + 0.5) << " faces/s)\n"
            << summary.shards_written << " shards labelled by " << model << (output.empty() ? "" : " in " + output);
  if (summary.shards_left > 0) std::cout << ", " << summary.shards_left << " had its labels already";
  std::cout << "\n";
  if (summary.stopped) std::cout << "stopped early; run the same command again to go on\n";
}

int RunRelabel(RelabelArguments& arguments) {
  InstallStopSignals();
  const StopDeadline deadline(kStopGrace, [] {
    datasets::storage::RemoveTemporaryFiles();
    std::fputs("auforge: stopped; run the same command again to go on\n", stderr);
  });
  ProgressLine line("relabel", arguments.quiet);
  const auto report = [&line](const pipeline::RelabelProgress& p) {
    line.Update(p.faces, p.faces_expected, p.seconds, "faces",
                ", " + std::to_string(p.shards) + " of " + std::to_string(p.shards_expected) + " shards");
  };
  arguments.options.notice = [&line](const std::string& text) {
    line.Finish();
    std::cerr << "relabel: " << text << "\n";
  };
  const pipeline::RelabelSummary summary =
      pipeline::Relabel(arguments.options, report, [] { return StopSignal() != 0; });
  line.Finish();
  for (const auto* lines : {&summary.damaged, &summary.unread}) {
    for (const std::string& text : *lines) std::cerr << "relabel: " << text << "\n";
  }
  if (arguments.json) {
    std::cout << ToJson(summary).dump() << "\n";
  } else {
    PrintSummary(summary, arguments.options.output);
  }
  if (!summary.damaged.empty()) return kBadInput;
  return summary.unread.empty() ? kDone : kFailed;
}

}  // namespace

void AddRelabel(Cli& cli) {
  auto arguments = std::make_shared<RelabelArguments>();
  pipeline::RelabelOptions& options = arguments->options;
  options.jobs = AvailableCores();
  Command command = cli.Add("relabel", "Label shards again with another AU model, from their crops and landmarks",
                            "auforge relabel shards/ --model new.h5\n"
                            "  auforge relabel shards/ --model new.h5 -o relabelled/");
  command.Positional("SHARD", options.shards, "shard files or folders, labelled by another AU model").Required();
  command.Add("--model", options.model, "AU model; default: the one that comes with auforge");
  command.Add("-o,--output,--out", options.output,
              "folder for the newly labelled shards; default: each shard is replaced. Run again to go on");
  command.Add("-j,--jobs,--threads", options.jobs, "threads").Range(1, 1024);
  command.Flag("--json", arguments->json, "print the summary as JSON");
  command.Flag("-q,--quiet", arguments->quiet, "no progress");
  command.Run([arguments] { return RunRelabel(*arguments); });
}

}  // namespace auforge::tools
