#include "sequela/io/lock_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "sequela/core/error.h"

namespace sequela {
namespace {

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

// False if its last holder took the file away just now.
bool is_still_there(int descriptor) {
  struct stat file;
  return fstat(descriptor, &file) == 0 && file.st_nlink > 0;
}

}  // namespace

std::optional<LockFile> LockFile::try_take(const std::string& path, Kind kind) {
  const int descriptor = LockFiles::of_process().open_file(path.c_str());
  if (descriptor < 0) {
    throw FileError(path, std::strerror(errno), "choose an output folder that can be written");
  }
  const bool is_locked =
      flock(descriptor, (kind == Kind::shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0;
  const int cause = is_locked ? EWOULDBLOCK : errno;
  if (is_locked && is_still_there(descriptor)) return LockFile(path, descriptor);
  LockFiles::of_process().close_file(descriptor);
  if (cause == EWOULDBLOCK) return std::nullopt;
  throw FileError(path, std::string("cannot lock: ") + std::strerror(cause),
                  "choose an output folder on a file system with locks");
}

LockFile::LockFile(std::string path, int descriptor)
    : path_(std::move(path)), owner_(getpid()), descriptor_(descriptor) {}

LockFile::LockFile(LockFile&& other) noexcept
    : path_(std::move(other.path_)),
      owner_(other.owner_),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

LockFile::~LockFile() {
  if (!is_own()) return;
  flock(descriptor_, LOCK_UN);  // a child that is being forked may still have the file
  LockFiles::of_process().close_file(descriptor_);
}

bool LockFile::is_own() const {
  return descriptor_ >= 0 && getpid() == owner_;
}

bool LockFile::take_alone() {
  return flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
}

void LockFile::remove_file() const {
  struct stat own, there;
  const bool is_there = stat(path_.c_str(), &there) == 0 && fstat(descriptor_, &own) == 0 &&
                        own.st_ino == there.st_ino && own.st_dev == there.st_dev;
  if (is_there) unlink(path_.c_str());
}

}  // namespace sequela
