// auforge: from a crawl of images to AU-labelled training shards.
#include "tools/cli/program_start.h"
#include "tools/commands.h"

int main(int argc, char** argv) {
  auforge::tools::FailWhenMemoryRunsOut();
  auforge::tools::Cli cli("auforge", "Labels faces with FACS Action Units, at the scale of a crawl.");
  auforge::tools::AddAnnotate(cli);
  auforge::tools::AddRelabel(cli);
  auforge::tools::AddInspect(cli);
  auforge::tools::AddVerify(cli);
  auforge::tools::AddMergeStats(cli);
  auforge::tools::AddReport(cli);
  auforge::tools::AddQuery(cli);
  auforge::tools::AddExport(cli);
  auforge::tools::AddKeywords(cli);
  auforge::tools::AddServe(cli);
  auforge::tools::AddTrainAu(cli);
  auforge::tools::AddEvalAu(cli);
  auforge::tools::AddCalibrate(cli);
  auforge::tools::AddEvalLandmarks(cli);
  auforge::tools::AddLoop(cli);
  auforge::tools::AddSynth(cli);
  cli.AddProgram("gan", "Train and use GANimation (runs auforge-gan)", "auforge-gan");
  cli.AddProgramCommand("train-landmarks", "Train the landmarker of --landmarks auforge (runs auforge-gan)", "auforge-gan");
  cli.AddProgramCommand("train-dense", "Train the nets of annotate --dense (runs auforge-gan)", "auforge-gan");
  cli.AddProgramCommand("train-detector", "Train the face detector of --detector auforge (runs auforge-gan)", "auforge-gan");
  cli.AddProgramCommand("train-net", "Train the net of the learnt features (runs auforge-gan)", "auforge-gan");
  auforge::tools::Leave(cli.Main(argc, argv));
}
