#include "sequela/ontology/concept_table.h"

#include "sequela/core/error.h"

namespace sequela {

void ConceptTable::set(int64_t concept_id, Concept concept_of_id) {
  SEQUELA_CHECK(concept_id >= 0 && concept_id <= kMaxId);
  const auto page = static_cast<size_t>(concept_id >> kPageBits);
  if (page >= pages_.size()) pages_.resize(page + 1, -1);
  if (pages_[page] < 0) {
    pages_[page] = static_cast<int32_t>(entries_.size() / kPageSize);
    entries_.resize(entries_.size() + kPageSize, -1);
  }
  entries_[place(concept_id)] = concept_of_id.node * 2 + (concept_of_id.is_standard ? 1 : 0);
}

}  // namespace sequela
