#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace sequela {

// A file that this process holds by flock, also on a shared disk if its file system has locks. The
// lock ends with the process, however it ends, also if children that it forked live on: they do not
// have it, and a copy of this object in one of them does nothing.
class LockFile {
 public:
  // shared: beside others that share it, too.
  enum class Kind { alone, shared };

  // Makes the file if it is not there. None if another process holds it. FileError if it cannot be
  // made or locked.
  static std::optional<LockFile> try_take(const std::string& path, Kind kind = Kind::alone);
  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();  // the file stays

  bool is_own() const;  // false in a forked child
  // Whether no other process shares it any more; then none can.
  bool take_alone();
  void remove_file() const;  // unless another one lies in its place

 private:
  LockFile(std::string path, int descriptor);

  std::string path_;
  pid_t owner_;
  int descriptor_;
};

}  // namespace sequela
