#include "sequela/evaluation/curves.h"

#include <cmath>

namespace sequela {

std::vector<CurvePoint> thin_threshold_curve(const ScoredOutcomes& scored, size_t max_points) {
  if (scored.num_positive() == 0 || scored.num_positive() == scored.num_rows()) return {};
  std::vector<CurvePoint> all = threshold_curve(scored);
  if (all.size() <= max_points) return all;
  // The way along the curve from (0, 0) to (1, 1) is 2 long.
  const auto way = [](const CurvePoint& p) { return p.true_positive_rate + p.false_positive_rate; };
  const double step = (2 - way(all.front())) / static_cast<double>(max_points - 1);
  std::vector<CurvePoint> kept = {all.front()};
  for (size_t i = 1; i + 1 < all.size(); ++i) {
    const double next = way(all.front()) + step * static_cast<double>(kept.size());
    if (way(all[i]) >= next && kept.size() + 1 < max_points) kept.push_back(all[i]);
  }
  kept.push_back(all.back());
  return kept;
}

std::vector<DecisionPoint> decision_curve(const ScoredOutcomes& scored) {
  const auto total = static_cast<double>(scored.num_rows());
  if (total == 0) return {};
  const double rate = static_cast<double>(scored.num_positive()) / total;
  std::vector<DecisionPoint> points(99);
  double positive = 0, negative = 0;
  size_t next = 0;
  for (int percent = 99; percent >= 1; --percent) {
    const double threshold = percent / 100.0, odds = threshold / (1 - threshold);
    for (; next < scored.order().size(); ++next) {
      const int32_t row = scored.order()[next];
      if (scored.scores()[row] < threshold) break;
      (scored.outcomes()[row] ? positive : negative) += 1;
    }
    points[percent - 1] = {threshold, (positive - negative * odds) / total,
                           rate - (1 - rate) * odds};
  }
  return points;
}

}  // namespace sequela
