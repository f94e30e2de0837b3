#pragma once

// The bytes of a meds_reader database, made here: blocks, columns and whole folders.

#include <gtest/gtest.h>
#include <zstd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sequela/io/file.h"
#include "sequela/meds/reader/reader_blocks.h"
#include "sequela/meds/reader/reader_database.h"

namespace sequela {

using Integers = std::vector<uint32_t>;

inline void append(std::string* out, uint64_t value, int num_bytes) {
  for (int i = 0; i < num_bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

// Stream VByte, every integer in as few bytes as its kind allows.
inline std::string packed(VByteKind kind, const Integers& integers) {
  std::string control((integers.size() + 3) / 4, '\0'), bytes;
  for (size_t k = 0; k < integers.size(); ++k) {
    int length = 0;
    while (length < 4 && integers[k] >> (8 * length) != 0) ++length;
    if (kind == VByteKind::kind_0124 && length == 3) length = 4;
    if (kind == VByteKind::standard && length == 0) length = 1;
    const int code = kind == VByteKind::standard ? length - 1 : length == 4 ? 3 : length;
    control[k / 4] = static_cast<char>(control[k / 4] | code << (2 * (k % 4)));
    append(&bytes, integers[k], length);
  }
  return control + bytes;
}

inline std::string times_block(int64_t start_us, const Integers& integers) {
  std::string block;
  append(&block, static_cast<uint64_t>(start_us), 8);
  append(&block, integers.size(), 4);
  return block + packed(VByteKind::kind_0124, integers);
}

inline std::string strings_block(const Integers& integers, const std::string& own) {
  std::string block;
  append(&block, integers.size(), 4);
  return block + packed(VByteKind::standard, integers) + own;
}

// One bit an event.
inline std::string presence_bits(const std::vector<bool>& has) {
  std::string bits((has.size() + 63) / 64 * 8, '\0');
  for (size_t i = 0; i < has.size(); ++i) {
    if (has[i]) bits[i / 8] = static_cast<char>(bits[i / 8] | 1 << i % 8);
  }
  return bits;
}

inline std::string compressed(const std::string& content) {
  std::string frame(ZSTD_compressBound(content.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), content.data(), content.size(), 1));
  return frame;
}

// A column's file "data" of a block for each subject.
inline std::string column_data(const std::vector<std::string>& blocks) {
  std::string offsets, frames;
  const size_t start = (blocks.size() + 1) * sizeof(uint64_t);
  for (const std::string& block : blocks) {
    append(&offsets, start + frames.size(), 8);
    append(&frames, block.size(), 4);
    frames += compressed(block);
  }
  append(&offsets, start + frames.size(), 8);
  return offsets + frames;
}

// A column's file "dictionary" of texts that subjects share.
inline std::string dictionary_of(const std::vector<std::string>& texts) {
  std::string records, file;
  for (const std::string& text : texts) {
    append(&records, 1, 8);
    append(&records, text.size(), 8);
    records += text;
  }
  const std::string frame = compressed(records);
  append(&file, frame.size(), 8);
  return file + frame;
}

// Two subjects, 5 of 3 events and 6 of one, with codes, times and properties of one's own.
class MadeDatabase {
 public:
  explicit MadeDatabase(const std::string& folder) : folder_(folder) {
    std::string ids, lengths;
    append(&ids, 5, 8), append(&ids, 6, 8);
    append(&lengths, 3, 4), append(&lengths, 1, 4);
    std::filesystem::create_directories(folder);
    write_file(folder + "/meds_reader.version", "2");
    write_file(folder + "/subject_id", ids);
    write_file(folder + "/meds_reader.length", lengths);
    const std::string all = presence_bits({true, true, true}), one = presence_bits({true});
    add("code", ReaderType::string,
        {all + strings_block({1, 3, 0, 1, 2}, "own"), one + strings_block({0, 1}, "")},
        {"MEDS_BIRTH", "shared"});
    add("time", ReaderType::timestamp,
        {times_block(0, {0, 1, 1 << 4 | 2}), times_block(7, {0, 1})});
  }

  void add(const std::string& name, ReaderType type, const std::vector<std::string>& blocks,
           const std::vector<std::string>& shared = {}) {
    append(&properties_, name.size(), 8);
    properties_ += name;
    append(&properties_, static_cast<uint64_t>(type), 8);
    write_file(folder_ + "/meds_reader.properties", properties_);
    std::filesystem::create_directories(folder_ + "/" + name);
    write_file(folder_ + "/" + name + "/data", column_data(blocks));
    write_file(folder_ + "/" + name + "/zdict", "");
    if (is_string(type)) write_file(folder_ + "/" + name + "/dictionary", dictionary_of(shared));
  }

 private:
  std::string folder_, properties_;
};

}  // namespace sequela
