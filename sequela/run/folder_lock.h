#pragma once

#include <sys/types.h>

#include <string>

#include "sequela/io/new_folder.h"

namespace sequela {

// Makes a folder where there is none, and keeps a second run out of it while this object lives. The
// lock ends with the process, however it ends, also if children that it forked live on: they do not
// have it, and a copy of this object in one of them does nothing. The lock's file ".lock" stays,
// unless the folder is new and holds nothing else: then both go with the object. Throws ConfigError
// if another run is at work there, FileError if the folder cannot be made or written.
class FolderLock {
 public:
  // shared: beside others that share it, too.
  enum class Kind { alone, shared };
  explicit FolderLock(const std::string& folder, Kind kind = Kind::alone);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  NewFolder folder_;
  std::string path_;
  pid_t owner_;
  int descriptor_ = -1;
};

}  // namespace sequela
