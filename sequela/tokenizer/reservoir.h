#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sequela {

// A weighted sample without replacement that does not depend on the order of its input: of all
// values offered it keeps the `size` with the smallest keys, where a key is an exponential variate,
// made from a hash, divided by the value's weight. Fewer values than `size` are all kept. Source:
// Efraimidis and Spirakis, Weighted random sampling with a reservoir, 2006.
class Reservoir {
 public:
  explicit Reservoir(int32_t size);

  // The key of a value with this hash and 1 / weight.
  static double key(uint64_t hash, double inverse_weight);
  // Hashes above this limit cannot be kept any more at that weight; the common case costs one
  // comparison.
  uint64_t hash_limit(double inverse_weight) const;

  void add(uint64_t hash, double inverse_weight, float value);
  void merge(const Reservoir& other);
  std::vector<float> sorted_values();

 private:
  struct Item {
    double key = 0;
    uint64_t hash = 0;
    float value = 0;
  };
  void add(const Item& item);
  void shrink();  // to the `size_` smallest

  size_t size_;
  double limit_;  // keys above it are not among the smallest
  std::vector<Item> items_;
};

}  // namespace sequela
