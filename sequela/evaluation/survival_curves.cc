#include "sequela/evaluation/survival_curves.h"

#include <algorithm>
#include <numeric>

namespace sequela {
namespace {

double weight_of(const FollowUp& rows, int32_t row) {
  return rows.weights.empty() ? 1 : rows.weights[row];
}

// Weights of the rows that end at one time.
struct Ending {
  double time = 0;
  double at_risk = 0;  // before it
  double events = 0;   // of all kinds
  double of_kind = 0;  // of the one asked for
  double censored = 0;
};

// Calls visit(ending) for each time at which a row of weight > 0 ends, in order.
template <class Visit>
void each_ending(const FollowUp& rows, std::span<const int32_t> order, uint8_t kind, Visit visit) {
  double at_risk = 0;
  for (const int32_t row : order) at_risk += weight_of(rows, row);
  for (size_t i = 0; i < order.size();) {
    Ending ending{.time = rows.times[order[i]], .at_risk = at_risk};
    for (; i < order.size() && rows.times[order[i]] == ending.time; ++i) {
      const double weight = weight_of(rows, order[i]);
      const uint8_t own = rows.kinds[order[i]];
      (own == 0 ? ending.censored : ending.events) += weight;
      if (own != 0 && own == kind) ending.of_kind += weight;
    }
    if (ending.events + ending.censored == 0) continue;
    visit(ending);
    at_risk -= ending.events + ending.censored;
  }
}

void add_step(StepCurve& curve, double time, double value) {
  curve.times.push_back(time);
  curve.values.push_back(value);
}

}  // namespace

double StepCurve::at(double time) const {
  const auto next = std::ranges::upper_bound(times, time);
  return next == times.begin() ? before : values[next - times.begin() - 1];
}

std::vector<int32_t> order_by_time(std::span<const double> times) {
  std::vector<int32_t> order(times.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int32_t row) { return times[row]; });
  return order;
}

StepCurve kaplan_meier(const FollowUp& rows, std::span<const int32_t> order) {
  StepCurve curve;
  double value = 1;
  each_ending(rows, order, 0, [&](const Ending& ending) {
    value *= 1 - ending.events / ending.at_risk;
    add_step(curve, ending.time, value);
  });
  return curve;
}

StepCurve censoring_curve(const FollowUp& rows, std::span<const int32_t> order) {
  StepCurve curve;
  double value = 1;
  each_ending(rows, order, 0, [&](const Ending& ending) {
    if (ending.censored > 0) value *= 1 - ending.censored / (ending.at_risk - ending.events);
    add_step(curve, ending.time, value);
  });
  return curve;
}

StepCurve cumulative_incidence(const FollowUp& rows, std::span<const int32_t> order, uint8_t kind) {
  StepCurve curve{.before = 0};
  double survival = 1, value = 0;
  each_ending(rows, order, kind, [&](const Ending& ending) {
    value += survival * ending.of_kind / ending.at_risk;
    survival *= 1 - ending.events / ending.at_risk;
    add_step(curve, ending.time, value);
  });
  return curve;
}

}  // namespace sequela
