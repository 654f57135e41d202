// auforge export: faces in the forms that other tools read.
#include <iostream>
#include <memory>

#include "tools/commands.h"
#include "tools/crawl/face_export.h"
#include "tools/crawl/face_query.h"

namespace auforge::tools {
namespace {

struct ExportArguments {
  IndexArguments index;
  FaceArguments faces;
  datasets::ExportOptions options;
};

int RunExport(const ExportArguments& arguments) {
  ExpressionOf(arguments.faces);
  RequireExportOutput(arguments.options);
  const datasets::query::FaceIndex index = OpenIndex(arguments.index);
  const datasets::query::Selection selection = FindFaces(index, arguments.faces);
  const std::uint64_t limit = arguments.faces.limit > 0 ? arguments.faces.limit : selection.Count();
  const auto faces = selection.Page(arguments.faces.offset, limit);
  const bool is_table = arguments.options.format == "csv" || arguments.options.format == "jsonl";
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
  Command command =
      cli.Add("export", "Hand faces over to other tools: CSV, JSON lines, OpenFace, GANimation, webdataset",
              "auforge export shards/ --format openface -o faces.csv\n"
              "  auforge export shards/ --format webdataset --quality 0.5 -o tars/");
  AddIndexOptions(command, arguments->index);
  command.Add("--format", arguments->options.format, "form of the output")
      .Required()
      .OneOf(datasets::ExportFormats());
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
