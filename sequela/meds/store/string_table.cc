#include "sequela/meds/store/string_table.h"

#include <functional>
#include <limits>

#include "sequela/core/error.h"
#include "sequela/core/random.h"

namespace sequela {
namespace {

uint64_t hash_text(std::string_view text) {
  return mix64(std::hash<std::string_view>{}(text));
}

}  // namespace

StringTable::StringTable() : ends_(1, 0), slots_(64, -1) {}

size_t StringTable::find_slot(std::string_view text, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  while (slots_[slot] >= 0) {
    const int32_t id = slots_[slot];
    if (hashes_[id] == hash && this->text(id) == text) return slot;
    slot = (slot + 1) & mask;
  }
  return slot;
}

int32_t StringTable::find(std::string_view text) const {
  return slots_[find_slot(text, hash_text(text))];
}

int32_t StringTable::add(std::string_view text) {
  const uint64_t hash = hash_text(text);
  size_t slot = find_slot(text, hash);
  if (slots_[slot] >= 0) return slots_[slot];
  if (size() == std::numeric_limits<int32_t>::max()) {
    throw ResourceError("more than 2^31 distinct values in one column. Fix: leave the column out.");
  }
  if (hashes_.size() * 2 >= slots_.size()) {
    grow();
    slot = find_slot(text, hash);
  }
  const int32_t id = size();
  slots_[slot] = id;
  hashes_.push_back(hash);
  bytes_.append(text);
  ends_.push_back(bytes_.size());
  return id;
}

void StringTable::grow() {
  slots_.assign(slots_.size() * 2, -1);
  const size_t mask = slots_.size() - 1;
  for (size_t id = 0; id < hashes_.size(); ++id) {
    size_t slot = hashes_[id] & mask;
    while (slots_[slot] >= 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<int32_t>(id);
  }
}

bool StringView::is_sound() const {
  if (ends.empty() || ends.front() != 0 || ends.back() != bytes.size()) return false;
  for (size_t i = 1; i < ends.size(); ++i) {
    if (ends[i] < ends[i - 1]) return false;
  }
  return ends.size() <= size_t{1} << 31;
}

}  // namespace sequela
