#include "sequela/ontology/code_table.h"

#include <utility>

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr size_t kFirstSlots = 1024;
constexpr int32_t kMaxCodes = 1 << 30;

}  // namespace

int32_t CodeTable::add(std::string_view code, size_t hash) {
  if (ends_.size() * 2 > slots_.size()) grow();
  const auto short_hash = static_cast<uint32_t>(hash);
  const size_t mask = slots_.size() - 1;
  size_t place = short_hash & mask;
  for (; slots_[place].id >= 0; place = (place + 1) & mask) {
    if (slots_[place].hash == short_hash && this->code(slots_[place].id) == code) {
      return slots_[place].id;
    }
  }
  if (size() == kMaxCodes) {
    throw ResourceError("ontology: more than 2^30 codes");
  }
  slots_[place] = {short_hash, size()};
  text_.append(code);
  ends_.push_back(text_.size());
  return slots_[place].id;
}

void CodeTable::grow() {
  std::vector<Slot> old(slots_.empty() ? kFirstSlots : slots_.size() * 2);
  std::swap(old, slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.id < 0) continue;
    size_t place = slot.hash & mask;
    while (slots_[place].id >= 0) place = (place + 1) & mask;
    slots_[place] = slot;
  }
}

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
