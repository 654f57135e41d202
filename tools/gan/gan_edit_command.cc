// auforge gan edit: every face of a photo with other AUs, pasted back at the photo's resolution.
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>

#include "datasets/picture_file.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/memory_fault.h"
#include "datasets/storage/paths.h"
#include "tools/gan/au_request.h"
#include "tools/gan/edit_plan.h"
#include "tools/gan/expression_editor.h"
#include "tools/gan/face_finder.h"
#include "tools/gan/gan_commands.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;

struct GanEditArguments {
  std::string photo, au, output;
  EditorChoice editor;
  int min_face = 60;
  annotator::DetectorChoice detector;
};

std::size_t EditPhoto(cv::Mat photo, const std::vector<std::uint8_t>& profile, const std::string& to, const ExpressionEditor& editor,
                      FaceFinder& finder, const AuRequest& request) {
  const std::vector<FoundFace> faces = finder.Find(photo);
  for (const FoundFace& face : faces) {
    const auto own = Condition(editor.schema(), finder.schema(), face.aus.intensity, {});
    const auto wanted = [&](features::FaceSide half) { return Condition(editor.schema(), finder.schema(), face.aus.intensity, request, half); };
    editor.EditHalves(photo, face.landmarks, own, wanted(features::FaceSide::kLeft), wanted(features::FaceSide::kRight));
  }
  datasets::WritePicture(to, photo, profile);
  return faces.size();
}

int EditOne(const GanEditArguments& arguments, const ExpressionEditor& editor, FaceFinder& finder, const AuRequest& request) {
  std::vector<std::uint8_t> profile;
  cv::Mat photo = ReadPhoto(arguments.photo, &profile);
  const std::size_t faces = EditPhoto(std::move(photo), profile, arguments.output, editor, finder, request);
  std::cout << arguments.output << ": " << faces << " faces edited\n";
  if (faces == 0) throw BadInputError(arguments.photo + ": no face found; try a smaller --min-face");
  return kDone;
}

int EditFolder(const GanEditArguments& arguments, const EditPlan& plan, const ExpressionEditor& editor, FaceFinder& finder,
               const AuRequest& request) {
  std::size_t photos = 0, faces = 0;
  for (const PlannedEdit& edit : plan.edits) {
    cv::Mat photo;
    std::vector<std::uint8_t> profile;
    try {
      if (edit.error != 0) throw BadInputError(edit.from + ": " + std::strerror(edit.error));
      photo = ReadPhoto(edit.from, &profile);
    } catch (const std::exception& error) {
      if (datasets::storage::IsOutOfMemory(error)) throw;
      std::cerr << "gan edit: skipped: " << error.what() << "\n";
      continue;
    }
    datasets::storage::MakeFolder(fs::path(edit.to).parent_path().string());
    faces += EditPhoto(std::move(photo), profile, edit.to, editor, finder, request);
    ++photos;
  }
  std::cout << arguments.output << ": " << photos << " photos, " << faces << " faces edited";
  if (photos < plan.edits.size()) std::cout << ", " << plan.edits.size() - photos << " photos skipped";
  std::cout << "\n";
  if (!plan.left_out.empty()) std::cout << "  left out, no pictures: " << plan.left_out << "\n";
  if (photos == 0) throw BadInputError(arguments.photo + ": none of its photos can be read");
  return kDone;
}

int RunGanEdit(const GanEditArguments& arguments) {
  RequireDetector(arguments.detector);
  const bool is_folder = datasets::storage::IsFolder(arguments.photo);
  if (is_folder) {
    datasets::storage::RequireOutputFolder(arguments.output);
  } else {
    datasets::RequirePictureFile(arguments.output);
    RefuseToOverwrite(arguments.photo, arguments.output);
  }
  const EditPlan plan = is_folder ? PlanFolderEdit(arguments.photo, arguments.output) : EditPlan{};
  const std::unique_ptr<ExpressionEditor> editor = MakeExpressionEditor(arguments.editor);
  const AuRequest request = ParseAuRequest(arguments.au, editor->schema(), editor->MovesHalves() ? Halves::kTaken : Halves::kRefused);
  FaceFinder finder(arguments.min_face, features::AlignOptions{}.size, arguments.detector);
  return is_folder ? EditFolder(arguments, plan, *editor, finder, request) : EditOne(arguments, *editor, finder, request);
}

}  // namespace

void AddGanEdit(Cli& cli) {
  auto arguments = std::make_shared<GanEditArguments>();
  Command command = cli.Add("edit", "Change the AUs of every face of a photo or a folder of photos",
                            "auforge gan edit photo.jpg --au AU12=0.8,AU6=0.5 -o smiling.png\n"
                            "  auforge gan edit photo.jpg --au AU45.left=1,AU12=0.6 -o winking.png\n"
                            "  auforge gan edit photos/ --checkpoint run/ --au AU4=1 -o frowning/");
  command.Positional("PHOTO", arguments->photo, "a photo, or a folder of them").Required();
  command.Add("--au", arguments->au, "AUs and values 0..1; the others stay as they are. AU45.left=1: on the subject's left alone (warp)").Required();
  command.Add("-o,--output", arguments->output,
              "picture, .png, .jpg, …; for a folder of photos the folder of PNGs, their subfolders kept").Required();
  AddEditorOptions(command, arguments->editor);
  command.Add("--min-face", arguments->min_face, "smallest face to look for, pixels").Range(20, 2000);
  AddDetectorOptions(command, arguments->detector);
  command.Run([arguments] { return RunGanEdit(*arguments); });
}

}  // namespace auforge::tools
