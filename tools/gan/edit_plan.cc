#include "tools/gan/edit_plan.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "datasets/content_kind.h"
#include "datasets/image_source.h"
#include "datasets/storage/paths.h"
#include "tools/cli/cli.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;

using FileId = std::pair<dev_t, ino_t>;

// Zeros of a file that is not there.
FileId Id(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? FileId(status.st_dev, status.st_ino) : FileId();
}

// Absolute, links resolved as far as the path exists.
fs::path Real(const std::string& path) {
  std::error_code error;
  fs::path real = fs::weakly_canonical(fs::absolute(path, error), error);
  return real.has_filename() ? real : real.parent_path();
}

// The output folder as seen from the folder of photos; empty when it lies elsewhere, "." when they are one.
std::string Inside(const std::string& folder, const std::string& output) {
  const std::string seen = Real(output).lexically_relative(Real(folder)).generic_string();
  return seen.empty() || seen == ".." || seen.starts_with("../") ? "" : seen;
}

std::string Folded(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

// Names of the results, one for each photo, all different (also where upper and lower case are one).
std::vector<std::string> ResultNames(const std::vector<std::string>& photos) {
  std::map<std::string, int> wanted;
  for (const std::string& photo : photos) ++wanted[Folded(std::string(datasets::WithoutEnding(photo)))];
  std::set<std::string> given;
  std::vector<std::string> names;
  for (const std::string& photo : photos) {
    const std::string plain(datasets::WithoutEnding(photo));
    const std::string base = wanted[Folded(plain)] > 1 ? photo : plain;
    std::string name = base;
    for (int n = 2; !given.insert(Folded(name)).second; ++n) name = base + "#" + std::to_string(n);
    names.push_back(name + ".png");
  }
  return names;
}

}  // namespace

void RefuseToOverwrite(const std::string& photo, const std::string& output) {
  std::error_code error;
  if (fs::equivalent(photo, output, error)) throw UsageError(output + ": is the photo itself; choose another -o");
}

EditPlan PlanFolderEdit(const std::string& folder, const std::string& output) {
  const std::string inside = Inside(folder, output);
  if (inside == ".") throw UsageError(output + ": is the folder of photos itself; choose another -o");
  const datasets::PictureFolder found = datasets::ListPictures(folder);
  if (found.error != 0) throw std::runtime_error(folder + ": cannot be listed: " + std::strerror(found.error));
  datasets::SideNotes notes = found.notes;
  for (const std::string& tar : found.tars) notes.Leave("tar", tar);
  EditPlan plan;
  std::vector<std::string> names;
  for (const datasets::PictureFile& picture : found.pictures) {
    if (!inside.empty() && picture.name.starts_with(inside + "/")) {
      notes.Leave("photo in the output folder", picture.name);
      continue;
    }
    names.push_back(picture.name);
    plan.edits.push_back({picture.path, {}, picture.error});
  }
  plan.left_out = notes.LeftOutText();
  if (plan.edits.empty()) {
    throw BadInputError(folder + ": no photo in it" + (plan.left_out.empty() ? "" : "; what there is: " + plan.left_out));
  }
  const std::vector<std::string> results = ResultNames(names);
  std::set<FileId> photos;
  for (const PlannedEdit& edit : plan.edits) photos.insert(Id(edit.from));
  photos.erase(FileId());
  for (std::size_t i = 0; i < results.size(); ++i) {
    PlannedEdit& edit = plan.edits[i];
    edit.to = (fs::path(output) / results[i]).string();
    // Through links a photo may also lie where the results go.
    const bool is_theirs =
        datasets::storage::Exists(edit.to) && (!Inside(folder, edit.to).empty() || photos.contains(Id(edit.to)));
    if (is_theirs) throw UsageError(edit.to + ": lies among the photos and would be overwritten; choose another -o or remove it");
  }
  return plan;
}

}  // namespace auforge::tools
