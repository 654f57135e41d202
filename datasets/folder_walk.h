// Every file below a folder, each once, whatever links and rights there are. Stateless; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace auforge::datasets {

struct WalkedFile {
  std::string path;
  // errno: of a folder that cannot be listed, a link that leads nowhere or in a circle, a file that cannot be looked at;
  // 0 of a plain file, which was not opened.
  int error = 0;
  bool is_folder = false;
};

struct FolderWalk {
  std::vector<WalkedFile> files;       // sorted by the bytes of their paths
  std::vector<std::string> folders;    // that were entered, the walked one first
  std::uint64_t special_files = 0;     // pipes, sockets, devices
  std::uint64_t service_folders = 0;   // not entered: @eaDir, __MACOSX, .AppleDouble (thumbnails and attributes of pictures)
  std::uint64_t links_up = 0;          // links to a folder that contains the walked one: not followed
};

// Links are followed, to folders as well; but no folder is entered twice (device and inode), so that links in a circle
// end, and what lies in the folder itself goes by its own name. A folder that cannot be listed is one of the files, with
// its error; so is `folder` itself. Never throws but for memory.
FolderWalk WalkFolder(const std::string& folder);

}  // namespace auforge::datasets
