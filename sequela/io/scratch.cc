#include "sequela/io/scratch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;

int open_scratch_file(const std::string& folder) {
  std::string path = folder + "/.scratch-XXXXXX";
  const int descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) throw FileError(folder, str("cannot create a file: ", std::strerror(errno)));
  unlink(path.c_str());
  return descriptor;
}

}  // namespace

ScratchFile::ScratchFile(const std::string& folder)
    : folder_(folder.empty() ? std::filesystem::temp_directory_path().string() : folder),
      descriptor_(open_scratch_file(folder_)) {}

ScratchFile::~ScratchFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void ScratchFile::write(const void* data, size_t size) {
  buffer_.append(static_cast<const char*>(data), size);
  if (buffer_.size() >= kBufferBytes) flush();
}

void ScratchFile::flush() {
  std::string_view left = buffer_;
  while (!left.empty()) {
    const ssize_t count = ::write(descriptor_, left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw ResourceError(str(folder_, ": no room for unpacked data (", std::strerror(errno),
                              "). Fix: free some space, or unpack the file yourself."));
    }
    left.remove_prefix(static_cast<size_t>(count));
  }
  buffer_.clear();
}

MappedFile ScratchFile::map(const std::string& shown_path) {
  flush();
  return MappedFile(std::exchange(descriptor_, -1), shown_path);
}

ScratchMemory::ScratchMemory(const std::string& folder, size_t size) : size_(size) {
  if (size == 0) return;
  const int descriptor = open_scratch_file(folder);
  const int problem = posix_fallocate(descriptor, 0, static_cast<off_t>(size));
  if (problem != 0) {
    close(descriptor);
    throw ResourceError(str(folder, ": no room for ", size >> 20, " MiB of working data (",
                            std::strerror(problem), "). Fix: free some space."));
  }
  data_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  close(descriptor);
  if (data_ == MAP_FAILED) throw ResourceError(folder + ": cannot map working memory");
}

ScratchMemory::~ScratchMemory() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace sequela
