#include "sequela/run/folder_lock.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <vector>

#include "sequela/core/error.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// The descriptors of the locks that this process holds. A lock lasts as long as any process has its
// descriptor open, so a child closes them as soon as it is forked.
class LockFiles {
 public:
  static LockFiles& of_process() {
    static auto* files = new LockFiles;  // a fork may come while the process ends
    return *files;
  }
  int open_file(const char* path) {
    const std::lock_guard lock(mutex_);
    const int descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (descriptor >= 0) descriptors_.push_back(descriptor);
    return descriptor;
  }
  void close_file(int descriptor) {
    const std::lock_guard lock(mutex_);
    std::erase(descriptors_, descriptor);
    close(descriptor);
  }

 private:
  LockFiles() {
    pthread_atfork([] { of_process().mutex_.lock(); }, [] { of_process().mutex_.unlock(); },
                   [] { of_process().leave_to_parent(); });
  }
  void leave_to_parent() {
    for (const int descriptor : descriptors_) close(descriptor);
    descriptors_.clear();
    mutex_.unlock();
  }

  std::mutex mutex_;
  std::vector<int> descriptors_;
};

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

FolderLock::FolderLock(const std::string& folder, Kind kind)
    : folder_(folder), path_(folder + "/.lock"), owner_(getpid()) {
  descriptor_ = LockFiles::of_process().open_file(path_.c_str());
  if (descriptor_ < 0) {
    throw FileError(path_, std::strerror(errno), "choose an output folder that can be written");
  }
  const int how = kind == Kind::shared ? LOCK_SH : LOCK_EX;
  const bool is_locked = flock(descriptor_, how | LOCK_NB) == 0;
  const int cause = is_locked ? EWOULDBLOCK : errno;
  if (is_locked && is_still_there(descriptor_)) return;
  LockFiles::of_process().close_file(descriptor_);
  if (cause == EWOULDBLOCK) {
    throw ConfigError(folder +
                      ": another run is at work in this folder. Fix: wait for its end, or choose "
                      "another output folder.");
  }
  throw FileError(path_, std::string("cannot lock: ") + std::strerror(cause),
                  "choose an output folder on a file system with locks");
}

FolderLock::~FolderLock() {
  if (getpid() != owner_) return;
  // Others may share it: the file is theirs, too.
  const bool is_last = flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
  if (is_last && folder_.is_new() && is_alone(path_)) unlink(path_.c_str());
  flock(descriptor_, LOCK_UN);  // a child that is being forked may still have the file
  LockFiles::of_process().close_file(descriptor_);
}

}  // namespace sequela
