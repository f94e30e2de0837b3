#include "sequela/io/scratch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sequela/core/error.h"

namespace sequela {

ScratchMemory::ScratchMemory(const std::string& folder, size_t size) : size_(size) {
  if (size == 0) return;
  std::string path = folder + "/.scratch-XXXXXX";
  const int descriptor = mkstemp(path.data());
  if (descriptor < 0) throw FileError(folder, str("cannot create a file: ", std::strerror(errno)));
  unlink(path.c_str());
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
