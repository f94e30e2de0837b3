#pragma once

#include <cstddef>
#include <string>

#include "sequela/io/file.h"

namespace sequela {

// An unlinked file in `folder` (empty = the system's for temporary files) for working data: filled
// once, then mapped. Gone with its MappedFile, also after a crash. ResourceError if the disk is
// full.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& folder);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  void write(const void* data, size_t size);
  // `shown_path` names the content in messages. Nothing may be written after it.
  MappedFile map(const std::string& shown_path);

 private:
  void flush();

  std::string folder_;
  std::string buffer_;
  int descriptor_;
};

// Zeroed working memory backed by an unlinked file in `folder`: the kernel may write it out, so it
// does not count against the memory that must stay free. Gone with the object, also after a crash.
// Throws ResourceError if the disk lacks room.
class ScratchMemory {
 public:
  ScratchMemory(const std::string& folder, size_t size);
  ~ScratchMemory();
  ScratchMemory(const ScratchMemory&) = delete;
  ScratchMemory& operator=(const ScratchMemory&) = delete;

  void* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace sequela
