// auforge-gan: trains GANimation on shards and edits faces with it. Users call it as `auforge gan …`.
#include "tools/gan/gan_commands.h"

int main(int argc, char** argv) {
  auforge::tools::Cli cli("auforge-gan", "Trains GANimation on AU-labelled shards and edits faces by AU.");
  auforge::tools::AddGanTrain(cli);
  auforge::tools::AddGanSheet(cli);
  auforge::tools::AddGanEdit(cli);
  auforge::tools::AddGanEditServer(cli);
  auforge::tools::AddGanEval(cli);
  auforge::tools::AddGanWeights(cli);
  return cli.Main(argc, argv);
}
