// Layout: per file a local header and its content; then the central directory, an entry per file;
// then the end record, which says where the directory is.
//   end record      "PK\5\6" u16 disk, disk of directory, entries here, entries;
//                   u32 size and offset of the directory; u16 length of a comment | comment
//   zip64 locator   "PK\6\7" u32 disk; u64 offset of the zip64 end record; u32 disks:
//                   20 bytes, just before the end record
//   zip64 end       "PK\6\6" u64 size; u16 u16 versions; u32 u32 disks;
//                   u64 entries here, entries, size and offset of the directory
//   directory entry "PK\1\2" u16 version made by, needed, flags, method, time, date;
//                   u32 crc, size stored, size; u16 lengths of name, extra, comment, disk,
//                   attributes; u32 attributes, offset of the local header
//                   | name | extra | comment
//   local header    "PK\3\4" 22 bytes of the same; u16 lengths of name and extra
//                   | name | extra
// A u32 of all ones stands for a u64 in the extra field of id 1, in the order size, size stored,
// offset. Source: PKWARE's APPNOTE.TXT.
#include "sequela/io/weights/zip_reader.h"

#include <set>

#include "sequela/io/weights/byte_reader.h"

namespace sequela {
namespace {

constexpr uint32_t kEndMark = 0x06054b50;
constexpr uint32_t kLocatorMark = 0x07064b50;
constexpr uint32_t kEnd64Mark = 0x06064b50;
constexpr uint32_t kEntryMark = 0x02014b50;
constexpr uint32_t kLocalMark = 0x04034b50;
constexpr size_t kEndBytes = 22;
constexpr size_t kLocatorBytes = 20;
constexpr size_t kMaxComment = 65535;
constexpr uint32_t kSeeExtra = 0xffffffff;
constexpr uint16_t kEncrypted = 1;
constexpr uint16_t kDeflated = 8;

using Bytes = std::span<const std::byte>;

struct Directory {
  uint64_t num_entries = 0;
  uint64_t size = 0;
  uint64_t offset = 0;
};

Bytes part(Bytes bytes, uint64_t offset, const std::string& path) {
  if (offset > bytes.size()) fail_weights(path, "is a broken zip: an offset beyond its end");
  return bytes.subspan(offset);
}

// Where the end record starts: it is the last thing but for its comment.
size_t find_end(Bytes bytes, const std::string& path) {
  for (size_t comment = 0; comment <= kMaxComment && comment + kEndBytes <= bytes.size();
       ++comment) {
    const size_t start = bytes.size() - kEndBytes - comment;
    ByteReader reader(bytes.subspan(start), path);
    if (reader.value<uint32_t>() != kEndMark) continue;
    reader.take(16);
    if (reader.value<uint16_t>() == comment) return start;
  }
  fail_weights(path, "is a zip without its end: it is cut short");
}

Directory find_directory(Bytes bytes, const std::string& path) {
  const size_t end = find_end(bytes, path);
  if (end >= kLocatorBytes) {
    ByteReader locator(bytes.subspan(end - kLocatorBytes), path);
    if (locator.value<uint32_t>() == kLocatorMark) {
      locator.take(4);
      ByteReader reader(part(bytes, locator.value<uint64_t>(), path), path);
      if (reader.value<uint32_t>() != kEnd64Mark) reader.fail("is a broken zip: no zip64 record");
      reader.take(28);
      Directory directory{.num_entries = reader.value<uint64_t>()};
      directory.size = reader.value<uint64_t>();
      directory.offset = reader.value<uint64_t>();
      return directory;
    }
  }
  ByteReader reader(bytes.subspan(end), path);
  reader.take(10);
  Directory directory{.num_entries = reader.value<uint16_t>()};
  directory.size = reader.value<uint32_t>();
  directory.offset = reader.value<uint32_t>();
  return directory;
}

// Replaces those of the values that are all ones by what the extra fields say.
void read_zip64_extra(Bytes extra, std::span<uint64_t* const> values, const std::string& path) {
  ByteReader reader(extra, path);
  while (reader.left() >= 4) {
    const auto id = reader.value<uint16_t>();
    ByteReader field(reader.take(reader.value<uint16_t>()), path);
    if (id != 1) continue;
    for (uint64_t* value : values) {
      if (*value == kSeeExtra) *value = field.value<uint64_t>();
    }
  }
}

Bytes find_content(Bytes bytes, uint64_t offset, uint64_t size, const std::string& path) {
  ByteReader local(part(bytes, offset, path), path);
  if (local.value<uint32_t>() != kLocalMark) local.fail("is a broken zip: a file is not there");
  local.take(22);
  const auto name_size = local.value<uint16_t>();
  local.take(local.value<uint16_t>() + size_t{name_size});
  return local.take(size);
}

void check_packing(const ZipEntry& entry, uint16_t method, uint16_t flags, ZipContent allowed,
                   const std::string& path) {
  const bool is_stored = method == 0 && entry.size == entry.bytes.size();
  if ((flags & kEncrypted) == 0 && is_stored) return;
  if (allowed == ZipContent::stored) {
    throw FileError(path, "is a compressed or encrypted zip",
                    "save it again without compression (torch.save, safetensors, numpy.savez)");
  }
  if ((flags & kEncrypted) != 0 || method != kDeflated) {
    throw FileError(path, "is an encrypted zip, or packed in an unusual way",
                    "unpack it with another program");
  }
}

ZipEntry read_entry(ByteReader* reader, Bytes bytes, ZipContent allowed) {
  if (reader->value<uint32_t>() != kEntryMark) reader->fail("is a broken zip: its list of files");
  reader->take(4);
  const auto flags = reader->value<uint16_t>();
  const auto method = reader->value<uint16_t>();
  reader->take(4);
  ZipEntry entry{.crc = reader->value<uint32_t>()};
  uint64_t stored_size = reader->value<uint32_t>();
  entry.size = reader->value<uint32_t>();
  const auto name_size = reader->value<uint16_t>();
  const auto extra_size = reader->value<uint16_t>();
  const auto comment_size = reader->value<uint16_t>();
  reader->take(8);
  uint64_t offset = reader->value<uint32_t>();
  entry.name = reader->text(name_size);
  const Bytes extra = reader->take(extra_size);
  reader->take(comment_size);
  uint64_t* const values[] = {&entry.size, &stored_size, &offset};
  read_zip64_extra(extra, values, reader->path());
  entry.is_deflated = method == kDeflated;
  entry.bytes = find_content(bytes, offset, stored_size, reader->path());
  check_packing(entry, method, flags, allowed, reader->path());
  return entry;
}

}  // namespace

std::vector<ZipEntry> read_zip(std::span<const std::byte> bytes, const std::string& path,
                               ZipContent allowed) {
  const Directory directory = find_directory(bytes, path);
  ByteReader start(part(bytes, directory.offset, path), path);
  ByteReader reader(start.take(directory.size), path);
  std::vector<ZipEntry> entries;
  std::set<std::string_view> names;
  while (reader.left() > 0) {
    entries.push_back(read_entry(&reader, bytes, allowed));
    if (!names.insert(entries.back().name).second) reader.fail("is a zip that names a file twice");
  }
  if (entries.size() != directory.num_entries) reader.fail("is a broken zip: its number of files");
  return entries;
}

}  // namespace sequela
