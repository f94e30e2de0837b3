#pragma once

#include <cstddef>
#include <vector>

namespace sequela {

// Weights at ranks, with sums of the first ones in O(log n).
//
// Source: Fenwick, A new data structure for cumulative frequency tables, Software: Practice and
// Experience 24 (1994), 327-336.
class RankSums {
 public:
  explicit RankSums(size_t num_ranks) : sums_(num_ranks + 1) {}
  void add(size_t rank, double weight) {
    for (size_t i = rank + 1; i < sums_.size(); i += i & -i) sums_[i] += weight;
  }
  double below(size_t rank) const {  // ranks 0 .. rank - 1
    double sum = 0;
    for (size_t i = rank; i > 0; i -= i & -i) sum += sums_[i];
    return sum;
  }

 private:
  std::vector<double> sums_;
};

}  // namespace sequela
