#include "sequela/tokenizer/reservoir.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "sequela/core/random.h"

namespace sequela {

Reservoir::Reservoir(int32_t size)
    : size_(static_cast<size_t>(size)), limit_(std::numeric_limits<double>::infinity()) {}

double Reservoir::key(uint64_t hash, double inverse_weight) {
  return -std::log1p(-to_uniform(hash)) * inverse_weight;
}

uint64_t Reservoir::hash_limit(double inverse_weight) const {
  const double uniform = -std::expm1(-limit_ / inverse_weight);
  // Rounded up by far more than the error of the line above; add() decides on the key itself.
  const double limit = uniform * 0x1p64 * (1 + 1e-9) + 0x1p20;
  if (limit >= 0x1p64) return std::numeric_limits<uint64_t>::max();
  return static_cast<uint64_t>(limit);
}

void Reservoir::add(uint64_t hash, double inverse_weight, float value) {
  add({key(hash, inverse_weight), hash, value});
}

void Reservoir::add(const Item& item) {
  if (item.key > limit_) return;
  items_.push_back(item);
  if (items_.size() >= 2 * size_) shrink();
}

void Reservoir::merge(const Reservoir& other) {
  for (const Item& item : other.items_) add(item);
}

void Reservoir::shrink() {
  if (items_.size() <= size_) return;
  const auto precedes = [](const Item& a, const Item& b) {
    return std::tie(a.key, a.hash, a.value) < std::tie(b.key, b.hash, b.value);
  };
  const auto last = items_.begin() + static_cast<ptrdiff_t>(size_) - 1;
  std::nth_element(items_.begin(), last, items_.end(), precedes);
  limit_ = last->key;
  items_.resize(size_);
}

std::vector<float> Reservoir::sorted_values() {
  shrink();
  std::vector<float> values;
  values.reserve(items_.size());
  for (const Item& item : items_) values.push_back(item.value);
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace sequela
