#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "datasets/content_kind.h"
#include "datasets/folder_walk.h"
#include "datasets/image_source.h"
#include "datasets/internal/crawl_table.h"
#include "datasets/internal/file_reader.h"
#include "datasets/video_reader.h"

namespace auforge::datasets {
namespace {

// Puts the files of a walk where they belong.
class Sorter {
 public:
  Sorter(const FolderWalk& walk, const std::string& folder)
      : walk_(walk), prefix_(folder.size() + (folder.ends_with('/') ? 0 : 1)) {}

  PictureFolder Sort() {
    for (const WalkedFile& file : walk_.files) Take(file);
    if (walk_.special_files > 0) sorted_.notes.Leave("pipe, socket or device", "", walk_.special_files);
    if (walk_.service_folders > 0) sorted_.notes.Leave("folder of thumbnails or attributes", "", walk_.service_folders);
    sorted_.folders = walk_.folders;
    if (walk_.links_up > 0) sorted_.notes.Leave("link to a folder above", "", walk_.links_up);
    return std::move(sorted_);
  }

 private:
  std::string Name(const WalkedFile& file) const { return file.path.size() > prefix_ ? file.path.substr(prefix_) : file.path; }

  void Picture(const WalkedFile& file, int error) { sorted_.pictures.push_back({file.path, Name(file), error}); }

  void Take(const WalkedFile& file) {
    if (file.is_folder) {
      sorted_.pictures.push_back({file.path, Name(file) + "/", file.error});
    } else if (NamePromisesArchive(file.path)) {
      sorted_.tars.push_back(file.path);
    } else if (file.error != 0) {
      Unreadable(file, file.error);
    } else if (IsBesidePicture(file.path)) {
      sorted_.has_side_files = true;
    } else if (NamePromisesPicture(file.path) && !BaseName(file.path).starts_with("._")) {
      Picture(file, 0);
    } else {
      TakeByContent(file);
    }
  }

  void TakeByContent(const WalkedFile& file) {
    int error = 0;
    const ContentKind kind = TellFile(file.path, error);
    if (error != 0) return Unreadable(file, error);
    if (IsPictureFile(file.path, kind)) return Picture(file, 0);
    if (kind.content == Content::kArchive) {
      sorted_.tars.push_back(file.path);
    } else if (kind.name.empty()) {
      sorted_.notes.Leave(LooksLikeVideo(file.path) ? "video" : "unknown content", Name(file));
    } else if (kind.name != "Parquet" || !IsTable(file.path)) {
      sorted_.notes.Leave(std::string(kind.name), Name(file));
    }
  }

  // A crawler's table of an archive or folder that is read: 00000.parquet beside 00000.tar or 00000/.
  bool IsTable(const std::string& path) {
    if (!path.ends_with(".parquet")) return false;
    if (folders_.empty()) folders_.insert(walk_.folders.begin(), walk_.folders.end());
    const std::string stem = path.substr(0, path.rfind('.')), begin = stem + ".";
    if (folders_.contains(stem)) return true;
    const auto by_path = [](const WalkedFile& file, const std::string& wanted) { return file.path < wanted; };
    auto other = std::lower_bound(walk_.files.begin(), walk_.files.end(), begin, by_path);
    for (; other != walk_.files.end() && other->path.starts_with(begin); ++other) {
      if (NamePromisesArchive(other->path) && CrawlTable::PathFor(other->path) == path) return true;
    }
    return false;
  }

  // What cannot be looked at may have been a picture, unless its name says that it is something else.
  void Unreadable(const WalkedFile& file, int error) {
    if (NamePromisesPicture(file.path) || NameEnding(file.path).empty()) return Picture(file, error);
    sorted_.notes.Leave("unreadable", Name(file));
  }

  // A caption or record of a picture: photo.txt beside photo.jpg, photo.jpg.json, 000123.json beside 000123.
  bool IsBesidePicture(const std::string& path) const {
    if (!path.ends_with(".txt") && !path.ends_with(".json")) return false;
    const std::string stem = path.substr(0, path.rfind('.'));
    const auto by_path = [](const WalkedFile& file, const std::string& wanted) { return file.path < wanted; };
    auto other = std::lower_bound(walk_.files.begin(), walk_.files.end(), stem, by_path);
    if (other != walk_.files.end() && other->path == stem && !other->is_folder) return true;
    const std::string begin = stem + ".";
    other = std::lower_bound(walk_.files.begin(), walk_.files.end(), begin, by_path);
    for (; other != walk_.files.end() && other->path.starts_with(begin); ++other) {
      if (other->path.rfind('.') == stem.size() && NamePromisesPicture(other->path)) return true;
    }
    return false;
  }

  const FolderWalk& walk_;
  std::size_t prefix_;
  std::unordered_set<std::string> folders_;  // of the walk, once they are asked for
  PictureFolder sorted_;
};

}  // namespace

PictureFolder ListPictures(const std::string& folder) {
  const FolderWalk walk = WalkFolder(folder);
  if (walk.files.size() == 1 && walk.files.front().is_folder && walk.files.front().path == folder) {
    PictureFolder unlisted;
    unlisted.error = walk.files.front().error;
    return unlisted;
  }
  return Sorter(walk, folder).Sort();
}

}  // namespace auforge::datasets
