// auforge gan sheet: what a generator does, face by face and AU by AU; and films from one expression to
// another.
#include <iostream>
#include <memory>
#include <sstream>

#include "datasets/picture_file.h"
#include "datasets/storage/atomic_file.h"
#include "tools/gan/face_finder.h"
#include "tools/gan/gan_commands.h"
#include "tools/gan/gan_sheet.h"
#include "tools/gan/gif.h"

namespace auforge::tools {
namespace {

struct GanSheetArguments {
  std::string source, output;
  EditorChoice editor;
  std::string aus = "AU12,AU25,AU26,AU4,AU1,AU9,AU45";
  std::vector<std::string> requests;
  std::string from, to;
  double value = 0.9;
  int steps = 7;
  GanFaceOptions faces;
  bool colours = false;
};

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

int RunGanSheet(const GanSheetArguments& a) {
  RequireDetector(a.faces.detector);
  const bool film = a.output.ends_with(".gif");
  if (film && a.to.empty()) throw UsageError("a film (.gif) needs --to, e.g. --to AU12=1,AU25=0.8");
  if (film) {
    datasets::storage::RequireOutputFile(a.output);
  } else {
    datasets::RequirePictureFile(a.output);
  }
  const std::unique_ptr<ExpressionEditor> chosen = MakeExpressionEditor(a.editor);
  const ExpressionEditor& editor = *chosen;
  GanFaceOptions options = a.faces;
  if (film) options.count = 1;
  const GanFaces faces = LoadGanFaces(a.source, options, 128);
  std::string what;
  if (film) {
    const auto frames = InterpolationFrames(editor, faces, 0, a.from, a.to, a.steps);
    WriteGif(a.output, frames, 8);
    what = std::to_string(frames.size()) + " frames";
  } else if (!a.to.empty()) {
    WriteInterpolationSheet(a.output, editor, faces, a.from, a.to, a.steps);
    what = std::to_string(a.steps) + " steps";
  } else if (!a.requests.empty()) {
    WriteRequestSheet(a.output, editor, faces, a.requests, a.colours);
    what = std::to_string(a.requests.size()) + " expressions";
  } else {
    WriteAuSheet(a.output, editor, faces, Split(a.aus), a.value, a.colours);
    what = std::to_string(Split(a.aus).size()) + " AUs at " + std::to_string(a.value).substr(0, 4);
  }
  std::cout << a.output << ": " << faces.faces.size() << " faces, " << what
            << "\n";
  return kDone;
}

}  // namespace

void AddGanSheet(Cli& cli) {
  auto arguments = std::make_shared<GanSheetArguments>();
  Command command =
      cli.Add("sheet", "Draw what edits do: faces by AUs, with a generator's attention masks; or films",
              "auforge gan sheet shards/ -o grid.png\n"
              "  auforge gan sheet photo.jpg --checkpoint run/ --request AU12=0.8,AU6=0.6 --request AU4=1 -o "
              "two.png\n"
              "  auforge gan sheet photo.jpg --to AU12=1,AU25=0.6 --steps 12 -o smile.gif");
  command.Positional("SOURCE", arguments->source, "a photo, a shard or a folder of shards").Required();
  AddEditorOptions(command, arguments->editor);
  command.Add("-o,--output", arguments->output, "picture to write, .png, .jpg, …; .gif with --to").Required();
  command.Add("--aus", arguments->aus, "AUs, each a column");
  command.Add("--value", arguments->value, "what is asked of each").Range(0, 1);
  command.Add("--request", arguments->requests, "several AUs at once, each request a column");
  command.Add("--to", arguments->to, "columns (or frames) on the way to this expression");
  command.Add("--from", arguments->from, "where that way starts; default: the face as it is");
  command.Add("--steps", arguments->steps, "columns or frames of it").Range(2, 200);
  command.Add("--faces", arguments->faces.count, "rows").Range(1, 200);
  AddDetectorOptions(command, arguments->faces.detector);
  command.Add("--min-quality", arguments->faces.min_quality, "leave out faces of lower quality").Range(0, 1);
  command.Flag("--colours", arguments->colours,
               "also draw a generator's colour masks: what would be painted where attention is 0");
  command.Run([arguments] { return RunGanSheet(*arguments); });
}

}  // namespace auforge::tools
