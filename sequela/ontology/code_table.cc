#include "sequela/ontology/code_table.h"

#include <limits>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/random.h"

namespace sequela {
namespace {

constexpr size_t kFirstSlots = 1024;

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
  if (size() == std::numeric_limits<int32_t>::max() - 1) {
    throw ResourceError("ontology: more than 2^31 codes");
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

size_t ConceptTable::place_of(int64_t concept_id) const {
  const size_t mask = slots_.size() - 1;
  size_t place = mix64(static_cast<uint64_t>(concept_id)) & mask;
  while (slots_[place].value.node >= 0 && slots_[place].id != concept_id)
    place = (place + 1) & mask;
  return place;
}

Concept* ConceptTable::find(int64_t concept_id) {
  if (slots_.empty()) return nullptr;
  Slot& slot = slots_[place_of(concept_id)];
  return slot.value.node >= 0 ? &slot.value : nullptr;
}

void ConceptTable::add(int64_t concept_id, Concept concept_of_id) {
  if (static_cast<size_t>(size_ + 1) * 2 > slots_.size()) grow();
  slots_[place_of(concept_id)] = {concept_id, concept_of_id};
  ++size_;
}

void ConceptTable::grow() {
  std::vector<Slot> old(slots_.empty() ? kFirstSlots : slots_.size() * 2);
  std::swap(old, slots_);
  for (const Slot& slot : old) {
    if (slot.value.node >= 0) slots_[place_of(slot.id)] = slot;
  }
}

}  // namespace sequela
