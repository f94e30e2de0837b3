#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// Numbers distinct texts 0, 1, ... in the order in which they come, and finds them again. Made for
// tens of millions: about 16 bytes a text besides its characters; a look-up allocates nothing. Safe
// to read from many threads.
class TextTable {
 public:
  // A text's hash, to be computed where there is time for it (on many threads).
  static size_t hash(std::string_view text) { return std::hash<std::string_view>{}(text); }

  int32_t size() const { return static_cast<int32_t>(ends_.size()) - 1; }
  // Lives until the next add().
  std::string_view text(int32_t id) const {
    return std::string_view(text_).substr(ends_[id], ends_[id + 1] - ends_[id]);
  }
  int32_t find(std::string_view text) const;  // -1 = not there
  // The number of the text, a new one if it was not there. `hash` is that of the text. Throws
  // ResourceError above 2^30 texts.
  int32_t add(std::string_view text, size_t hash);
  int32_t add(std::string_view text) { return add(text, hash(text)); }

 private:
  struct Slot {
    uint32_t hash = 0;
    int32_t id = -1;
  };
  size_t place_of(std::string_view text, uint32_t hash) const;
  void grow();

  std::string text_;                  // all texts in a row
  std::vector<uint64_t> ends_ = {0};  // text i is text_[ends_[i], ends_[i + 1])
  std::vector<Slot> slots_;           // open addressing, a power of two, at most half full
};

}  // namespace sequela
