#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace sequela {

// Decoders of the decompressed blocks of a meds_reader database (format 1 and 2): a block holds one
// property of one subject. The input is not trusted: every size is checked before it is used, and a
// violation is a DataError without a place. Source: the format of PyPI meds_reader 0.2.0.

enum class VByteKind { standard, kind_0124 };

// Decodes `count` integers in Stream VByte from the front of `block` and takes their bytes off it.
void decode_stream_vbyte(VByteKind kind, uint32_t count, std::string_view* block,
                         std::vector<uint32_t>* out);

// Which events of a subject have a value: one bit each.
class PresenceBitmap {
 public:
  // Takes the bitmap of num_events bits off the front of `block`.
  PresenceBitmap(int64_t num_events, std::string_view* block);

  bool has(int64_t event) const {
    return (static_cast<uint8_t>(bits_[event >> 3]) >> (event & 7)) & 1;
  }
  int64_t count() const { return count_; }

 private:
  std::string_view bits_;
  int64_t count_ = 0;
};

// The times of num_events events in microseconds, kNoTime for the nulls at the front.
void decode_times(std::string_view block, int64_t num_events, std::vector<int64_t>* times_us);

// A block of strings: the present values in order of event.
struct StringBlock {
  std::vector<std::string_view> own;  // strings of this subject only
  std::vector<uint32_t> numbers;  // < num_shared: a shared string; else own[number - num_shared]
};
// `block` is what follows the bitmap.
void decode_strings(std::string_view block, int64_t num_present, uint32_t num_shared,
                    StringBlock* strings);

}  // namespace sequela
