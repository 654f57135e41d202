// Files that are whole or absent: write to a temporary name, fsync, rename, fsync the folder.
#pragma once

#include <string>
#include <string_view>

namespace auforge::datasets::storage {

// "PATH.tmp.<job>.<restart>": job is the Slurm job and array task, the Kubernetes pod or the process id, so that
// a requeued task and its orphan never write the same file.
std::string TemporaryName(const std::string& path);
// fsync(file), rename, fsync(folder). Throws std::runtime_error naming the file and the system's reason.
void CommitFile(const std::string& temporary, const std::string& path);
// The same where there is nothing of that name yet; false, and nothing is done, where there is, even if it came in this
// very moment.
bool CommitNewFile(const std::string& temporary, const std::string& path);
void WriteFileAtomically(const std::string& path, std::string_view content);
std::string ReadFile(const std::string& path);  // throws std::runtime_error naming the file

}  // namespace auforge::datasets::storage
