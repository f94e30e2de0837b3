// Layout: blocks of data, a block of meta data, a block that is the index, then a footer of 48
// bytes: two handles (of the meta block and of the index) as pairs of varints offset, size;
// padding; the magic number 0xdb4775248b80fb57.
//   block    entries | u32 offsets of the restarts | u32 number of restarts
//   trailer  after each block: u8 compression (0 none) | u32 masked crc32c of block and that byte
//   entry    varint bytes shared with the key before | varint bytes of key not shared |
//            varint bytes of value | the key's rest | the value
// In the index, the values are handles of the data blocks.
// Source: leveldb, doc/table_format.md; tensorflow/core/lib/io/table_builder.cc.
#include "sequela/io/weights/sstable.h"

#include <algorithm>
#include <optional>

#include "sequela/io/crc.h"
#include "sequela/io/weights/byte_reader.h"

namespace sequela {
namespace {

using Bytes = std::span<const std::byte>;
using Visit = std::function<void(const std::string&, Bytes)>;

constexpr size_t kFooterBytes = 48;
constexpr size_t kTrailerBytes = 5;
constexpr uint64_t kMagic = 0xdb4775248b80fb57;
constexpr size_t kMaxKeyBytes = 1024;
constexpr size_t kMaxKeySharing = 64;  // bytes of all keys, per byte of the table
constexpr uint32_t kMaskDelta = 0xa282ead8;

struct Handle {
  uint64_t offset = 0;
  uint64_t size = 0;
};

Handle read_handle(ByteReader* reader) {
  Handle handle{.offset = reader->varint()};
  handle.size = reader->varint();
  return handle;
}

class Table {
 public:
  Table(Bytes bytes, const std::string& path, Checksums checksums)
      : bytes_(bytes),
        path_(path),
        checksums_(checksums),
        keys_left_(kMaxKeySharing * bytes.size()) {}

  void read(const Visit& visit) {
    if (bytes_.size() < kFooterBytes) fail_weights(path_, "is too short to be a TensorFlow index");
    ByteReader footer(bytes_.last(kFooterBytes), path_);
    ByteReader magic(bytes_.last(sizeof(kMagic)), path_);
    if (magic.value<uint64_t>() != kMagic)
      fail_weights(path_, "is no TensorFlow index, or cut short");
    read_handle(&footer);
    const Handle index = read_handle(&footer);
    uint64_t end = 0;  // of the blocks read so far: none is read twice
    std::optional<std::string> last_key;
    read_block(index, [&](const std::string&, Bytes value) {
      ByteReader reader(value, path_);
      const Handle block = read_handle(&reader);
      if (block.offset < end) fail_weights(path_, "has blocks that overlap");
      read_block(block, [&](const std::string& key, Bytes content) {
        if (last_key && key <= *last_key) fail_weights(path_, "has names out of order");
        last_key = key;
        visit(key, content);
      });
      end = block.offset + block.size;
    });
  }

 private:
  Bytes find_block(const Handle& handle) {
    ByteReader reader(bytes_, path_);
    reader.take(handle.offset);
    const Bytes block = reader.take(handle.size);
    const auto compression = reader.value<uint8_t>();
    const uint32_t masked = reader.value<uint32_t>() - kMaskDelta;
    const uint32_t crc = (masked << 15) | (masked >> 17);
    if (checksums_ == Checksums::check && crc32c(0, block.data(), block.size() + 1) != crc) {
      fail_weights(path_, "is damaged: a checksum is wrong");
    }
    if (compression != 0) {
      throw FileError(path_, "is a compressed index", "save the checkpoint again with TensorFlow");
    }
    return block;
  }

  void read_block(const Handle& handle, const Visit& visit) {
    const Bytes block = find_block(handle);
    if (block.size() < sizeof(uint32_t)) fail_weights(path_, "has a block without an end");
    ByteReader tail(block.last(sizeof(uint32_t)), path_);
    const uint64_t restarts_bytes = (uint64_t{tail.value<uint32_t>()} + 1) * sizeof(uint32_t);
    if (restarts_bytes > block.size()) fail_weights(path_, "has a block without an end");
    ByteReader reader(block.first(block.size() - restarts_bytes), path_);
    std::string key;
    while (reader.left() > 0) {
      const uint64_t shared = reader.varint();
      const uint64_t rest = reader.varint();
      const uint64_t value_size = reader.varint();
      if (shared > key.size() || rest > kMaxKeyBytes - std::min(shared, kMaxKeyBytes)) {
        fail_weights(path_, "has a name that is too long");
      }
      key.resize(shared);
      key += reader.text(rest);
      if (key.size() > keys_left_) fail_weights(path_, "has names that are too long in all");
      keys_left_ -= key.size();
      visit(key, reader.take(value_size));
    }
  }

  Bytes bytes_;
  const std::string& path_;
  Checksums checksums_;
  size_t keys_left_;
};

}  // namespace

void read_sstable(Bytes bytes, const std::string& path, Checksums checksums, const Visit& visit) {
  Table(bytes, path, checksums).read(visit);
}

}  // namespace sequela
