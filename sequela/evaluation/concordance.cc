#include "sequela/evaluation/concordance.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "sequela/core/nan.h"
#include "sequela/evaluation/rank_sums.h"

namespace sequela {
namespace {

struct Pairs {
  double concordant = 0;
  double all = 0;
};

// `members`: rows that reach the bin, latest first.
void add_bin(const HazardRows& rows, size_t bin, std::span<const int32_t> members, Pairs& pairs) {
  const size_t bins = rows.bin_edges.size() - 1;
  const auto hazard = [&](int32_t row) { return rows.hazards[row * bins + bin]; };
  std::vector<float> sorted;
  for (const int32_t row : members) sorted.push_back(hazard(row));
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const auto rank = [&](int32_t row) -> size_t {
    return std::lower_bound(sorted.begin(), sorted.end(), hazard(row)) - sorted.begin();
  };
  const double end = rows.bin_edges[bin + 1];
  RankSums at_risk(sorted.size());
  int64_t num_at_risk = 0;
  const auto insert = [&](int32_t row) {
    at_risk.add(rank(row), 1);
    ++num_at_risk;
  };
  for (size_t first = 0, last = 0; first < members.size(); first = last) {
    const float time = rows.seconds[members[first]];
    while (last < members.size() && rows.seconds[members[last]] == time) ++last;
    for (size_t i = first; i < last; ++i) {
      if (!rows.is_event[members[i]]) insert(members[i]);
    }
    for (size_t i = first; i < last && time < end; ++i) {
      if (!rows.is_event[members[i]]) continue;
      const size_t own = rank(members[i]);
      const double lower = at_risk.below(own);
      pairs.concordant += lower + 0.5 * (at_risk.below(own + 1) - lower);
      pairs.all += static_cast<double>(num_at_risk);
    }
    for (size_t i = first; i < last; ++i) {
      if (rows.is_event[members[i]]) insert(members[i]);
    }
  }
}

}  // namespace

double time_dependent_concordance(const HazardRows& rows) {
  std::vector<int32_t> order(rows.seconds.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return rows.seconds[a] > rows.seconds[b] || (rows.seconds[a] == rows.seconds[b] && a < b);
  });
  Pairs pairs;
  size_t count = order.size();
  for (size_t bin = 0; bin + 1 < rows.bin_edges.size(); ++bin) {
    while (count > 0 && rows.seconds[order[count - 1]] < rows.bin_edges[bin]) --count;
    add_bin(rows, bin, std::span(order).first(count), pairs);
  }
  return pairs.all > 0 ? pairs.concordant / pairs.all : kNaN;
}

}  // namespace sequela
