#include "sequela/io/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/io/replace_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBufferBytes = size_t{1} << 20;
// A page fault brings in the pages around it as well, within such a window (Linux's default).
constexpr uintptr_t kFaultWindowBytes = uintptr_t{64} << 10;

[[noreturn]] void throw_errno(const std::string& path, const char* doing) {
  const int code = errno;
  const std::string cause = str("cannot ", doing, ": ", std::strerror(code));
  if (code == ENOSPC || code == EDQUOT)
    throw ResourceError(path + ": disk full. Fix: free some space.");
  if (code == ENOMEM) throw ResourceError(path + ": " + cause);
  throw FileError(path, cause,
                  code == ENOENT ? "check the path" : "see to its rights, and its folder's");
}

void flush_path(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY);
  if (descriptor < 0) throw_errno(path, "open");
  const int result = fsync(descriptor);
  close(descriptor);
  if (result != 0) throw_errno(path, "flush");
}

void write_all(int descriptor, const std::string& path, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t count = write(descriptor, data, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno(path, "write");
    data += count;
    size -= static_cast<size_t>(count);
  }
}

std::string parent_folder(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw_errno(path, "open");
  map(descriptor);
}

MappedFile::MappedFile(int descriptor, const std::string& path) : path_(path) {
  map(descriptor);
}

void MappedFile::map(int descriptor) {
  struct stat status;
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor);
    throw FileError(path_, "not a file", "name a file");
  }
  size_ = static_cast<size_t>(status.st_size);
  void* mapped = nullptr;
  // Writable, for models that are trained in place: the pages written become this process's own.
  const int flags = MAP_PRIVATE | MAP_NORESERVE;
  if (size_ > 0) mapped = mmap(nullptr, size_, PROT_READ | PROT_WRITE, flags, descriptor, 0);
  close(descriptor);
  if (mapped == MAP_FAILED) throw_errno(path_, "map");
  data_ = static_cast<const std::byte*>(mapped);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void MappedFile::release(std::span<const std::byte> bytes) const {
  if (bytes.empty()) return;
  const auto file_begin = reinterpret_cast<uintptr_t>(data_);
  const auto begin = reinterpret_cast<uintptr_t>(bytes.data());
  const uintptr_t end = begin + bytes.size();
  SEQUELA_CHECK(begin >= file_begin && end <= file_begin + size_);
  // Whole windows. A neighbour's later fault may bring pages back; they go with that neighbour.
  const uintptr_t first = std::max(file_begin, begin / kFaultWindowBytes * kFaultWindowBytes);
  const uintptr_t last = std::min(
      file_begin + size_, (end + kFaultWindowBytes - 1) / kFaultWindowBytes * kFaultWindowBytes);
  // Mere advice: if the system does not take it, the pages just stay.
  madvise(const_cast<std::byte*>(data_) + (first - file_begin), last - first, MADV_DONTNEED);
}

void MappedFile::check_range(size_t offset, size_t count, size_t size, size_t alignment) const {
  if (offset > size_ || count > (size_ - offset) / size) {
    throw FileError(path_, "shorter than its header says", "make the file again");
  }
  if (offset % alignment != 0) throw FileError(path_, "an array is not aligned");
}

AtomicFile::AtomicFile(std::string path)
    : path_(std::move(path)), partial_path_(path_ + ".partial") {
  descriptor_ = open(partial_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw_errno(partial_path_, "create");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(partial_path_.c_str());
}

void AtomicFile::write(const void* data, size_t size) {
  written_ += static_cast<int64_t>(size);
  const auto* bytes = static_cast<const char*>(data);
  if (size < kBufferBytes) {
    buffer_.append(bytes, size);
    if (buffer_.size() >= kBufferBytes) flush();
    return;
  }
  flush();
  write_all(descriptor_, partial_path_, bytes, size);
}

void AtomicFile::flush() {
  write_all(descriptor_, partial_path_, buffer_.data(), buffer_.size());
  buffer_.clear();
}

void AtomicFile::commit() {
  flush();
  if (fsync(descriptor_) != 0) throw_errno(partial_path_, "flush");
  close(descriptor_);
  descriptor_ = -1;
  if (rename(partial_path_.c_str(), path_.c_str()) != 0) {
    const int code = errno;
    unlink(partial_path_.c_str());
    errno = code;
    throw_errno(path_, "rename");
  }
  flush_path(parent_folder(path_));
}

AtomicFolder::AtomicFolder(std::string path)
    : path_(std::move(path)), partial_path_(path_ + ".partial") {
  std::error_code error;
  mend_replaced_folder(path_);
  fs::remove_all(partial_path_, error);
  if (!fs::create_directories(partial_path_, error) && error) {
    throw FileError(partial_path_, "cannot create: " + error.message());
  }
}

AtomicFolder::~AtomicFolder() {
  std::error_code error;
  if (!is_committed_) fs::remove_all(partial_path_, error);
}

void AtomicFolder::commit() {
  for (const auto& entry : fs::recursive_directory_iterator(partial_path_)) {
    flush_path(entry.path().string());
  }
  flush_path(partial_path_);
  replace_folder(partial_path_, path_);
  is_committed_ = true;
  flush_path(parent_folder(path_));
}

std::string read_file(const std::string& path, size_t max_bytes) {
  const MappedFile file(path);
  if (file.size() > max_bytes) {
    throw FileError(path, str(file.size(), " bytes; at most ", max_bytes, " are read"));
  }
  return std::string(file.text());
}

void write_file(const std::string& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

}  // namespace sequela
