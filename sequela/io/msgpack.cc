// Layout: one tag byte a value, then big-endian fields. 00-7f and e0-ff small integers; 80-8f, de,
// df maps; 90-9f, dc, dd arrays; a0-bf, d9-db text; c4-c6 binary; c0 nil; c2, c3 false, true; ca,
// cb floats; cc-cf unsigned, d0-d3 signed integers; the rest are extensions. Source:
// github.com/msgpack/msgpack, spec.md
#include "sequela/io/msgpack.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "sequela/core/error.h"
#include "sequela/io/big_endian.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kMaxValues = size_t{1} << 25;
constexpr size_t kMaxBytes = size_t{1} << 30;

template <size_t kBytes>
using Unsigned = std::conditional_t<
    kBytes == 1, uint8_t,
    std::conditional_t<kBytes == 2, uint16_t, std::conditional_t<kBytes == 4, uint32_t, uint64_t>>>;

}  // namespace

void MsgpackValue::fail(const std::string& wanted) const {
  throw FileError(path_ == nullptr ? "msgpack" : *path_,
                  "its content is not as expected: " + wanted);
}

bool MsgpackValue::as_bool() const {
  if (kind_ != Kind::boolean) fail("a boolean is missing");
  return boolean_;
}

int64_t MsgpackValue::as_int() const {
  if (kind_ != Kind::integer) fail("an integer is missing");
  return integer_;
}

double MsgpackValue::as_double() const {
  if (kind_ == Kind::integer) return static_cast<double>(integer_);
  if (kind_ != Kind::number) fail("a number is missing");
  return number_;
}

std::string_view MsgpackValue::as_text() const {
  if (kind_ != Kind::text && kind_ != Kind::binary) fail("a text is missing");
  return text_;
}

const std::vector<MsgpackValue>& MsgpackValue::as_array() const {
  if (kind_ != Kind::array) fail("a list is missing");
  return items_;
}

const std::vector<MsgpackValue>& MsgpackValue::as_map() const {
  if (kind_ != Kind::map) fail("a map is missing");
  return items_;
}

// The last entry of a name counts, as in Python.
const MsgpackValue* MsgpackValue::find(std::string_view key) const {
  const std::vector<MsgpackValue>& items = as_map();
  for (size_t i = items.size(); i >= 2; i -= 2) {
    const MsgpackValue& name = items[i - 2];
    const bool is_text = name.kind_ == Kind::text || name.kind_ == Kind::binary;
    if (is_text && name.text_ == key) return &items[i - 1];
  }
  return nullptr;
}

const MsgpackValue& MsgpackValue::at(std::string_view key) const {
  const MsgpackValue* value = find(key);
  if (value == nullptr) fail(str("no entry '", key, "'"));
  return *value;
}

// Decodes one document. Nesting is bounded, so recursion is.
class MsgpackReader {
 public:
  MsgpackReader(std::string_view bytes, const std::string* path) : left_(bytes), path_(path) {}

  void read_document(MsgpackValue* root) {
    read(root, 0);
    if (!left_.empty()) fail("bytes after its end");
  }

 private:
  using Kind = MsgpackValue::Kind;

  [[noreturn]] void fail(const std::string& cause) const {
    throw FileError(*path_, "not a valid msgpack file: " + cause, "copy or make the file again");
  }

  std::string_view take(size_t size) {
    if (size > left_.size()) fail("it is cut short");
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  template <size_t kBytes>
  Unsigned<kBytes> take_unsigned() {
    Unsigned<kBytes> value;
    std::memcpy(&value, take(kBytes).data(), kBytes);
    return swap_big_endian(value);
  }

  void set_integer(MsgpackValue* value, int64_t integer) {
    value->kind_ = Kind::integer;
    value->integer_ = integer;
  }

  void set_number(MsgpackValue* value, double number) {
    value->kind_ = Kind::number;
    value->number_ = number;
  }

  void set_text(MsgpackValue* value, Kind kind, size_t size) {
    value->kind_ = kind;
    value->text_ = take(size);
  }

  void read_items(MsgpackValue* value, Kind kind, size_t count, int depth) {
    value->kind_ = kind;
    if (depth >= kMaxDepth) fail(str("nested deeper than ", kMaxDepth));
    if (count > left_.size()) fail("it is cut short");
    num_values_ += count;
    if (num_values_ > kMaxValues) fail("too many values");
    value->items_.resize(count);
    for (MsgpackValue& item : value->items_) read(&item, depth + 1);
  }

  void read_map(MsgpackValue* value, size_t num_entries, int depth) {
    read_items(value, Kind::map, 2 * num_entries, depth);
  }

  void read(MsgpackValue* value, int depth) {
    value->path_ = path_;
    const uint8_t tag = take_unsigned<1>();
    if (tag <= 0x7f) return set_integer(value, tag);
    if (tag >= 0xe0) return set_integer(value, static_cast<int8_t>(tag));
    if (tag <= 0x8f) return read_map(value, tag & 0x0f, depth);
    if (tag <= 0x9f) return read_items(value, Kind::array, tag & 0x0f, depth);
    if (tag <= 0xbf) return set_text(value, Kind::text, tag & 0x1f);
    read_tagged(value, tag, depth);
  }

  void read_tagged(MsgpackValue* value, uint8_t tag, int depth) {
    switch (tag) {
      case 0xc0:
        return;
      case 0xc2:
      case 0xc3:
        value->kind_ = Kind::boolean;
        value->boolean_ = tag == 0xc3;
        return;
      case 0xc4:
        return set_text(value, Kind::binary, take_unsigned<1>());
      case 0xc5:
        return set_text(value, Kind::binary, take_unsigned<2>());
      case 0xc6:
        return set_text(value, Kind::binary, take_unsigned<4>());
      case 0xca:
        return set_number(value, std::bit_cast<float>(take_unsigned<4>()));
      case 0xcb:
        return set_number(value, std::bit_cast<double>(take_unsigned<8>()));
      case 0xcc:
        return set_integer(value, take_unsigned<1>());
      case 0xcd:
        return set_integer(value, take_unsigned<2>());
      case 0xce:
        return set_integer(value, take_unsigned<4>());
      case 0xcf: {
        const uint64_t number = take_unsigned<8>();
        if (number > uint64_t{INT64_MAX}) fail("an integer above 2^63");
        return set_integer(value, static_cast<int64_t>(number));
      }
      case 0xd0:
        return set_integer(value, static_cast<int8_t>(take_unsigned<1>()));
      case 0xd1:
        return set_integer(value, static_cast<int16_t>(take_unsigned<2>()));
      case 0xd2:
        return set_integer(value, static_cast<int32_t>(take_unsigned<4>()));
      case 0xd3:
        return set_integer(value, static_cast<int64_t>(take_unsigned<8>()));
      case 0xd9:
        return set_text(value, Kind::text, take_unsigned<1>());
      case 0xda:
        return set_text(value, Kind::text, take_unsigned<2>());
      case 0xdb:
        return set_text(value, Kind::text, take_unsigned<4>());
      case 0xdc:
        return read_items(value, Kind::array, take_unsigned<2>(), depth);
      case 0xdd:
        return read_items(value, Kind::array, take_unsigned<4>(), depth);
      case 0xde:
        return read_map(value, take_unsigned<2>(), depth);
      case 0xdf:
        return read_map(value, take_unsigned<4>(), depth);
      default:
        fail("an extension or unused type");
    }
  }

  std::string_view left_;
  const std::string* path_;
  size_t num_values_ = 0;
};

MsgpackDocument::MsgpackDocument(const std::string& path)
    : MsgpackDocument(read_file(path, kMaxBytes), path) {}

MsgpackDocument::MsgpackDocument(std::string bytes, std::string name)
    : path_(std::move(name)), bytes_(std::move(bytes)) {
  MsgpackReader(bytes_, &path_).read_document(&root_);
}

}  // namespace sequela
