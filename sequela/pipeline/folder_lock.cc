#include "sequela/pipeline/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "sequela/core/error.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// False if a run that failed took its file, and with it the folder, away just now.
bool is_still_there(int descriptor) {
  struct stat file;
  return fstat(descriptor, &file) == 0 && file.st_nlink > 0;
}

bool is_alone(const fs::path& path) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path.parent_path(), error)) {
    if (entry.path().filename() != path.filename()) return false;
  }
  return !error;
}

}  // namespace

FolderLock::FolderLock(const std::string& folder) : folder_(folder), path_(folder + "/.lock") {
  descriptor_ = open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw FileError(path_, std::strerror(errno), "choose an output folder that can be written");
  }
  const bool is_locked = flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
  const int cause = is_locked ? EWOULDBLOCK : errno;
  if (is_locked && is_still_there(descriptor_)) return;
  close(descriptor_);
  if (cause == EWOULDBLOCK) {
    throw ConfigError(folder +
                      ": another run is at work in this folder. Fix: wait for its end, or choose "
                      "another output folder.");
  }
  throw FileError(path_, std::string("cannot lock: ") + std::strerror(cause),
                  "choose an output folder on a file system with locks");
}

FolderLock::~FolderLock() {
  if (folder_.is_new() && is_alone(path_)) unlink(path_.c_str());
  close(descriptor_);
}

}  // namespace sequela
