#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// Numbers distinct codes 0, 1, ... in the order in which they come. Made for tens of millions:
// about 16 bytes a code besides its text.
class CodeTable {
 public:
  // A code's hash, to be computed where there is time for it (on many threads).
  static size_t hash(std::string_view code) { return std::hash<std::string_view>{}(code); }

  int32_t size() const { return static_cast<int32_t>(ends_.size()) - 1; }
  // Lives until the next add().
  std::string_view code(int32_t id) const {
    return std::string_view(text_).substr(ends_[id], ends_[id + 1] - ends_[id]);
  }
  // The number of the code, a new one if it was not there. `hash` is that of the code.
  int32_t add(std::string_view code, size_t hash);
  int32_t add(std::string_view code) { return add(code, hash(code)); }

 private:
  struct Slot {
    uint32_t hash = 0;
    int32_t id = -1;
  };
  void grow();

  std::string text_;                  // all codes in a row
  std::vector<uint64_t> ends_ = {0};  // code i is text_[ends_[i], ends_[i + 1])
  std::vector<Slot> slots_;           // open addressing, a power of two, at most half full
};

// What a concept id stands for.
struct Concept {
  int32_t node = -1;
  bool is_standard = true;
};

// Finds concepts by their ids.
class ConceptTable {
 public:
  int64_t size() const { return size_; }
  // Null if there is none of this id. Lives until the next add().
  Concept* find(int64_t concept_id);
  const Concept* find(int64_t concept_id) const {
    return const_cast<ConceptTable*>(this)->find(concept_id);
  }
  // The id must not be there yet.
  void add(int64_t concept_id, Concept concept_of_id);

 private:
  struct Slot {
    int64_t id = 0;
    Concept value;
  };
  size_t place_of(int64_t concept_id) const;
  void grow();

  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full; node -1 = free
  int64_t size_ = 0;
};

}  // namespace sequela
