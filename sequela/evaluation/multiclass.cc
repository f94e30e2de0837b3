#include "sequela/evaluation/multiclass.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "sequela/core/nan.h"
#include "sequela/evaluation/metrics.h"

namespace sequela {
namespace {

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
  return count > 0 ? sum / count : kNaN;
}

// The AUROCs of each two classes, by the probability of either.
struct ClassPair {
  std::vector<int32_t> rows;
  ScoredOutcomes by_first, by_second;
};

std::vector<ClassPair> pairs_of_classes(std::span<const double> probabilities,
                                        std::span<const int64_t> labels, size_t num_classes) {
  std::vector<ClassPair> pairs;
  for (size_t a = 0; a < num_classes; ++a) {
    for (size_t b = a + 1; b < num_classes; ++b) {
      std::vector<int32_t> rows;
      std::vector<double> by_a, by_b;
      std::vector<uint8_t> is_a, is_b;
      for (size_t i = 0; i < labels.size(); ++i) {
        const auto label = static_cast<size_t>(labels[i]);
        if (label != a && label != b) continue;
        rows.push_back(static_cast<int32_t>(i));
        by_a.push_back(probabilities[i * num_classes + a]);
        by_b.push_back(probabilities[i * num_classes + b]);
        is_a.push_back(label == a);
        is_b.push_back(label == b);
      }
      pairs.push_back({std::move(rows),
                       {std::move(by_a), std::move(is_a)},
                       {std::move(by_b), std::move(is_b)}});
    }
  }
  return pairs;
}

class MulticlassMetrics {
 public:
  MulticlassMetrics(std::span<const double> probabilities, std::span<const int64_t> labels);

  void compute(std::span<const double> weights, std::span<double> values) const;
  int64_t num_classes() const { return static_cast<int64_t>(against_all_.size()); }
  std::vector<int64_t> confusion() const;

 private:
  double hand_till(std::span<const double> weights) const;

  size_t num_classes_;
  std::span<const int64_t> labels_;
  std::vector<int64_t> likeliest_;  // by row
  std::vector<double> losses_;      // by row
  std::vector<ScoredOutcomes> against_all_;
  std::vector<ClassPair> pairs_;
};

MulticlassMetrics::MulticlassMetrics(std::span<const double> probabilities,
                                     std::span<const int64_t> labels)
    : num_classes_(probabilities.size() / labels.size()), labels_(labels) {
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto row = probabilities.subspan(i * num_classes_, num_classes_);
    likeliest_.push_back(std::max_element(row.begin(), row.end()) - row.begin());
    losses_.push_back(-std::log(std::max(row[labels[i]], kLeastProbability)));
  }
  against_all_ = one_against_all(probabilities, labels, num_classes_);
  pairs_ = pairs_of_classes(probabilities, labels, num_classes_);
}

double MulticlassMetrics::hand_till(std::span<const double> weights) const {
  double sum = 0;
  int count = 0;
  for (const ClassPair& pair : pairs_) {
    std::vector<double> own;
    for (const int32_t row : pair.rows) {
      if (!weights.empty()) own.push_back(weights[row]);
    }
    const double area = (pair.by_first.auroc(own) + pair.by_second.auroc(own)) / 2;
    if (std::isnan(area)) continue;
    sum += area;
    ++count;
  }
  return count > 0 ? sum / count : kNaN;
}

void MulticlassMetrics::compute(std::span<const double> weights, std::span<double> values) const {
  double total = 0, num_correct = 0, loss = 0;
  for (size_t i = 0; i < labels_.size(); ++i) {
    const double weight = weights.empty() ? 1 : weights[i];
    total += weight;
    num_correct += weight * (likeliest_[i] == labels_[i]);
    loss += weight * losses_[i];
  }
  values[0] = num_correct / total;
  values[1] = loss / total;
  values[2] = mean_over(against_all_, [&](const auto& one) { return one.auroc(weights); });
  values[3] =
      mean_over(against_all_, [&](const auto& one) { return one.average_precision(weights); });
  values[4] = hand_till(weights);
}

std::vector<int64_t> MulticlassMetrics::confusion() const {
  std::vector<int64_t> counts(num_classes_ * num_classes_);
  for (size_t i = 0; i < labels_.size(); ++i) ++counts[labels_[i] * num_classes_ + likeliest_[i]];
  return counts;
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
  MulticlassResult result;
  Interval* const figures[] = {&result.accuracy, &result.log_loss, &result.auroc,
                               &result.average_precision, &result.hand_till};
  for (Interval* figure : figures) *figure = {kNaN, kNaN, kNaN};
  if (labels.empty()) return result;
  check(probabilities, labels, groups);
  const MulticlassMetrics metrics(probabilities, labels);
  result.num_rows = static_cast<int64_t>(labels.size());
  result.num_classes = metrics.num_classes();
  result.confusion = metrics.confusion();
  const ResampledFigures resampled =
      resample_figures([&](auto weights, auto values) { metrics.compute(weights, values); },
                       static_cast<int>(std::size(figures)), groups, options);
  for (size_t i = 0; i < std::size(figures); ++i) {
    *figures[i] = to_interval(resampled.values[i], resampled.resampled[i], options.level);
  }
  return result;
}

std::vector<double> multiclass_figures(std::span<const double> probabilities,
                                       std::span<const int64_t> labels,
                                       std::span<const double> weights) {
  std::vector<double> values(5, kNaN);
  if (labels.empty()) return values;
  check(probabilities, labels, labels);
  MulticlassMetrics(probabilities, labels).compute(weights, values);
  return values;
}

}  // namespace sequela
