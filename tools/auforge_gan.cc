// auforge-gan: everything that needs LibTorch. Users call it as `auforge gan …` (GANimation), `auforge train-net`
// `auforge train-landmarks`, `auforge train-dense` and `auforge train-detector`.
#include "tools/cli/program_start.h"
#include "tools/gan/gan_commands.h"
#include "tools/net/net_commands.h"

int main(int argc, char** argv) {
  auforge::tools::FailWhenMemoryRunsOut();
  auforge::tools::Cli cli("auforge-gan", "Trains GANimation on AU-labelled shards and edits faces by AU.");
  auforge::tools::AddGanTrain(cli);
  auforge::tools::AddGanSheet(cli);
  auforge::tools::AddGanPairs(cli);
  auforge::tools::AddGanEdit(cli);
  auforge::tools::AddGanEditServer(cli);
  auforge::tools::AddGanEval(cli);
  auforge::tools::AddGanWeights(cli);
  auforge::tools::AddTrainNet(cli);
  auforge::tools::AddTrainLandmarks(cli);
  auforge::tools::AddTrainDense(cli);
  auforge::tools::AddTrainDetector(cli);
  auforge::tools::Leave(cli.Main(argc, argv));
}
