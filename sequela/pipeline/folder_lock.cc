#include "sequela/pipeline/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sequela/core/error.h"

namespace sequela {

FolderLock::FolderLock(const std::string& folder) {
  const std::string path = folder + "/.lock";
  descriptor_ = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw FileError(path, std::strerror(errno), "choose an output folder that can be written");
  }
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int cause = errno;
  close(descriptor_);
  if (cause == EWOULDBLOCK) {
    throw ConfigError(folder +
                      ": another run is at work in this folder. Fix: wait for its end, or choose "
                      "another output folder.");
  }
  throw FileError(path, std::string("cannot lock: ") + std::strerror(cause),
                  "choose an output folder on a file system with locks");
}

FolderLock::~FolderLock() {
  close(descriptor_);
}

}  // namespace sequela
