#include "sequela/evaluation/multiclass.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "sequela/evaluation/metrics.h"

namespace sequela {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kLeastProbability = 1e-12;

// The scored outcomes of each class that some rows have and some have not.
std::vector<ScoredOutcomes> one_against_all(std::span<const double> probabilities,
                                            std::span<const int64_t> labels, size_t num_classes) {
  std::vector<ScoredOutcomes> scored;
  for (size_t c = num_classes == 2 ? 1 : 0; c < num_classes; ++c) {
    std::vector<double> scores(labels.size());
    std::vector<uint8_t> outcomes(labels.size());
    for (size_t i = 0; i < labels.size(); ++i) {
      scores[i] = probabilities[i * num_classes + c];
      outcomes[i] = labels[i] == static_cast<int64_t>(c);
    }
    const auto num_positive = std::count(outcomes.begin(), outcomes.end(), uint8_t{1});
    if (num_positive == 0 || num_positive == static_cast<int64_t>(labels.size())) continue;
    scored.emplace_back(std::move(scores), std::move(outcomes));
  }
  return scored;
}

// Mean over the classes for which the metric is defined.
template <class Metric>
double mean_over(const std::vector<ScoredOutcomes>& scored, Metric metric) {
  double sum = 0;
  int count = 0;
  for (const ScoredOutcomes& one : scored) {
    const double value = metric(one);
    if (std::isnan(value)) continue;
    sum += value;
    ++count;
  }
  return count > 0 ? sum / count : kNan;
}

void add_row_metrics(std::span<const double> probabilities, std::span<const int64_t> labels,
                     size_t num_classes, MulticlassResult& result) {
  double num_correct = 0, loss = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto row = probabilities.subspan(i * num_classes, num_classes);
    const auto label = static_cast<size_t>(labels[i]);
    num_correct += std::max_element(row.begin(), row.end()) - row.begin() == labels[i];
    loss -= std::log(std::max(row[label], kLeastProbability));
  }
  result.accuracy = num_correct / static_cast<double>(labels.size());
  result.log_loss = loss / static_cast<double>(labels.size());
}

void check(std::span<const double> probabilities, std::span<const int64_t> labels,
           std::span<const int64_t> groups) {
  if (groups.size() != labels.size() || probabilities.size() % labels.size() != 0) {
    throw std::invalid_argument("probabilities, labels and groups must have as many rows");
  }
  const auto num_classes = static_cast<int64_t>(probabilities.size() / labels.size());
  for (int64_t label : labels) {
    if (label < 0 || label >= num_classes) throw std::invalid_argument("a label is no class");
  }
}

}  // namespace

MulticlassResult evaluate_multiclass(std::span<const double> probabilities,
                                     std::span<const int64_t> labels,
                                     std::span<const int64_t> groups,
                                     const BootstrapOptions& options) {
  MulticlassResult result{.accuracy = kNan,
                          .log_loss = kNan,
                          .auroc = {kNan, kNan, kNan},
                          .average_precision = {kNan, kNan, kNan}};
  if (labels.empty()) return result;
  check(probabilities, labels, groups);
  const size_t num_classes = probabilities.size() / labels.size();
  result.num_rows = static_cast<int64_t>(labels.size());
  add_row_metrics(probabilities, labels, num_classes, result);
  const std::vector<ScoredOutcomes> scored = one_against_all(probabilities, labels, num_classes);
  result.num_classes = static_cast<int64_t>(scored.size());
  if (scored.empty()) return result;
  using Weights = ScoredOutcomes::Weights;
  const auto auroc = [&](Weights weights) {
    return mean_over(scored, [&](const ScoredOutcomes& one) { return one.auroc(weights); });
  };
  const auto precision = [&](Weights weights) {
    return mean_over(scored,
                     [&](const ScoredOutcomes& one) { return one.average_precision(weights); });
  };
  result.auroc = bootstrap(auroc, groups, options);
  result.average_precision = bootstrap(precision, groups, options);
  return result;
}

}  // namespace sequela
