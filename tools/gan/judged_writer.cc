#include "tools/gan/judged_writer.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <optional>

#include "datasets/picture_file.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/memory_fault.h"
#include "tools/cli/cli.h"
#include "tools/cli/progress.h"
#include "tools/cli/signals.h"
#include "tools/gan/au_request.h"
#include "tools/gan/edit_plan.h"
#include "tools/gan/face_finder.h"
#include "tools/gan/judged_pictures.h"
#include "tools/gan/mesh_points.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;

std::vector<int> AusToWrite(const std::string& asked, const features::AuSchema& schema) {
  std::vector<int> aus;
  if (asked.empty()) {
    for (const Movement& m : Movements()) {
      if (schema.Find(m.au) && (aus.empty() || aus.back() != m.au)) aus.push_back(m.au);
    }
  } else {
    aus = ParseAuList(asked).numbers();
    for (const int au : aus) {
      if (!schema.Find(au)) throw UsageError("--aus: AU" + std::to_string(au) + " cannot be edited this way");
    }
  }
  return aus;
}

class Writer {
 public:
  Writer(const JudgedWriterOptions& options, const ExpressionEditor& editor)
      : options_(options), editor_(editor), finder_(options.min_face, features::AlignOptions{}.size), aus_(AusToWrite(options.aus, editor.schema())) {}

  // False where the photo shows no face.
  bool Write(const cv::Mat& photo, const std::string& name) {
    const std::vector<FoundFace> faces = finder_.Find(photo);
    if (faces.empty()) return false;
    Save(photo, JudgedKind::kOriginal, 0, name);
    for (const int au : aus_) {
      Save(Edited(photo, faces, au, 0), JudgedKind::kAt0, au, name);
      const cv::Mat at_1 = Edited(photo, faces, au, 1);
      Save(at_1, JudgedKind::kAt1, au, name);
      Save(Edited(at_1, finder_.Find(at_1), au, 0), JudgedKind::kBack, au, name);
    }
    return true;
  }
  std::size_t AuCount() const { return aus_.size(); }

 private:
  cv::Mat Edited(const cv::Mat& photo, const std::vector<FoundFace>& faces, int au, float value) const {
    cv::Mat picture = photo.clone();
    for (const FoundFace& face : faces) {
      const auto own = Condition(editor_.schema(), finder_.schema(), face.aus.intensity, {});
      std::vector<float> wanted = own;
      wanted[*editor_.schema().Find(au)] = value;
      editor_.EditPhoto(picture, face.landmarks, own, wanted);
    }
    return picture;
  }
  void Save(const cv::Mat& picture, JudgedKind kind, int au, const std::string& name) const {
    const fs::path path = fs::path(options_.output) / JudgedFolder(kind, au) / name;
    datasets::storage::MakeFolder(path.parent_path().string());
    datasets::WritePicture(path.string(), picture);
  }

  const JudgedWriterOptions& options_;
  const ExpressionEditor& editor_;
  FaceFinder finder_;
  std::vector<int> aus_;
};

// Photos that cannot be read are named and left out.
std::optional<cv::Mat> ReadOrSay(const PlannedEdit& edit) {
  try {
    if (edit.error != 0) throw BadInputError(edit.from + ": " + std::strerror(edit.error));
    return ReadPhoto(edit.from);
  } catch (const std::exception& error) {
    if (datasets::storage::IsOutOfMemory(error)) throw;
    std::cerr << "gan eval: skipped: " << error.what() << "\n";
    return std::nullopt;
  }
}

}  // namespace

int WriteJudgedPictures(const JudgedWriterOptions& options, const ExpressionEditor& editor) {
  datasets::storage::RequireNewFolder(options.output);
  const EditPlan plan = PlanFolderEdit(options.photos, options.output);
  Writer writer(options, editor);
  ProgressLine line("gan eval", options.quiet);
  const auto start = std::chrono::steady_clock::now();
  const std::size_t count = std::min(plan.edits.size(), static_cast<std::size_t>(options.count));
  std::size_t written = 0;
  for (std::size_t i = 0; i < count && StopSignal() == 0; ++i) {
    const PlannedEdit& edit = plan.edits[i * plan.edits.size() / count];
    const std::optional<cv::Mat> photo = ReadOrSay(edit);
    if (!photo) continue;
    if (writer.Write(*photo, fs::path(edit.to).lexically_relative(options.output).string())) {
      ++written;
    } else {
      std::cerr << "gan eval: skipped: " << edit.from << ": no face found\n";
    }
    line.Update(i + 1, count, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), "photos");
  }
  line.Finish();
  std::cout << options.output << ": " << written << " photos, " << writer.AuCount() << " AUs at 0, at 1 and back\n";
  if (written == 0) throw BadInputError(options.photos + ": no photo in it shows a face; try a smaller --min-face");
  return kDone;
}

}  // namespace auforge::tools
