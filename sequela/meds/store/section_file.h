#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/core/sha256.h"
#include "sequela/io/file.h"

namespace sequela {

// A binary file of numbered sections, the container of the event store's files.
//
//   magic            8 bytes
//   version          uint32, little-endian like all numbers
//   num_sections     uint32
//   file_size        uint64
//   fingerprint      32 bytes: what the content was made from and how
//   {offset, size}   2 uint64 per section, in bytes
//   check            32 bytes: SHA-256 of all of the above
//   sections         each at a multiple of 64 bytes, zeros between
//
// The file appears under its name only when complete, so a matching fingerprint says that it is
// whole.

// Writes such a file. Sections may be filled in any order and piece by piece, so that a column
// needs no buffer of its size. A full disk is a ResourceError. Dropped without commit(), it leaves
// nothing.
class SectionWriter {
 public:
  SectionWriter(std::string path, std::string_view magic, uint32_t version, int num_sections);
  ~SectionWriter();
  SectionWriter(const SectionWriter&) = delete;
  SectionWriter& operator=(const SectionWriter&) = delete;

  // Makes room for a section of `size` bytes. Once per section, before it is written.
  void reserve(int section, uint64_t size);
  void write_at(int section, uint64_t offset, const void* data, uint64_t size);
  template <class T>
  void add(int section, std::span<const T> values) {
    reserve(section, values.size_bytes());
    write_at(section, 0, values.data(), values.size_bytes());
  }
  void add_text(int section, std::string_view text) {
    add(section, std::span<const char>(text.data(), text.size()));
  }
  // Reads back what was written to a section.
  void read_back(int section, uint64_t offset, void* data, uint64_t size) const;
  void commit(const Digest& fingerprint);

 private:
  struct Section {
    uint64_t offset = 0;
    uint64_t size = 0;
  };
  void write_bytes(uint64_t offset, const void* data, uint64_t size);

  std::string path_;
  std::string partial_path_;
  std::string magic_;
  uint32_t version_;
  std::vector<Section> sections_;
  uint64_t end_;
  int descriptor_ = -1;
};

// Appends to a reserved section through a buffer.
template <class T>
class SectionAppender {
 public:
  SectionAppender(SectionWriter* writer, int section) : writer_(writer), section_(section) {
    buffer_.reserve(kBufferSize);
  }
  void push(const T& value) {
    buffer_.push_back(value);
    if (buffer_.size() == kBufferSize) flush();
  }
  void flush() {
    writer_->write_at(section_, written_, buffer_.data(), buffer_.size() * sizeof(T));
    written_ += buffer_.size() * sizeof(T);
    buffer_.clear();
  }

 private:
  static constexpr size_t kBufferSize = 8192;
  SectionWriter* writer_;
  int section_;
  std::vector<T> buffer_;
  uint64_t written_ = 0;
};

// Reads such a file through a memory map; the header is checked whole before anything is handed
// out.
class SectionFile {
 public:
  // Throws FileError if the file is missing, of another kind or version, cut, or its header is
  // damaged.
  SectionFile(const std::string& path, std::string_view magic, uint32_t version);

  const std::string& path() const { return file_.path(); }
  const Digest& fingerprint() const { return fingerprint_; }
  int num_sections() const { return static_cast<int>(sections_.size()); }
  // The whole section; throws FileError if it is no whole number of T.
  template <class T>
  std::span<const T> section(int index) const {
    const Section place = find(index, sizeof(T));
    return file_.array<T>(place.offset, place.size / sizeof(T));
  }
  std::string_view text(int index) const {
    const auto bytes = section<char>(index);
    return {bytes.data(), bytes.size()};
  }
  // Takes a part of a section out of resident memory; see MappedFile::release().
  template <class T>
  void release(std::span<const T> part) const {
    file_.release(std::as_bytes(part));
  }
  [[noreturn]] void fail(const std::string& cause) const;

 private:
  struct Section {
    uint64_t offset = 0;
    uint64_t size = 0;
  };
  Section find(int index, size_t item_size) const;

  MappedFile file_;
  Digest fingerprint_{};
  std::vector<Section> sections_;
};

}  // namespace sequela
