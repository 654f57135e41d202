// auforge gan edit: every face of a photo with other AUs, pasted back at the photo's resolution.
#include <filesystem>
#include <iostream>
#include <memory>

#include "datasets/image_codec.h"
#include "gan/editor.h"
#include "tools/gan/au_request.h"
#include "tools/gan/face_finder.h"
#include "tools/gan/gan_commands.h"
#include "tools/gan/gan_paste.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;

struct GanEditArguments {
  std::string photo, checkpoint, au, output;
  int min_face = 60;
};

std::size_t EditPhoto(const std::string& from, const std::string& to, const gan::Editor& editor,
                      FaceFinder& finder, const AuRequest& request) {
  cv::Mat photo = ReadPhoto(from);
  const std::vector<FoundFace> faces = finder.Find(photo);
  for (const FoundFace& face : faces) {
    const auto condition = Condition(editor.schema(), finder.schema(), face.aus.intensity, request);
    const gan::EditedFace edited = editor.Edit(face.aligned.crop, condition);
    PasteChange(face.aligned.crop, edited.face, face.aligned.crop_from_image, photo);
  }
  datasets::WritePng(to, photo);
  return faces.size();
}

int RunGanEdit(const GanEditArguments& arguments) {
  const gan::Editor editor(arguments.checkpoint.empty() ? gan::DefaultGeneratorPath() : arguments.checkpoint);
  const AuRequest request = ParseAuRequest(arguments.au, editor.schema());
  FaceFinder finder(arguments.min_face, editor.image_size());
  if (!fs::is_directory(arguments.photo)) {
    const std::size_t faces = EditPhoto(arguments.photo, arguments.output, editor, finder, request);
    std::cout << arguments.output << ": " << faces << " faces edited\n";
    if (faces == 0) throw BadInputError(arguments.photo + ": no face found; try a smaller --min-face");
    return kDone;
  }
  fs::create_directories(arguments.output);
  std::size_t photos = 0, faces = 0;
  for (const auto& entry : fs::directory_iterator(arguments.photo)) {
    if (!entry.is_regular_file()) continue;
    try {
      const std::string to = (fs::path(arguments.output) / (entry.path().stem().string() + ".png")).string();
      faces += EditPhoto(entry.path().string(), to, editor, finder, request);
      ++photos;
    } catch (const BadInputError& error) {
      std::cerr << "gan edit: skipped: " << error.what() << "\n";
    }
  }
  std::cout << arguments.output << ": " << photos << " photos, " << faces << " faces edited\n";
  return kDone;
}

}  // namespace

void AddGanEdit(Cli& cli) {
  auto arguments = std::make_shared<GanEditArguments>();
  Command command = cli.Add("edit", "Change the AUs of every face of a photo or a folder of photos",
                            "auforge gan edit photo.jpg --au AU12=0.8,AU6=0.5 -o smiling.png\n"
                            "  auforge gan edit photos/ --checkpoint run/ --au AU4=1 -o frowning/");
  command.Positional("PHOTO", arguments->photo, "a photo, or a folder of them").Required();
  command.Add("--checkpoint", arguments->checkpoint,
              "a run's folder or a checkpoint; default: the one that comes with the program");
  command.Add("--au", arguments->au, "AUs and values 0..1; the others stay as they are").Required();
  command.Add("-o,--output", arguments->output, "PNG (or folder) to write").Required();
  command.Add("--min-face", arguments->min_face, "smallest face to look for, pixels").Range(20, 2000);
  command.Run([arguments] { return RunGanEdit(*arguments); });
}

}  // namespace auforge::tools
