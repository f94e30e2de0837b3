#pragma once

#include <string>

namespace sequela {

// Keeps a second run out of a folder while this object lives. Throws ConfigError if one is at work
// there. The lock ends with the process, however it ends; its file ".lock" stays.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace sequela
