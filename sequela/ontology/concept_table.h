#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace sequela {

// What a concept id stands for.
struct Concept {
  int32_t node = 0;
  bool is_standard = true;
};

// Finds concepts by their ids: pages of 256 ids, so that neighbours lie together, as they do in
// Athena's files.
class ConceptTable {
 public:
  static constexpr int64_t kMaxId = (int64_t{1} << 32) - 1;  // OMOP's are below 2^31

  // Nothing if there is none of this id, whatever the id.
  std::optional<Concept> find(int64_t concept_id) const {
    const uint64_t page = static_cast<uint64_t>(concept_id) >> kPageBits;
    if (page >= pages_.size() || pages_[page] < 0) return std::nullopt;
    const int32_t entry = entries_[place(concept_id)];
    if (entry < 0) return std::nullopt;
    return Concept{entry >> 1, (entry & 1) != 0};
  }
  // Has the memory of a later find() fetched.
  void prefetch(int64_t concept_id) const {
    const uint64_t page = static_cast<uint64_t>(concept_id) >> kPageBits;
    if (page < pages_.size() && pages_[page] >= 0) {
      __builtin_prefetch(entries_.data() + place(concept_id));
    }
  }
  // Adds or replaces. The id is in [0, kMaxId], the node below 2^30.
  void set(int64_t concept_id, Concept concept_of_id);

 private:
  static constexpr int kPageBits = 8;
  static constexpr int64_t kPageSize = int64_t{1} << kPageBits;

  size_t place(int64_t concept_id) const {
    return static_cast<size_t>(pages_[concept_id >> kPageBits]) * kPageSize +
           static_cast<size_t>(concept_id & (kPageSize - 1));
  }

  std::vector<int32_t> pages_;    // the page's place among those in entries_, -1 = none
  std::vector<int32_t> entries_;  // node * 2 + is_standard, -1 = no concept
};

}  // namespace sequela
