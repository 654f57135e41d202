// Held while shards are added to a folder, or changed in it: two processes would get in each other's way. The system lets
// go of it however the process ends. Where folders cannot be locked (NFS without its lock daemon) it does nothing.
#pragma once

#include <string>

namespace auforge::pipeline {

class FolderLock {
 public:
  // Throws std::runtime_error "FOLDER: `otherwise`" when another process holds it.
  FolderLock(const std::string& folder, const std::string& otherwise);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace auforge::pipeline
