#pragma once

#include <optional>
#include <string>

#include "sequela/io/lock_file.h"
#include "sequela/io/new_folder.h"

namespace sequela {

// Makes a folder where there is none, and keeps a second run out of it while this object lives
// (io/lock_file.h). The lock's file ".lock" stays, unless the folder is new and holds nothing else:
// then both go with the object. Throws ConfigError if another run is at work there, FileError if
// the folder cannot be made or written.
class FolderLock {
 public:
  using Kind = LockFile::Kind;
  explicit FolderLock(const std::string& folder, Kind kind = Kind::alone);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  NewFolder folder_;
  std::string path_;
  std::optional<LockFile> file_;
};

}  // namespace sequela
