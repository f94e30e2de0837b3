#include "sequela/tokenizer/sequence/text_table.h"

#include <functional>

namespace sequela {
namespace {

uint32_t hash_of(std::string_view text) {
  const size_t hash = std::hash<std::string_view>{}(text);
  return static_cast<uint32_t>(hash ^ (hash >> 32));
}

}  // namespace

// The slot that holds the text, or the free one where it belongs.
size_t TextTable::place_of(std::string_view text, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t place = hash & mask;
  while (slots_[place].id >= 0 &&
         (slots_[place].hash != hash || this->text(slots_[place].id) != text)) {
    place = (place + 1) & mask;
  }
  return place;
}

int32_t TextTable::find(std::string_view text) const {
  return slots_.empty() ? -1 : slots_[place_of(text, hash_of(text))].id;
}

int32_t TextTable::add(std::string_view text) {
  if (2 * ends_.size() > slots_.size()) grow();
  const uint32_t hash = hash_of(text);
  Slot& slot = slots_[place_of(text, hash)];
  if (slot.id < 0) {
    slot = {hash, size()};
    text_ += text;
    ends_.push_back(text_.size());
  }
  return slot.id;
}

void TextTable::grow() {
  std::vector<Slot> old(slots_.empty() ? 64 : 2 * slots_.size());
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.id < 0) continue;
    size_t place = slot.hash & mask;
    while (slots_[place].id >= 0) place = (place + 1) & mask;
    slots_[place] = slot;
  }
}

}  // namespace sequela
