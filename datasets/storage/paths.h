// What stands at a path, without the exceptions of std::filesystem. To the questions that throw nothing a link in a circle,
// a folder without rights and a path that is too long are no file, no folder and not there. Stateless; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace auforge::datasets::storage {

bool Exists(const std::string& path);
// The same where "it cannot be told" is not "no": throws std::runtime_error naming the path and the system's reason.
bool IsThere(const std::string& path);
// Throws std::runtime_error "PATH: " and `otherwise` where there is nothing, else what IsThere throws.
void RequireThere(const std::string& path, const std::string& otherwise);
bool IsFolder(const std::string& path);
bool IsFile(const std::string& path);  // a plain one, links followed
// Bytes of a file. Throws std::runtime_error naming it and the system's reason.
std::uint64_t FileSize(const std::string& path);
// Paths of what lies in a folder itself, sorted by bytes. Throws std::runtime_error naming the folder and the system's
// reason where it cannot be listed.
std::vector<std::string> FolderEntries(const std::string& folder);

}  // namespace auforge::datasets::storage
