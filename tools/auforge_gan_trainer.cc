// auforge-gan without the annotator (AUFORGE_ANNOTATOR=OFF): the commands that train and pass weights on.
#include "tools/cli/program_start.h"
#include "tools/gan/gan_commands.h"

int main(int argc, char** argv) {
  auforge::tools::FailWhenMemoryRunsOut();
  auforge::tools::Cli cli("auforge-gan", "Trains GANimation on AU-labelled shards.");
  auforge::tools::AddGanTrain(cli);
  auforge::tools::AddGanWeights(cli);
  auforge::tools::Leave(cli.Main(argc, argv));
}
