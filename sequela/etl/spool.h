#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sequela/core/text_table.h"
#include "sequela/etl/ledger.h"
#include "sequela/io/file.h"

namespace sequela {

// The events of one table on their way to the shards: a file that holds, for each shard, runs of
// records. A record is little-endian:
//
//   u32 bytes that follow   i64 subject_id   i64 time (kNoTime = static)   u32 code   u16 block
//   u8  bits of RecordPart       f32 number   u32 size, text
//   then each extra column of the block: u8 is there, and if so i64, f64, u8 or u32 size, text
//
// A footer in JSON (codes, ledger, where the runs lie), then i64 where it starts. It is a working
// file: no stability is promised.

enum RecordPart : uint8_t { kHasNumber = 1, kHasText = 2 };

// Appends values to a record.
class SpoolRecord {
 public:
  void clear() { bytes_.clear(); }
  template <class T>
  void put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put_text(std::string_view text) {
    put(static_cast<uint32_t>(text.size()));
    bytes_.append(text);
  }
  std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Takes them off again. The bytes are our own: they are trusted.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  T take() {
    T value;
    std::char_traits<char>::copy(reinterpret_cast<char*>(&value), bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  std::string_view take_text() {
    const auto size = take<uint32_t>();
    const std::string_view text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return text;
  }
  std::string_view left() const { return bytes_; }

 private:
  std::string_view bytes_;
};

struct SpoolRun {
  int64_t offset = 0, size = 0;
};

class SpoolWriter {
 public:
  // The file appears when finish() returns. `buffer_bytes` are held for each shard.
  SpoolWriter(const std::string& path, int64_t num_shards, size_t buffer_bytes);

  // The number of a code.
  int32_t code(std::string_view text) { return codes_.add(text); }
  // Notes what goes with a code of a block; each pair counts once.
  void add_components(int32_t block, int32_t code, std::string_view components);
  void add(int64_t shard, std::string_view record);
  void finish(const TableLedger& ledger);

 private:
  void flush(int64_t shard);

  AtomicFile file_;
  const size_t buffer_bytes_;
  std::vector<std::string> buffers_;
  std::vector<std::vector<SpoolRun>> runs_;
  TextTable codes_;
  TextTable components_;  // block, code and components in one text
};

// A code with what goes with it.
struct CodeComponents {
  int32_t block = 0, code = 0;
  std::string components;
};

class SpoolFile {
 public:
  explicit SpoolFile(const std::string& path);  // FileError if it is damaged

  const std::vector<std::string>& codes() const { return codes_; }
  const std::vector<CodeComponents>& components() const { return components_; }
  const TableLedger& ledger() const { return ledger_; }
  int64_t num_bytes(int64_t shard) const;
  // The shard's records, each without its size.
  std::vector<std::string_view> records(int64_t shard) const;
  // Takes a shard's pages out of memory.
  void release(int64_t shard) const;

 private:
  MappedFile file_;
  std::vector<std::string> codes_;
  std::vector<CodeComponents> components_;
  TableLedger ledger_;
  std::vector<std::vector<SpoolRun>> runs_;
};

}  // namespace sequela
