#include "sequela/run/folder_lock.h"

#include <filesystem>

#include "sequela/core/error.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

bool is_alone(const fs::path& path) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path.parent_path(), error)) {
    if (entry.path().filename() != path.filename()) return false;
  }
  return !error;
}

}  // namespace

FolderLock::FolderLock(const std::string& folder, Kind kind)
    : folder_(folder), path_(folder + "/.lock"), file_(LockFile::try_take(path_, kind)) {
  if (!file_) {
    throw ConfigError(folder +
                      ": another run is at work in this folder. Fix: wait for its end, or choose "
                      "another output folder.");
  }
}

FolderLock::~FolderLock() {
  if (!file_->is_own()) return;
  // Others may share it: the file is theirs, too.
  if (file_->take_alone() && folder_.is_new() && is_alone(path_)) file_->remove_file();
}

}  // namespace sequela
