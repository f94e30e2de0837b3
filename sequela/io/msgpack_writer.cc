#include <bit>
#include <cstring>
#include <stdexcept>

#include "sequela/io/big_endian.h"
#include "sequela/io/msgpack.h"

namespace sequela {

template <class T>
void MsgpackWriter::big_endian(T value) {
  value = swap_big_endian(value);
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void MsgpackWriter::begin_map(size_t num_entries) {
  if (num_entries <= 0x0f) return tag(static_cast<uint8_t>(0x80 | num_entries));
  if (num_entries <= 0xffff) {
    tag(0xde);
    return big_endian(static_cast<uint16_t>(num_entries));
  }
  if (num_entries > UINT32_MAX) throw std::invalid_argument("msgpack: a map of too many entries");
  tag(0xdf);
  big_endian(static_cast<uint32_t>(num_entries));
}

void MsgpackWriter::begin_array(size_t num_items) {
  if (num_items <= 0x0f) return tag(static_cast<uint8_t>(0x90 | num_items));
  if (num_items <= 0xffff) {
    tag(0xdc);
    return big_endian(static_cast<uint16_t>(num_items));
  }
  if (num_items > UINT32_MAX) throw std::invalid_argument("msgpack: a list of too many items");
  tag(0xdd);
  big_endian(static_cast<uint32_t>(num_items));
}

void MsgpackWriter::nil() {
  tag(0xc0);
}
void MsgpackWriter::boolean(bool value) {
  tag(value ? 0xc3 : 0xc2);
}

void MsgpackWriter::integer(int64_t value) {
  if (value >= -32 && value <= 127) return tag(static_cast<uint8_t>(value));
  const bool is_negative = value < 0;
  const auto add = [&](uint8_t unsigned_tag, auto typed) {
    tag(is_negative ? static_cast<uint8_t>(unsigned_tag + 4) : unsigned_tag);
    big_endian(typed);
  };
  // A negative number of n bits fits where its complement needs n - 1.
  const uint64_t magnitude =
      is_negative ? 2 * static_cast<uint64_t>(~value) : static_cast<uint64_t>(value);
  if (magnitude <= UINT8_MAX) return add(0xcc, static_cast<uint8_t>(value));
  if (magnitude <= UINT16_MAX) return add(0xcd, static_cast<uint16_t>(value));
  if (magnitude <= UINT32_MAX) return add(0xce, static_cast<uint32_t>(value));
  add(0xcf, static_cast<uint64_t>(value));
}

void MsgpackWriter::number(double value) {
  tag(0xcb);
  big_endian(std::bit_cast<uint64_t>(value));
}

void MsgpackWriter::text(std::string_view value) {
  const size_t size = value.size();
  if (size <= 31) {
    tag(static_cast<uint8_t>(0xa0 | size));
  } else if (size <= 0xff) {
    tag(0xd9);
    big_endian(static_cast<uint8_t>(size));
  } else if (size <= 0xffff) {
    tag(0xda);
    big_endian(static_cast<uint16_t>(size));
  } else {
    if (size > UINT32_MAX) throw std::invalid_argument("msgpack: a text too long");
    tag(0xdb);
    big_endian(static_cast<uint32_t>(size));
  }
  bytes_.append(value);
}

}  // namespace sequela
