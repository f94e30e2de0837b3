#include "sequela/core/text_table.h"

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr size_t kFirstSlots = 64;
constexpr int32_t kMaxTexts = 1 << 30;

uint32_t shortened(size_t hash) {
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
  return slots_.empty() ? -1 : slots_[place_of(text, shortened(hash(text)))].id;
}

int32_t TextTable::add(std::string_view text, size_t hash) {
  if (2 * ends_.size() > slots_.size()) grow();
  const uint32_t short_hash = shortened(hash);
  Slot& slot = slots_[place_of(text, short_hash)];
  if (slot.id >= 0) return slot.id;
  if (size() == kMaxTexts) throw ResourceError("more than 2^30 distinct codes or texts");
  slot = {short_hash, size()};
  text_ += text;
  ends_.push_back(text_.size());
  return slot.id;
}

void TextTable::grow() {
  std::vector<Slot> old(slots_.empty() ? kFirstSlots : 2 * slots_.size());
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
