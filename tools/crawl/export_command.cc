// auforge export: faces in the forms that other tools read.
#include <iostream>
#include <memory>

#include "datasets/storage/atomic_file.h"
#include "tools/commands.h"
#include "tools/crawl/blur_faces.h"
#include "tools/crawl/face_export.h"
#include "tools/crawl/face_query.h"

namespace auforge::tools {
namespace {

struct ExportArguments {
  IndexArguments index;
  FaceArguments faces;
  datasets::ExportOptions options;
  BlurOptions blur;
  bool blur_faces = false;
};

// What the parser cannot know: which options go together.
void CheckTogether(const ExportArguments& arguments) {
  if (arguments.blur_faces) {
    if (!arguments.options.format.empty())
      throw UsageError("--blur-faces writes whole images; leave --format " + arguments.options.format + " out");
    if (arguments.blur.images.empty())
      throw UsageError("--blur-faces needs --images: the images that were labelled, as annotate was given them");
    if (!arguments.faces.sort.empty() || arguments.faces.offset > 0 || arguments.faces.limit > 0)
      throw UsageError("--sort, --offset and --limit choose faces, and --blur-faces writes images; leave them out");
    return;
  }
  if (!arguments.blur.images.empty()) throw UsageError("--images goes with --blur-faces");
  if (arguments.options.format.empty()) throw UsageError("--format is required, or --blur-faces");
}

int RunBlur(const ExportArguments& arguments) {
  BlurOptions options = arguments.blur;
  options.output = arguments.options.output;
  options.quiet = arguments.index.quiet;
  options.chosen_only = ExpressionOf(arguments.faces).kind != datasets::query::Expression::Kind::kAll;
  datasets::storage::RequireNewFolder(options.output);
  const datasets::query::FaceIndex index = OpenIndex(arguments.index);
  const BlurSummary summary = BlurFaces(index, FindFaces(index, arguments.faces), options);
  std::cout << options.output << ": " << summary.images << " images, " << summary.faces << " faces blurred, "
            << summary.without_face << " images without a face\n";
  const std::uint64_t left_out = summary.missing + summary.changed + summary.unknown + summary.undecodable;
  if (left_out > 0) {
    std::cout << "left out, see left-out.jsonl: " << summary.missing << " missing, " << summary.changed
              << " changed since they were labelled, " << summary.unknown << " never labelled, " << summary.undecodable
              << " that cannot be read\n";
  }
  const int damage = ReportDamage(index, arguments.index);
  return summary.missing + summary.changed > 0 ? kBadInput : damage;
}

int RunExport(const ExportArguments& arguments) {
  CheckTogether(arguments);
  ExpressionOf(arguments.faces);
  if (arguments.blur_faces) return RunBlur(arguments);
  RequireExportOutput(arguments.options);
  const datasets::query::FaceIndex index = OpenIndex(arguments.index);
  const datasets::query::Selection selection = FindFaces(index, arguments.faces);
  const std::uint64_t limit = arguments.faces.limit > 0 ? arguments.faces.limit : selection.Count();
  const auto faces = selection.Page(arguments.faces.offset, limit);
  const bool is_table = arguments.options.format == "csv" || arguments.options.format == "jsonl" || arguments.options.format == "parquet";
  datasets::ExportOptions options = arguments.options;
  options.chosen_only = faces.size() != index.FaceCount();
  ExportFaces(index, faces, options, is_table && !arguments.faces.sort.empty());
  if (arguments.options.output != "-")
    std::cout << arguments.options.output << ": " << faces.size() << " faces\n";
  return ReportDamage(index, arguments.index);
}

}  // namespace

void AddExport(Cli& cli) {
  auto arguments = std::make_shared<ExportArguments>();
  arguments->blur.jobs = AvailableCores();
  Command command =
      cli.Add("export", "Hand faces over to other tools: CSV, JSON lines, Parquet, OpenFace, GANimation, webdataset",
              "auforge export shards/ --format openface -o faces.csv\n"
              "  auforge export shards/ --format parquet -o faces.parquet\n"
              "  auforge export shards/ --format webdataset --quality 0.5 -o tars/\n"
              "  auforge export shards/ --blur-faces --images photos/ -o published/");
  AddIndexOptions(command, arguments->index);
  command.Add("--format", arguments->options.format, "form of the output; required but for --blur-faces")
      .OneOf(datasets::ExportFormats());
  command.Flag("--blur-faces", arguments->blur_faces,
               "write the whole images, without metadata and with every face made unrecognisable");
  command.Add("--images", arguments->blur.images, "with --blur-faces: the images, as annotate was given them");
  command.Add("-j,--jobs", arguments->blur.jobs, "with --blur-faces: threads").Range(1, 1024);
  command
      .Add("-o,--output", arguments->options.output,
           "file, or new folder; openface: .csv for one table, a folder for a file an image")
      .Required();
  AddFaceOptions(command, arguments->faces);
  command.Add("--faces-per-tar", arguments->options.faces_per_tar, "webdataset: faces in a tar")
      .Range(1, 10'000'000);
  command.Add("--test-share", arguments->options.test_share, "ganimation: share of the faces in test_ids.csv")
      .Range(0, 1);
  command.Run([arguments] { return EndCleanly([&] { return RunExport(*arguments); }); });
}

}  // namespace auforge::tools
