#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sequela {

// A memory-mapped file. Throws FileError if it cannot be opened. The file itself never changes:
// what is written into the memory (a tensor over it that is trained in place) is this process's own
// copy.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  // Maps what an open file holds and closes the descriptor; `path` names it in errors.
  MappedFile(int descriptor, const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  const std::string& path() const { return path_; }

  // Takes the pages of `bytes`, a part of the file, out of this process's resident memory. They
  // stay in the system's cache and come back when they are read again, so this is safe at any time,
  // also beside other threads. Call it behind a pass over a file that may be larger than memory.
  void release(std::span<const std::byte> bytes) const;

  // The `count` values of type T that start at byte `offset`; throws FileError if they are not all
  // inside the file or not aligned.
  template <class T>
  std::span<const T> array(size_t offset, size_t count) const {
    check_range(offset, count, sizeof(T), alignof(T));
    return {reinterpret_cast<const T*>(data_ + offset), count};
  }

 private:
  void map(int descriptor);
  void check_range(size_t offset, size_t count, size_t size, size_t alignment) const;

  std::string path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// A file that appears under its name only when commit() returns: written beside it as
// "<path>.partial", flushed to disk, renamed. Dropped without commit, it leaves nothing. A full
// disk throws ResourceError.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  int64_t size() const { return written_; }
  const std::string& partial_path() const { return partial_path_; }
  void commit();

 private:
  void flush();

  std::string path_;
  std::string partial_path_;
  std::string buffer_;
  int descriptor_ = -1;
  int64_t written_ = 0;
};

// A folder that appears under its name only when commit() returns; write into partial_path(). An
// older folder of that name is replaced. Files inside are flushed to disk by commit().
class AtomicFolder {
 public:
  explicit AtomicFolder(std::string path);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  const std::string& partial_path() const { return partial_path_; }
  void commit();

 private:
  std::string path_;
  std::string partial_path_;
  bool is_committed_ = false;
};

// The whole file; throws FileError, also when it is larger than `max_bytes`.
std::string read_file(const std::string& path, size_t max_bytes = size_t{1} << 31);
void write_file(const std::string& path, std::string_view content);  // atomically

// Hex SHA-256 of the content.
std::string file_digest(const std::string& path);

// A short text that changes when the file's content does: its size and content hash; for files
// above 64 MiB its size, modification time and the hash of its first and last MiB.
std::string file_fingerprint(const std::string& path);

}  // namespace sequela
