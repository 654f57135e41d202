// auforge gan train: shards in, a generator out; run again to go on.
#include <cstdio>
#include <iostream>
#include <memory>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/lineage.h"
#include "gan/trainer.h"
#include "gan/weights.h"
#include "tools/gan/au_request.h"
#include "tools/gan/gan_commands.h"
#include "tools/cli/lineage_option.h"
#include "tools/cli/progress.h"
#include "tools/cli/signals.h"

namespace auforge::tools {
namespace {

struct GanTrainArguments {
  gan::TrainOptions options;
  std::string critic_step = "summed";
  std::string losses = "code", precision = "fp32";
  std::string aus, lineage;
  double peer_timeout = 10;
  int critic_layers = 0;
  bool no_flip = false;
  bool quiet = false;
};

std::string Describe(const gan::TrainProgress& p) {
  const auto term = [&p](const char* name) {
    const auto found = p.terms.find(name);
    return found == p.terms.end() ? 0.0 : found->second;
  };
  char text[240];
  std::snprintf(text, sizeof(text),
                ", epoch %d, critic %.3f, AU real %.3f asked %.3f, cycle %.3f, answer %.3f, attention %.2f (%.2f..%.2f)",
                p.epoch, term("d_real") + term("d_fake"), term("d_cond"), term("g_masked_cond"),
                term("g_cyc"), term("g_pair_l1"), p.attention_mean, p.attention_low, p.attention_high);
  return text;
}

int RunGanTrain(GanTrainArguments& arguments) {
  gan::TrainOptions& options = arguments.options;
  options.critic_step =
      arguments.critic_step == "published" ? gan::CriticStep::kPublished : gan::CriticStep::kSummed;
  options.weights.form = arguments.losses == "paper" ? gan::LossForm::kPaper : gan::LossForm::kCode;
  options.precision = arguments.precision == "bf16"   ? gan::Precision::kBfloat16
                      : arguments.precision == "tf32" ? gan::Precision::kTf32
                                                      : gan::Precision::kFloat;
  options.network.critic_layers =
      arguments.critic_layers > 0 ? arguments.critic_layers : gan::UsualCriticLayers(options.network.image_size);
  if (!arguments.aus.empty()) options.schema = ParseAuList(arguments.aus);
  options.flip = !arguments.no_flip;
  options.processes = gan::RendezvousFromEnvironment();
  options.processes.timeout_minutes = arguments.peer_timeout;
  options.lineage = datasets::storage::ReadLineageFile(arguments.lineage);
  InstallStopSignals();
  datasets::storage::RequireOutputFolder(options.run);
  ProgressLine line("gan train", arguments.quiet || options.processes.rank != 0);
  const auto report = [&line](const gan::TrainProgress& p) {
    line.Update(static_cast<std::uint64_t>(p.step), static_cast<std::uint64_t>(p.steps_expected), p.seconds,
                "steps", Describe(p));
  };
  const auto warn = [&line](const std::string& text) {
    line.Finish();
    std::cerr << "gan train: " << text << "\n";
  };
  const gan::TrainSummary summary = gan::Train(options, report, warn, [] { return StopSignal() != 0; });
  line.Finish();
  if (options.processes.rank != 0) return kDone;
  std::cout << summary.checkpoint << ": " << summary.steps << " steps, " << Duration(summary.seconds)
            << (summary.finished ? "" : "; run the same command again to go on") << "\n";
  return kDone;
}

}  // namespace

void AddGanTrain(Cli& cli) {
  auto arguments = std::make_shared<GanTrainArguments>();
  gan::TrainOptions& o = arguments->options;
  o.jobs = AvailableCores();
  Command command = cli.Add(
      "train", "Train GANimation on shards; run again to go on",
      "auforge gan train shards/ -o run/\n"
      "  auforge gan train shards/ -o small/ --image-size 64 --conv-dim 16 --batch 8 --max-minutes 30\n"
      "  auforge gan train photos/ --pairs pairs/ -o run/ --paired-only-steps 2000 --unsure-label 0.2\n"
      "  auforge gan train fresh-labels/ -o run2/ --start-from run/");
  command.Positional("DIR", o.shards, "shards or folders of them; may be left out with --pairs");
  command.Add("--pairs", o.pairs, "shards of 'gan pairs' or 'synth faces --expressions K', whose faces are told the answer");
  command.Add("--paired-weight", o.weights.paired, "of the L1 to the answer; 0: pairs are faces like all others").Range(0, 1e6);
  command.Add("--answer-focus", o.weights.focus, "of L1 and attention over where the picture changes, e.g. 0.1: small changes count as large ones").Range(0, 1e6);
  command.Add("--feature-weight", o.weights.feature, "of the critic's activations for the answer").Range(0, 1e6);
  command.Add("--attention-weight", o.weights.attention, "of the attention to where face and answer differ").Range(0, 1e6);
  command.Flag("--flow", o.network.flow,
               "the generator also says where pixels come from, and paints what moving them does not give; for --pairs");
  command.Add("--flow-weight", o.weights.flow, "of the L1 of the moved face alone to the answer").Range(0, 1e6);
  command.Add("--flow-smoothness", o.weights.flow_smooth, "of the flow's change from pixel to pixel").Range(0, 1e6);
  command.Add("--photo-share", o.photo_share, "of each batch that is faces of DIR, when there are pairs").Range(0, 0.999);
  command.Add("--paired-only-steps", o.paired_only_steps,
              "so many first steps learn from the answers alone, without the critic: cheap, and far").Range(0, 1e15);
  command
      .Add("--unsure-label", o.unsure_label,
           "what a label counts of which the annotator is wholly unsure; 1: all count alike")
      .Range(0, 1);
  command.Add("-o,--output", o.run, "the run's folder: checkpoints and metrics").Required();
  command.Add(
      "--start-from", o.start_from,
      "begin with the weights of another run or file (same AUs and networks), optimisers fresh; a run "
      "that has a checkpoint goes on from that");
  AddLineage(command, arguments->lineage);
  command.Add("--image-size", o.network.image_size, "side of the faces, pixels: 32, 64, 128, 256 or 512").Range(32, 512);
  command.Add("--conv-dim", o.network.conv_dim, "channels of the first layers; cost grows with the square")
      .Range(4, 256);
  command.Add("--aus", arguments->aus,
              "what the generator is told, e.g. AU1,AU2,AU12; default: the published 17");
  command.Add("--critic-layers", arguments->critic_layers, "strided layers of the critic; 0: 6, or what --image-size has room for")
      .Range(0, 9);
  command.Add("--blocks", o.network.generator_blocks, "residual blocks of the generator").Range(1, 16);
  command.Add("--batch", o.batch, "faces a step, of all processes together").Range(1, 4096);
  command.Add("--epochs", o.epochs, "passes over the faces").Range(1, 1'000'000);
  command.Add("--decay-epochs", o.decay_epochs, "the rate falls over the last ones").Range(0, 1'000'000);
  command.Add("--rate", o.adam.rate, "Adam's learning rate").Range(1e-12, 1e30);
  command.Add("--critic-steps", o.critic_steps, "critic updates for one generator update").Range(1, 100);
  command
      .Add("--critic-step", arguments->critic_step, "one Adam step on loss + penalty, or the published two")
      .OneOf({"summed", "published"});
  command.Add("--losses", arguments->losses, "as the published code or the paper writes them")
      .OneOf({"code", "paper"});
  command
      .Add("--precision", arguments->precision,
           "of the convolutions; fp32 is exact, bf16 several times faster where the machine has it; tf32, on a GPU alone, "
           "rounds the factors of fp32 products to 10 bits")
      .OneOf({"fp32", "tf32", "bf16"});
  command.Add("--average", o.average, "decay of the averaged generator that edits use, e.g. 0.999; 0: none")
      .Range(0, 0.999999);
  command.Flag("--published-scaling", o.weights.published_scaling,
               "AU and smoothness weights that depend on the batch size");
  command.Add("--lambda-au", o.weights.au, "weight of the AU regression").Range(0, 1e6);
  command.Add("--lambda-cycle", o.weights.cycle, "weight of the way back").Range(0, 1e6);
  command.Add("--lambda-mask", o.weights.mask, "weight of the mean attention").Range(0, 1e6);
  command.Add("--lambda-smooth", o.weights.smooth, "weight of the attention's variation").Range(0, 1e6);
  command.Add("--lambda-penalty", o.weights.penalty, "weight of the gradient penalty").Range(0, 1e6);
  command.Add("--target-noise", o.target_noise, "on the AUs asked for").Range(0, 1);
  command.Add("--min-quality", o.min_quality, "leave out faces of lower quality").Range(0, 1);
  command.Add("--colour-cast", o.colour_cast,
              "each colour of each face, and of its answer alike, brighter or darker by up to so much, e.g. 0.3: for photos in any light").Range(0, 0.9);
  command.Flag("--no-flip", arguments->no_flip, "no mirrored faces");
  command.Add("--seed", o.seed, "of weights, order and noise");
  command.Add("-j,--jobs", o.jobs, "threads").Range(1, 1024);
  command.Add("--max-minutes", o.max_minutes, "stop after this long, with a checkpoint").Range(0, 1e7);
  command.Add("--max-steps", o.max_steps, "stop after this many steps (critic updates) in all").Range(0, 1e15);
  command.Add("--save-minutes", o.save_minutes, "between checkpoints").Range(1e-6, 1e5);
  command.Add("--keep", o.keep, "checkpoints kept, besides best.h5").Range(1, 1000);
  command.Add("--samples", o.samples, "faces of the sheet drawn with every checkpoint; 0: none")
      .Range(0, 100);
  command.Add("--device", o.device, "where to compute").OneOf({"cpu", "cuda"});
  command
      .Add("--data-on-device", o.data_on_device,
           "decode all faces once and keep them there as bytes; auto: on a GPU, when they take less than half of its free memory")
      .OneOf({"auto", "yes", "no"});
  command
      .Add("--peer-timeout", arguments->peer_timeout,
           "minutes after which a silent process is taken for dead")
      .Range(0.01, 1440);
  command.Flag("-q,--quiet", arguments->quiet, "no progress");
  command.Run([arguments] { return RunGanTrain(*arguments); });
}

}  // namespace auforge::tools
