#include "sequela/meds/reader/reader_blocks.h"

#include <bit>
#include <cstring>

#include "sequela/core/error.h"
#include "sequela/core/time.h"

namespace sequela {
namespace {

[[noreturn]] void fail(const std::string& problem) {
  throw DataError({}, "damaged database: " + problem, "convert the data set again");
}

template <class T>
T take(std::string_view* block) {
  if (block->size() < sizeof(T)) fail("a block ends too early");
  T value;
  std::memcpy(&value, block->data(), sizeof(T));
  block->remove_prefix(sizeof(T));
  return value;
}

// Walks over the integers of a block of times; a round is days, seconds, microseconds.
class TimeDecoder {
 public:
  TimeDecoder(const std::vector<uint32_t>& integers, int64_t start_us)
      : integers_(integers), time_us_(start_us) {}

  // The number of events of the next time; time_us() is then that time.
  int64_t next() {
    for (const int64_t unit_us : {kMicrosPerDay, kMicrosPerSecond, int64_t{1}}) {
      if (next_ == integers_.size()) fail("fewer times than events");
      const uint32_t integer = integers_[next_++];
      int64_t delta_us;
      if (__builtin_mul_overflow(static_cast<int64_t>(integer >> 4), unit_us, &delta_us) ||
          __builtin_add_overflow(time_us_, delta_us, &time_us_)) {
        fail("a time out of range");
      }
      if (integer & 15) return integer & 15;
    }
    fail("a time without events");
  }
  int64_t time_us() const { return time_us_; }

 private:
  const std::vector<uint32_t>& integers_;
  size_t next_ = 1;  // integer 0 is the number of nulls
  int64_t time_us_;
};

}  // namespace

void decode_stream_vbyte(VByteKind kind, uint32_t count, std::string_view* block,
                         std::vector<uint32_t>* out) {
  constexpr uint8_t kLengths[2][4] = {{1, 2, 3, 4}, {0, 1, 2, 4}};
  const uint8_t* lengths = kLengths[kind == VByteKind::kind_0124];
  const size_t num_control = (size_t{count} + 3) / 4;
  if (block->size() < num_control) fail("a block ends too early");
  const auto* control = reinterpret_cast<const uint8_t*>(block->data());
  block->remove_prefix(num_control);
  const auto* bytes = reinterpret_cast<const uint8_t*>(block->data());
  const size_t size = block->size();
  out->resize(count);
  size_t at = 0;
  for (uint32_t k = 0; k < count; ++k) {
    const size_t length = lengths[(control[k / 4] >> (2 * (k % 4))) & 3];
    if (length > size - at) fail("a block ends too early");
    uint32_t value = 0;
    for (size_t i = 0; i < length; ++i) value |= uint32_t{bytes[at + i]} << (8 * i);
    (*out)[k] = value;
    at += length;
  }
  block->remove_prefix(at);
}

PresenceBitmap::PresenceBitmap(int64_t num_events, std::string_view* block) {
  const size_t num_bytes = static_cast<size_t>((num_events + 63) / 64 * 8);
  if (block->size() < num_bytes) fail("a block ends too early");
  bits_ = block->substr(0, num_bytes);
  block->remove_prefix(num_bytes);
  for (size_t i = 0; i < num_bytes; i += 8) {
    uint64_t word;
    std::memcpy(&word, bits_.data() + i, 8);
    count_ += std::popcount(word);
    const int64_t num_bits = num_events - static_cast<int64_t>(i) * 8;
    if (num_bits < 64 && (word >> num_bits) != 0) fail("values beyond the last event");
  }
}

void decode_times(std::string_view block, int64_t num_events, std::vector<int64_t>* times_us) {
  const auto start_us = take<int64_t>(&block);
  const auto count = take<uint32_t>(&block);
  if (count == 0) fail("a block of times is empty");
  std::vector<uint32_t> integers;
  decode_stream_vbyte(VByteKind::kind_0124, count, &block, &integers);
  if (!block.empty()) fail("bytes after a block of times");
  const int64_t num_nulls = integers[0];
  if (num_nulls > num_events) fail("more times than events");
  times_us->clear();
  times_us->resize(num_nulls, kNoTime);
  TimeDecoder decoder(integers, start_us);
  for (int64_t event = num_nulls; event < num_events;) {
    const int64_t num_equal = decoder.next();
    event += num_equal;
    if (event > num_events) fail("more times than events");
    times_us->resize(event, decoder.time_us());
  }
}

void decode_strings(std::string_view block, int64_t num_present, uint32_t num_shared,
                    StringBlock* strings) {
  const auto count = take<uint32_t>(&block);
  std::vector<uint32_t>& integers = strings->numbers;
  decode_stream_vbyte(VByteKind::standard, count, &block, &integers);
  if (count == 0) fail("a block of texts has no room for its own texts");
  const uint32_t num_own = integers[0];
  if (static_cast<int64_t>(count) - 1 - num_own != num_present) {
    fail("a block of texts does not fit its events");
  }
  strings->own.clear();
  for (uint32_t k = 1; k <= num_own; ++k) {
    if (integers[k] > block.size()) fail("a block ends too early");
    strings->own.push_back(block.substr(0, integers[k]));
    block.remove_prefix(integers[k]);
  }
  if (!block.empty()) fail("bytes after a block of texts");
  integers.erase(integers.begin(), integers.begin() + 1 + num_own);
  for (const uint32_t number : integers) {
    if (number >= uint64_t{num_shared} + num_own) fail("a text that the database does not hold");
  }
}

}  // namespace sequela
