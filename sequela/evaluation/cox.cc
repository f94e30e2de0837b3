#include "sequela/evaluation/cox.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "sequela/core/nan.h"
#include "sequela/evaluation/column_scales.h"
#include "sequela/evaluation/lbfgs.h"

namespace sequela {
namespace {

// Calls visit(first, end, sum) for each run of rows with one time, from the last time on: rows
// order[first] .. order[end - 1], and the sum of exp(score - most) of all rows at risk then.
template <class Visit>
void each_risk_set(std::span<const double> scores, const FollowUp& rows,
                   std::span<const int32_t> order, double most, Visit visit) {
  double sum = 0;
  size_t end = order.size();
  while (end > 0) {
    size_t first = end - 1;
    while (first > 0 && rows.times[order[first - 1]] == rows.times[order[end - 1]]) --first;
    for (size_t i = first; i < end; ++i) sum += std::exp(scores[order[i]] - most);
    visit(first, end, sum);
    end = first;
  }
}

// The sum over events of the negative log partial likelihood; adds its slope by each row's score.
double partial_likelihood(std::span<const double> scores, const FollowUp& rows,
                          std::span<const int32_t> order, std::vector<double>* slopes) {
  const double most = *std::ranges::max_element(scores);
  double loss = 0;
  std::vector<double> shares(order.size());  // by place: events at its time / sum of that risk set
  each_risk_set(scores, rows, order, most, [&](size_t first, size_t end, double sum) {
    double events = 0;
    for (size_t i = first; i < end; ++i) {
      if (rows.kinds[order[i]] != 1) continue;
      events += 1;
      loss += std::log(sum) + most - scores[order[i]];
    }
    for (size_t i = first; i < end; ++i) shares[i] = 0;
    shares[first] = events / sum;
  });
  if (slopes == nullptr) return loss;
  // A row is a rival of all events up to its own time.
  slopes->assign(scores.size(), 0);
  double passed = 0;
  for (size_t i = 0; i < order.size();) {
    size_t end = i;
    while (end < order.size() && rows.times[order[end]] == rows.times[order[i]]) ++end;
    passed += shares[i];
    for (; i < end; ++i) {
      const int32_t row = order[i];
      (*slopes)[row] = passed * std::exp(scores[row] - most) - (rows.kinds[row] == 1 ? 1 : 0);
    }
  }
  return loss;
}

StepCurve baseline_hazard(std::span<const double> scores, const FollowUp& rows,
                          std::span<const int32_t> order) {
  const double most = *std::ranges::max_element(scores);
  std::vector<std::pair<double, double>> steps;  // from the last time on
  each_risk_set(scores, rows, order, most, [&](size_t first, size_t end, double sum) {
    double events = 0;
    for (size_t i = first; i < end; ++i) events += rows.kinds[order[i]] == 1;
    if (events > 0) steps.emplace_back(rows.times[order[first]], events / sum * std::exp(-most));
  });
  StepCurve curve{.before = 0};
  double hazard = 0;
  for (size_t i = steps.size(); i-- > 0;) {
    hazard += steps[i].second;
    curve.times.push_back(steps[i].first);
    curve.values.push_back(hazard);
  }
  return curve;
}

void check_cox_rows(const DenseMatrix& features, const FollowUp& rows) {
  const auto num = static_cast<size_t>(features.num_rows);
  if (rows.times.size() != num || rows.kinds.size() != num)
    throw std::invalid_argument("as many times and kinds as rows");
  if (std::ranges::find(rows.kinds, 1) == rows.kinds.end())
    throw std::invalid_argument("Cox regression needs an event");
  if (!std::ranges::all_of(features.values, [](float value) { return std::isfinite(value); }))
    throw std::invalid_argument("features must be finite");
}

}  // namespace

std::vector<double> CoxModel::scores(const DenseMatrix& features) const {
  std::vector<double> found(features.num_rows);
  for (int64_t i = 0; i < features.num_rows; ++i) {
    const auto row = features.row(i);
    for (size_t c = 0; c < weights.size(); ++c) found[i] += weights[c] * (row[c] - means[c]);
  }
  return found;
}

double CoxModel::survival(double score, double time) const {
  return std::exp(-cumulative_hazard.at(time) * std::exp(score));
}

CoxModel fit_cox(const DenseMatrix& features, const FollowUp& rows, const CoxOptions& options) {
  check_cox_rows(features, rows);
  DenseMatrix matrix = features;
  const ColumnScales scales = standardize(matrix);
  const std::vector<int32_t> order = order_by_time(rows.times);
  const auto num = static_cast<double>(features.num_rows);
  std::vector<double> x(features.num_columns), scores(features.num_rows), slopes;
  minimize_lbfgs(
      [&](std::span<const double> at, std::span<double> gradient) {
        multiply(matrix, std::vector<float>(at.begin(), at.end()), scores);
        double loss = partial_likelihood(scores, rows, order, &slopes) / num;
        std::vector<float> sums(at.size());
        for (double& slope : slopes) slope /= num;
        add_transposed_product(matrix, slopes, sums);
        for (size_t c = 0; c < at.size(); ++c) {
          gradient[c] = sums[c] + options.l2 * at[c];
          loss += options.l2 / 2 * at[c] * at[c];
        }
        return loss;
      },
      x, options.max_steps, options.tolerance);
  CoxModel model;
  for (size_t c = 0; c < x.size(); ++c)
    model.weights.push_back(static_cast<float>(x[c] * scales.factors[c]));
  model.means = scales.means;
  model.cumulative_hazard = baseline_hazard(model.scores(features), rows, order);
  return model;
}

double cox_loss(std::span<const double> scores, const FollowUp& rows) {
  const auto events = std::ranges::count(rows.kinds, 1);
  if (events == 0) return kNaN;
  return partial_likelihood(scores, rows, order_by_time(rows.times), nullptr) /
         static_cast<double>(events);
}

CoxModel fit_cox_by_validation(const CoxRows& train, const CoxRows& validation,
                               std::span<const double> l2_choices) {
  CoxModel best;
  double least = std::numeric_limits<double>::infinity();
  for (const double l2 : l2_choices) {
    CoxModel model = fit_cox(train.features, train.rows, {.l2 = l2});
    const double loss = cox_loss(model.scores(validation.features), validation.rows);
    const bool is_first = best.weights.empty();
    if (!is_first && !(loss < least)) continue;
    if (!std::isnan(loss)) least = loss;
    best = std::move(model);
  }
  return best;
}

}  // namespace sequela
