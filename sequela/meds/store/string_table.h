#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// Numbers distinct strings 0, 1, 2, ... in the order in which they first come. Bytes are kept once,
// in one buffer.
class StringTable {
 public:
  StringTable();

  // The number of `text`, a new one if it was not met before.
  int32_t add(std::string_view text);
  // The number of `text`, -1 if it was not met.
  int32_t find(std::string_view text) const;

  int32_t size() const { return static_cast<int32_t>(ends_.size()) - 1; }
  std::string_view text(int32_t id) const {
    return {bytes_.data() + ends_[id], static_cast<size_t>(ends_[id + 1] - ends_[id])};
  }
  // text(i) is bytes()[ends()[i] .. ends()[i + 1]); ends() has size() + 1 items.
  std::span<const uint64_t> ends() const { return ends_; }
  std::string_view bytes() const { return bytes_; }

 private:
  size_t find_slot(std::string_view text, uint64_t hash) const;
  void grow();

  std::string bytes_;
  std::vector<uint64_t> ends_;    // begins with 0
  std::vector<uint64_t> hashes_;  // by id
  std::vector<int32_t> slots_;    // open addressing, -1 = free; the size is a power of two
};

// A stored string table; a view.
struct StringView {
  std::span<const uint64_t> ends;
  std::string_view bytes;

  int32_t size() const { return static_cast<int32_t>(ends.size()) - 1; }
  std::string_view operator[](int32_t id) const {
    return bytes.substr(ends[id], ends[id + 1] - ends[id]);
  }
  // True if the ends ascend from 0 to the end of the bytes.
  bool is_sound() const;
};

}  // namespace sequela
