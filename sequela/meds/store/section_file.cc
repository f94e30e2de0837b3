#include "sequela/meds/store/section_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr size_t kFixedHeader = 8 + 4 + 4 + 8 + 32;
constexpr uint32_t kMaxSections = 1 << 20;

uint64_t header_size(size_t num_sections) {
  return kFixedHeader + 16 * num_sections + 32;
}
uint64_t align(uint64_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

[[noreturn]] void throw_write_error(const std::string& path, int error) {
  if (error == ENOSPC || error == EDQUOT) {
    throw ResourceError(path +
                        ": the disk is full. Fix: free some space or choose another folder.");
  }
  throw FileError(path, std::strerror(error));
}

template <class T>
void append(std::string* out, const T& value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

SectionWriter::SectionWriter(std::string path, std::string_view magic, uint32_t version,
                             int num_sections)
    : path_(std::move(path)),
      partial_path_(path_ + ".partial"),
      magic_(magic),
      version_(version),
      sections_(num_sections),
      end_(align(header_size(num_sections))) {
  SEQUELA_CHECK(magic_.size() == 8);
  descriptor_ = ::open(partial_path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw_write_error(partial_path_, errno);
}

SectionWriter::~SectionWriter() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(partial_path_.c_str());
}

void SectionWriter::reserve(int section, uint64_t size) {
  SEQUELA_CHECK(sections_.at(section).offset == 0);
  sections_[section] = {end_, size};
  end_ = align(end_ + size);
}

void SectionWriter::write_at(int section, uint64_t offset, const void* data, uint64_t size) {
  SEQUELA_CHECK(offset <= sections_.at(section).size && size <= sections_[section].size - offset);
  write_bytes(sections_[section].offset + offset, data, size);
}

void SectionWriter::write_bytes(uint64_t offset, const void* data, uint64_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t count = ::pwrite(descriptor_, bytes, size, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_write_error(path_, errno);
    bytes += count;
    offset += count;
    size -= count;
  }
}

void SectionWriter::read_back(int section, uint64_t offset, void* data, uint64_t size) const {
  SEQUELA_CHECK(offset <= sections_.at(section).size && size <= sections_[section].size - offset);
  char* bytes = static_cast<char*>(data);
  uint64_t from = sections_[section].offset + offset;
  while (size > 0) {
    const ssize_t count = ::pread(descriptor_, bytes, size, static_cast<off_t>(from));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw FileError(partial_path_, count < 0 ? std::strerror(errno) : "file cut");
    bytes += count;
    from += count;
    size -= count;
  }
}

void SectionWriter::commit(const Digest& fingerprint) {
  std::string header = magic_;
  append(&header, version_);
  append(&header, static_cast<uint32_t>(sections_.size()));
  append(&header, end_);
  append(&header, fingerprint);
  for (const Section& section : sections_) append(&header, section);
  append(&header, sha256(header.data(), header.size()));
  write_bytes(0, header.data(), header.size());
  if (::ftruncate(descriptor_, static_cast<off_t>(end_)) != 0) throw_write_error(path_, errno);
  if (::fsync(descriptor_) != 0) throw_write_error(path_, errno);
  if (::rename(partial_path_.c_str(), path_.c_str()) != 0) throw_write_error(path_, errno);
  ::close(descriptor_);
  descriptor_ = -1;
  sync_folder_of(path_);
}

SectionFile::SectionFile(const std::string& path, std::string_view magic, uint32_t version)
    : file_(path) {
  if (file_.size() < kFixedHeader || file_.text().substr(0, 8) != magic) {
    fail("not a file of an event store");
  }
  const auto* numbers = reinterpret_cast<const uint32_t*>(file_.data() + 8);
  if (numbers[0] != version) fail(str("of version ", numbers[0], ", this program reads ", version));
  const uint32_t count = numbers[1];
  if (count > kMaxSections || header_size(count) > file_.size()) fail("the header is damaged");
  const uint64_t checked = header_size(count) - 32;
  const Digest digest = sha256(file_.data(), checked);
  if (std::memcmp(digest.data(), file_.data() + checked, 32) != 0) fail("the header is damaged");
  uint64_t file_size = 0;
  std::memcpy(&file_size, file_.data() + 16, sizeof(file_size));
  if (file_size != file_.size()) fail("the file was cut");
  std::memcpy(fingerprint_.data(), file_.data() + 24, 32);
  sections_.resize(count);
  std::memcpy(sections_.data(), file_.data() + kFixedHeader, 16 * count);
  for (const Section& section : sections_) {
    if (section.offset > file_size || section.size > file_size - section.offset) {
      fail("the header is damaged");
    }
  }
}

SectionFile::Section SectionFile::find(int index, size_t item_size) const {
  if (index < 0 || index >= num_sections()) fail(str("section ", index, " is missing"));
  const Section section = sections_[index];
  if (section.size % item_size != 0) fail(str("section ", index, " has an odd size"));
  return section;
}

void SectionFile::fail(const std::string& cause) const {
  throw FileError(file_.path(), cause, "run prepare again");
}

}  // namespace sequela
