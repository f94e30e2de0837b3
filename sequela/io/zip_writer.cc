// Layout: for each entry a local header, the name, extra fields, the data and, as the checksum is
// known only then, a data descriptor; then the central directory with the same again, which is what
// readers use. Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3
#include "sequela/io/zip_writer.h"

#include <algorithm>
#include <stdexcept>

#include "sequela/io/crc.h"

namespace sequela {
namespace {

constexpr uint16_t kVersion = 45;         // zip64
constexpr uint16_t kHasDescriptor = 0x8;  // flag
constexpr uint16_t kUtf8Name = 0x800;     // flag
constexpr uint32_t kDate =
    0x21 << 16;  // 1980-01-01 00:00, so that the time of writing leaves no trace
constexpr uint16_t kZip64Extra = 1;
constexpr uint16_t kPaddingExtra = 0x4246;  // "FB", as torch pads
constexpr int64_t kLimit32 = 0xFFFFFFFF;
constexpr size_t kLimit16 = 0xFFFF;

// Little-endian fields, appended one by one.
class Fields {
 public:
  Fields& u16(uint64_t value) { return append(value, 2); }
  Fields& u32(uint64_t value) { return append(value, 4); }
  Fields& u64(uint64_t value) { return append(value, 8); }
  Fields& bytes(std::string_view value) {
    text_.append(value);
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  Fields& append(uint64_t value, size_t size) {
    text_.append(reinterpret_cast<const char*>(&value), size);
    return *this;
  }
  std::string text_;
};

uint32_t clamp32(int64_t value) {
  return static_cast<uint32_t>(std::min(value, kLimit32));
}

}  // namespace

void ZipWriter::begin_entry(std::string_view name, int64_t size, int64_t alignment) {
  if (is_open_) end_entry();
  if (name.size() > kLimit16 || size < 0) throw std::invalid_argument("zip: bad name or size");
  entries_.push_back({.name = std::string(name), .size = size, .offset = file_.size()});
  Fields extra;
  if (size >= kLimit32) extra.u16(kZip64Extra).u16(16).u64(size).u64(size);
  const int64_t fixed = file_.size() + 30 + static_cast<int64_t>(name.size() + extra.text().size());
  if (fixed % alignment != 0) {
    int64_t padding = alignment - fixed % alignment;
    if (padding < 4) padding += (4 - padding + alignment - 1) / alignment * alignment;
    extra.u16(kPaddingExtra).u16(padding - 4).bytes(std::string(padding - 4, '\0'));
  }
  Fields header;
  header.u32(0x04034b50).u16(kVersion).u16(kHasDescriptor | kUtf8Name).u16(0).u32(kDate);
  header.u32(0).u32(clamp32(size)).u32(clamp32(size)).u16(name.size()).u16(extra.text().size());
  file_.write(header.bytes(name).bytes(extra.text()).text());
  left_ = size;
  is_open_ = true;
}

void ZipWriter::write(const void* data, size_t size) {
  if (!is_open_ || static_cast<int64_t>(size) > left_) {
    throw std::invalid_argument("zip: more data than was told");
  }
  entries_.back().crc = crc32(entries_.back().crc, data, size);
  file_.write(data, size);
  left_ -= static_cast<int64_t>(size);
}

void ZipWriter::end_entry() {
  if (left_ != 0) throw std::invalid_argument("zip: less data than was told");
  const Entry& entry = entries_.back();
  Fields descriptor;
  descriptor.u32(0x08074b50).u32(entry.crc);
  if (entry.size >= kLimit32) {
    descriptor.u64(entry.size).u64(entry.size);
  } else {
    descriptor.u32(entry.size).u32(entry.size);
  }
  file_.write(descriptor.text());
  is_open_ = false;
}

void ZipWriter::write_directory_entry(const Entry& entry) {
  Fields large;
  if (entry.size >= kLimit32) large.u64(entry.size).u64(entry.size);
  if (entry.offset >= kLimit32) large.u64(entry.offset);
  Fields extra;
  if (!large.text().empty()) extra.u16(kZip64Extra).u16(large.text().size()).bytes(large.text());
  Fields header;
  header.u32(0x02014b50)
      .u16(kVersion)
      .u16(kVersion)
      .u16(kHasDescriptor | kUtf8Name)
      .u16(0)
      .u32(kDate);
  header.u32(entry.crc).u32(clamp32(entry.size)).u32(clamp32(entry.size));
  header.u16(entry.name.size()).u16(extra.text().size()).u16(0).u16(0).u16(0).u32(0);
  header.u32(clamp32(entry.offset)).bytes(entry.name).bytes(extra.text());
  file_.write(header.text());
}

void ZipWriter::finish() {
  if (is_open_) end_entry();
  const int64_t start = file_.size();
  for (const Entry& entry : entries_) write_directory_entry(entry);
  const int64_t end = file_.size();
  const size_t count = entries_.size();
  Fields tail;
  if (count >= kLimit16 || start >= kLimit32 || end - start >= kLimit32) {
    tail.u32(0x06064b50).u64(44).u16(kVersion).u16(kVersion).u32(0).u32(0);
    tail.u64(count).u64(count).u64(end - start).u64(start);
    tail.u32(0x07064b50).u32(0).u64(end).u32(1);
  }
  const size_t count16 = std::min(count, kLimit16);
  tail.u32(0x06054b50).u16(0).u16(0).u16(count16).u16(count16);
  tail.u32(clamp32(end - start)).u32(clamp32(start)).u16(0);
  file_.write(tail.text());
  file_.commit();
}

}  // namespace sequela
