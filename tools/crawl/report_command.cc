// auforge report: a page and a sheet of faces to look at.
#include <iostream>
#include <memory>

#include "datasets/picture_file.h"
#include "datasets/storage/atomic_file.h"
#include "tools/commands.h"
#include "tools/crawl/face_drawing.h"
#include "tools/crawl/report_page.h"

namespace auforge::tools {
namespace {

struct ReportArguments {
  std::vector<std::string> shards;
  std::string output = "report.html";
  std::string sheet;
  std::string title = "AuForge report";
  int faces = 24;
  int each = 4;
  float min_quality = 0.5F;
  bool skip_damaged = false;
};

cv::Mat FaceSheet(const ReportData& data) {
  constexpr int kPanelHeight = 224;
  std::vector<cv::Mat> panels;
  std::unique_ptr<datasets::ShardReader> shard;
  std::size_t open = data.shards.size();
  for (const FaceReference& reference : data.sample_faces) {
    if (reference.shard != open) {
      shard = std::make_unique<datasets::ShardReader>(data.shards[reference.shard]);
      open = reference.shard;
    }
    panels.push_back(DrawFacePanel(*shard, reference.face, kPanelHeight));
  }
  return TilePanels(panels, 4);
}

int RunReport(const ReportArguments& arguments) {
  datasets::storage::RequireOutputFile(arguments.output);
  if (!arguments.sheet.empty()) datasets::RequirePictureFile(arguments.sheet);
  const ReportData data = GatherReport(arguments.shards, static_cast<std::size_t>(arguments.faces), true);
  const ReportFaces chosen =
      ChooseReportFaces(data, static_cast<std::size_t>(arguments.each), arguments.min_quality);
  datasets::storage::WriteFileAtomically(arguments.output, ReportPage(data, chosen, arguments.title));
  std::cout << arguments.output << ": " << data.images << " images, " << data.faces << " faces\n";
  if (!arguments.sheet.empty()) {
    if (data.sample_faces.empty())
      throw BadInputError("no face in the shards; nothing to draw on " + arguments.sheet);
    datasets::WritePicture(arguments.sheet, FaceSheet(data));
    std::cout << arguments.sheet << ": " << data.sample_faces.size() << " faces\n";
  }
  bool is_damaged = false, is_unread = false;
  for (const LeftOut& shard : data.left_out) {
    std::cerr << shard.fault << "; left out" << (shard.is_damaged ? " (auforge verify says more)" : "") << "\n";
    (shard.is_damaged ? is_damaged : is_unread) = true;
  }
  if (is_damaged && !arguments.skip_damaged) return kBadInput;
  return is_unread ? kFailed : kDone;
}

}  // namespace

void AddReport(Cli& cli) {
  auto arguments = std::make_shared<ReportArguments>();
  Command command = cli.Add("report", "Write one self-contained page about a run",
                            "auforge report shards/ -o report.html --sheet faces.png");
  command.Positional("SHARD", arguments->shards, "shard files or folders").Required();
  command.Add("-o,--output", arguments->output, "the HTML file");
  command.Add("--sheet", arguments->sheet, "also draw the faces into this picture, .png, .jpg, …");
  command.Add("--faces", arguments->faces, "faces spread over the run").Range(0, 2000);
  command.Add("--each", arguments->each, "typical faces of each emotion, and strongest of each AU")
      .Range(0, 100);
  command.Add("--min-quality", arguments->min_quality, "of typical and extreme faces, where there are such")
      .Range(0, 1);
  command.Flag("--skip-damaged", arguments->skip_damaged, "damaged shards do not make the exit status 3");
  command.Add("--title", arguments->title, "heading of the page");
  command.Run([arguments] { return RunReport(*arguments); });
}

}  // namespace auforge::tools
