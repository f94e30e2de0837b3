#include "sequela/evaluation/survival_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include "sequela/core/nan.h"
#include "sequela/evaluation/rank_sums.h"

namespace sequela {
namespace {

std::string at_horizon(const char* name, double horizon) {
  std::ostringstream text;
  text << name << "_at_" << horizon;
  return text.str();
}

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

}  // namespace

// What depends on the weights.
struct SurvivalMetrics::Censoring {
  FollowUp rows;
  StepCurve survival, follow_up;    // Kaplan-Meier's curve, and that of censoring
  std::vector<double> at_own_time;  // by row, the curve of censoring at its own time
  double last_time = -std::numeric_limits<double>::infinity();
};

SurvivalMetrics::SurvivalMetrics(SurvivalPredictions predictions) : rows_(std::move(predictions)) {
  check();
  by_time_ = order_by_time(rows_.times);
  by_score_.resize(rows_.scores.size());
  std::iota(by_score_.begin(), by_score_.end(), 0);
  std::ranges::stable_sort(by_score_, {}, [&](int32_t row) { return rows_.scores[row]; });
  ranks_.resize(by_score_.size());
  for (size_t i = 0; i < by_score_.size(); ++i) {
    if (i == 0 || rows_.scores[by_score_[i]] != rows_.scores[by_score_[i - 1]]) ++num_ranks_;
    ranks_[by_score_[i]] = static_cast<int32_t>(num_ranks_) - 1;
  }
  names_ = {"harrell_c", "uno_c", "mean_auc", "integrated_brier"};
  for (const double horizon : rows_.horizons) {
    for (const char* name : {"auc", "brier", "observed_expected"}) {
      names_.push_back(at_horizon(name, horizon));
    }
  }
}

void SurvivalMetrics::check() const {
  const size_t rows = rows_.times.size();
  if (rows_.kinds.size() != rows || rows_.scores.size() != rows) {
    throw std::invalid_argument("as many times as kinds and scores");
  }
  if (!rows_.survival.empty() && rows_.survival.size() != rows * rows_.horizons.size()) {
    throw std::invalid_argument("a survival for each row and horizon");
  }
  if (!all_finite(rows_.times) || !all_finite(rows_.scores) || !all_finite(rows_.horizons) ||
      !all_finite(rows_.survival)) {
    throw std::invalid_argument("times, scores, horizons and survival must be finite");
  }
  if (std::ranges::adjacent_find(rows_.horizons, std::greater_equal<>()) != rows_.horizons.end()) {
    throw std::invalid_argument("horizons must ascend");
  }
}

double SurvivalMetrics::concordance(const Censoring& censoring, double last_time,
                                    bool is_weighted) const {
  RankSums at_risk(num_ranks_);
  double concordant = 0, pairs = 0, sum_at_risk = 0;
  const auto insert = [&](int32_t row, bool is_event) {
    if ((rows_.kinds[row] != 0) != is_event) return;
    at_risk.add(ranks_[row], censoring.rows.weights[row]);
    sum_at_risk += censoring.rows.weights[row];
  };
  for (size_t end = by_time_.size(), first = end; end > 0; end = first) {
    const double time = rows_.times[by_time_[end - 1]];
    while (first > 0 && rows_.times[by_time_[first - 1]] == time) --first;
    for (size_t i = first; i < end; ++i) insert(by_time_[i], false);
    for (size_t i = first; i < end && time < last_time; ++i) {
      const int32_t row = by_time_[i];
      double weight = censoring.rows.weights[row];
      if (rows_.kinds[row] == 0 || weight == 0) continue;
      if (is_weighted) weight /= censoring.at_own_time[row] * censoring.at_own_time[row];
      const double lower = at_risk.below(ranks_[row]);
      concordant += weight * (lower + (at_risk.below(ranks_[row] + 1) - lower) / 2);
      pairs += weight * sum_at_risk;
    }
    for (size_t i = first; i < end; ++i) insert(by_time_[i], true);
  }
  return pairs > 0 && std::isfinite(pairs) ? concordant / pairs : kNaN;
}

double SurvivalMetrics::auc(const Censoring& censoring, double horizon) const {
  if (!(horizon < censoring.last_time)) return kNaN;
  double cases = 0, controls = 0, area = 0;
  for (size_t i = 0; i < by_score_.size();) {
    double tied_cases = 0, tied_controls = 0;
    const double score = rows_.scores[by_score_[i]];
    for (; i < by_score_.size() && rows_.scores[by_score_[i]] == score; ++i) {
      const int32_t row = by_score_[i];
      const double weight = censoring.rows.weights[row];
      if (weight == 0) continue;
      if (rows_.times[row] > horizon) {
        tied_controls += weight;
      } else if (rows_.kinds[row] != 0) {
        tied_cases += weight / censoring.at_own_time[row];
      }
    }
    area += tied_cases * (controls + tied_controls / 2);
    cases += tied_cases;
    controls += tied_controls;
  }
  const double pairs = cases * controls;
  return pairs > 0 && std::isfinite(pairs) ? area / pairs : kNaN;
}

double SurvivalMetrics::brier(const Censoring& censoring, size_t horizon) const {
  const double time = rows_.horizons[horizon];
  if (rows_.survival.empty() || !(time < censoring.last_time)) return kNaN;
  const double at_risk = censoring.follow_up.at(time);
  double sum = 0, total = 0;
  for (size_t row = 0; row < rows_.times.size(); ++row) {
    const double weight = censoring.rows.weights[row];
    const double survival = rows_.survival[row * rows_.horizons.size() + horizon];
    total += weight;
    if (rows_.times[row] > time) {
      if (at_risk > 0) sum += weight * (1 - survival) * (1 - survival) / at_risk;
    } else if (rows_.kinds[row] != 0 && censoring.at_own_time[row] > 0) {
      sum += weight * survival * survival / censoring.at_own_time[row];
    }
  }
  return total > 0 ? sum / total : kNaN;
}

double SurvivalMetrics::observed_expected(const Censoring& censoring, size_t horizon) const {
  const double time = rows_.horizons[horizon];
  if (rows_.survival.empty() || !(time < censoring.last_time)) return kNaN;
  double risk = 0, total = 0;
  for (size_t row = 0; row < rows_.times.size(); ++row) {
    const double weight = censoring.rows.weights[row];
    risk += weight * (1 - rows_.survival[row * rows_.horizons.size() + horizon]);
    total += weight;
  }
  return risk > 0 ? (1 - censoring.survival.at(time)) / (risk / total) : kNaN;
}

void SurvivalMetrics::compute(std::span<const double> weights, std::span<double> values) const {
  std::fill_n(values.begin(), names_.size(), kNaN);
  if (rows_.times.empty()) return;
  const std::vector<double> ones(weights.empty() ? rows_.times.size() : 0, 1);
  Censoring censoring{{rows_.times, rows_.kinds, weights.empty() ? ones : weights}};
  censoring.survival = kaplan_meier(censoring.rows, by_time_);
  censoring.follow_up = censoring_curve(censoring.rows, by_time_);
  if (censoring.survival.times.empty()) return;
  censoring.last_time = censoring.survival.times.back();
  for (const double time : rows_.times) {
    censoring.at_own_time.push_back(censoring.follow_up.at(time));
  }
  const double forever = std::numeric_limits<double>::infinity();
  values[0] = concordance(censoring, forever, false);
  if (rows_.horizons.empty()) return;
  values[1] = concordance(censoring, rows_.horizons.back(), true);
  double fall = 0, mean_auc = 0, integral = 0, last_survival = 1;
  for (size_t h = 0; h < rows_.horizons.size(); ++h) {
    double* own = &values[4 + 3 * h];
    own[0] = auc(censoring, rows_.horizons[h]);
    own[1] = brier(censoring, h);
    own[2] = observed_expected(censoring, h);
    const double survival = censoring.survival.at(rows_.horizons[h]);
    mean_auc += own[0] * (last_survival - survival);
    fall += last_survival - survival;
    last_survival = survival;
    if (h > 0) integral += (own[1] + own[-2]) / 2 * (rows_.horizons[h] - rows_.horizons[h - 1]);
  }
  if (fall > 0) values[2] = mean_auc / fall;
  if (rows_.horizons.size() > 1) {
    values[3] = integral / (rows_.horizons.back() - rows_.horizons.front());
  }
}

std::string SurvivalMetrics::why_not(size_t figure) const {
  std::vector<double> values(names_.size());
  compute({}, values);
  if (!std::isnan(values[figure])) return "";
  const std::string& name = names_[figure];
  const bool is_of_survival = name.find("brier") != std::string::npos || name.starts_with("obs");
  if (rows_.times.empty()) return "no rows";
  if (figure > 0 && rows_.horizons.empty()) return "no horizon";
  if (is_of_survival && rows_.survival.empty()) return "no predicted survival";
  if (name == "integrated_brier" && rows_.horizons.size() < 2) return "only one horizon";
  if (!is_of_survival && std::ranges::count(rows_.kinds, 0) == std::ssize(rows_.kinds)) {
    return "all rows are censored";
  }
  const double last_time = rows_.times[by_time_.back()];
  if (figure > 0 && !(rows_.horizons.back() < last_time)) return "follow-up ends by the horizon";
  return is_of_survival ? "the predicted risk is 0" : "no pair of rows to compare";
}

std::vector<RiskGroup> calibrate_at_horizon(const FollowUp& rows, std::span<const double> risks,
                                            double horizon, int num_groups) {
  std::vector<int32_t> order(risks.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int32_t row) { return risks[row]; });
  std::vector<RiskGroup> groups;
  for (int g = 0; g < num_groups; ++g) {
    const size_t first = order.size() * g / num_groups, end = order.size() * (g + 1) / num_groups;
    if (first == end) continue;
    double sum = 0;
    std::vector<int32_t> members(order.begin() + first, order.begin() + end);
    for (const int32_t row : members) sum += risks[row];
    std::ranges::stable_sort(members, {}, [&](int32_t row) { return rows.times[row]; });
    const StepCurve curve = kaplan_meier(rows, members);
    const bool is_followed =
        !curve.times.empty() && (rows.times[members.back()] >= horizon || curve.values.back() == 0);
    groups.push_back({sum / static_cast<double>(members.size()),
                      is_followed ? 1 - curve.at(horizon) : kNaN,
                      static_cast<int64_t>(members.size())});
  }
  return groups;
}

}  // namespace sequela
