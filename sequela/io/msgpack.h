#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// One value of a MessagePack document. The accessors throw FileError, naming the document, if the
// value is of another kind. Values and their texts live as long as the document.
class MsgpackValue {
 public:
  enum class Kind { nil, boolean, integer, number, text, binary, array, map };

  Kind kind() const { return kind_; }
  bool is_nil() const { return kind_ == Kind::nil; }
  bool as_bool() const;
  int64_t as_int() const;
  double as_double() const;          // an integer is taken too
  std::string_view as_text() const;  // text or binary; need not be UTF-8
  const std::vector<MsgpackValue>& as_array() const;

  // Entries of a map: key and value in turn, in the document's order.
  const std::vector<MsgpackValue>& as_map() const;
  const MsgpackValue* find(std::string_view key) const;  // nullptr if there is none
  const MsgpackValue& at(std::string_view key) const;    // FileError if there is none

 private:
  friend class MsgpackReader;
  [[noreturn]] void fail(const std::string& wanted) const;

  Kind kind_ = Kind::nil;
  union {
    bool boolean_;
    int64_t integer_ = 0;
    double number_;
  };
  std::string_view text_;
  std::vector<MsgpackValue> items_;
  const std::string* path_ = nullptr;
};

// A MessagePack file read whole. Untrusted input: nesting is bounded (64), so is the number of
// values, and lengths are checked against what is left of the file. Extension types are refused.
// Throws FileError.
class MsgpackDocument {
 public:
  explicit MsgpackDocument(const std::string& path);
  MsgpackDocument(std::string bytes, std::string name);  // from memory; `name` is for errors
  MsgpackDocument(const MsgpackDocument&) = delete;
  MsgpackDocument& operator=(const MsgpackDocument&) = delete;

  const MsgpackValue& root() const { return root_; }

 private:
  std::string path_;
  std::string bytes_;
  MsgpackValue root_;
};

// Builds a MessagePack document, with the same bytes as Python's msgpack.packb. The caller sees to
// it that as many values follow begin_array (twice as many, keys first, for begin_map) as it said.
class MsgpackWriter {
 public:
  void begin_map(size_t num_entries);
  void begin_array(size_t num_items);
  void nil();
  void boolean(bool value);
  void integer(int64_t value);
  void number(double value);
  void text(std::string_view value);

  const std::string& bytes() const { return bytes_; }

 private:
  void tag(uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  template <class T>
  void big_endian(T value);

  std::string bytes_;
};

}  // namespace sequela
