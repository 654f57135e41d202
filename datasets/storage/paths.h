// What stands at a path, asked without exceptions: a link in a circle, a folder without rights or a path that is too long
// is no file, no folder and not there. Stateless; thread-safe.
#pragma once

#include <string>
#include <vector>

namespace auforge::datasets::storage {

bool Exists(const std::string& path);
bool IsFolder(const std::string& path);
bool IsFile(const std::string& path);  // a plain one, links followed
// Paths of what lies in a folder itself, sorted by bytes. Throws std::runtime_error naming the folder and the system's
// reason where it cannot be listed.
std::vector<std::string> FolderEntries(const std::string& folder);

}  // namespace auforge::datasets::storage
