// What the commands that train nets share: options of the same meaning, progress, where a stopped training goes on from,
// the net's file. Options and Progress: those of annotator/net_training/train_*.h.
#pragma once

#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "datasets/storage/atomic_file.h"
#include "tools/cli/cli.h"
#include "tools/cli/progress.h"
#include "tools/cli/signals.h"

namespace auforge::tools {

// -o and --start-from. what: "the detector"; or_from: what else a training may start from.
template <typename Options>
void AddTrainingFiles(Command& command, const std::string& what, std::string& output, Options& options,
                      const std::string& or_from = "") {
  command.Add("-o,--output", output, what + "; FILE.state beside it is what a stopped training goes on from").Required();
  command.Add("--start-from", options.start_from, "begin with the weights of another training's FILE.state" + or_from + ", for a new round on more data");
}

template <typename Options>
void AddTrainingRates(Command& command, Options& options) {
  command.Add("--rate", options.rate, "AdamW's highest learning rate").Range(1e-12, 0.999);
  command.Add("--decay", options.decay, "AdamW's weight decay").Range(0, 9.999);
}

// How and where is trained, from --precision to --quiet.
template <typename Options>
void AddTrainingRun(Command& command, Options& options, std::string& precision, bool& quiet, const std::string& threads = "threads") {
  command.Add("--precision", precision, "of the convolutions").OneOf({"bf16", "fp32"});
  command.Add("--device", options.device, "where to compute").OneOf({"cpu", "cuda"});
  command.Add("--seed", options.seed, "of weights, order and augmentation");
  command.Add("--save-minutes", options.save_minutes, "between savings of the state").Range(1e-6, 1e5);
  command.Add("-j,--jobs", options.jobs, threads).Range(1, 1024);
  command.Flag("-q,--quiet", quiet, "no progress");
}

// FILE.state of the net FILE, after trying both paths, which comes before the work. Throws as RequireSeekableFile.
inline std::string StateBeside(const std::string& net) {
  datasets::storage::RequireSeekableFile(net, "a net with the state of its training beside it");
  const std::string state = net + ".state";
  datasets::storage::RequireSeekableFile(state, "the state of a training");
  return state;
}

// Before the work: what options say is checked, the files to write are tried.
template <typename Options>
void Prepare(Options& options, const std::string& precision, const std::string& output) {
  options.reduced = precision == "bf16";
  try {
    options.Validate();
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
  options.state = StateBeside(output);
}

// Trains with a line of progress until it is done or a signal stops it; then says how to go on. losses: of a Progress, as
// text behind the steps. train: takes what reports progress, and what asks whether to stop; gives a summary.
template <typename Progress, typename Losses, typename Train>
auto RunTraining(const std::string& command, const std::string& state, bool quiet, const Losses& losses, const Train& train) {
  InstallStopSignals();
  ProgressLine line(command, quiet);
  const auto report = [&](const Progress& p) {
    line.Update(static_cast<std::uint64_t>(p.step), static_cast<std::uint64_t>(p.steps), p.seconds, "steps", losses(p));
  };
  auto summary = train(report, [] { return StopSignal() != 0; });
  line.Finish();
  if (!summary.finished) std::cout << state << ": " << summary.steps << " steps; run the same command again to go on\n";
  return summary;
}

inline void WriteNet(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  datasets::storage::WriteFileAtomically(path, std::string(bytes.begin(), bytes.end()));
}

}  // namespace auforge::tools
