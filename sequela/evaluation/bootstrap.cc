#include "sequela/evaluation/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "sequela/core/interrupt.h"
#include "sequela/core/nan.h"
#include "sequela/core/parallel.h"
#include "sequela/core/random.h"

namespace sequela {
namespace {

// Numbers the groups 0, 1, ... by ascending name.
std::vector<int32_t> number_groups(std::span<const int64_t> groups, int32_t& num_groups) {
  std::vector<int64_t> names(groups.begin(), groups.end());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  num_groups = static_cast<int32_t>(names.size());
  std::vector<int32_t> numbers;
  for (const int64_t group : groups) {
    const auto found = std::lower_bound(names.begin(), names.end(), group);
    numbers.push_back(static_cast<int32_t>(found - names.begin()));
  }
  return numbers;
}

// Between sorted values, linearly.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

// Draws groups with replacement; each thread has its own place to work in.
class Resampler {
 public:
  Resampler(std::span<const int64_t> groups, const BootstrapOptions& options)
      : options_(options), group_of_(number_groups(groups, num_groups_)) {}

  // Calls visit(resample, weights by row) for each resample.
  template <class Visit>
  void each(Visit visit) const {
    std::vector<Scratch> scratch(std::max(1, options_.num_threads));
    parallel_for(options_.num_resamples, options_.num_threads, [&](int64_t resample, int thread) {
      throw_if_stopped();
      draw(resample, scratch[thread]);
      visit(resample, std::span<const double>(scratch[thread].weights));
    });
  }

 private:
  struct Scratch {
    std::vector<uint32_t> counts;  // by group
    std::vector<double> weights;   // by row
  };
  void draw(int64_t resample, Scratch& scratch) const {
    Random random(hash_key(options_.seed, resample));
    scratch.counts.assign(num_groups_, 0);
    for (int32_t i = 0; i < num_groups_; ++i) ++scratch.counts[random.below(num_groups_)];
    scratch.weights.resize(group_of_.size());
    for (size_t row = 0; row < group_of_.size(); ++row) {
      scratch.weights[row] = scratch.counts[group_of_[row]];
    }
  }

  const BootstrapOptions& options_;
  int32_t num_groups_ = 0;
  const std::vector<int32_t> group_of_;
};

// The metric's values on resamples.
std::vector<double> resample(const WeightedMetric& metric, std::span<const int64_t> groups,
                             const BootstrapOptions& options) {
  std::vector<double> values(options.num_resamples, kNaN);
  Resampler(groups, options).each([&](int64_t resample, std::span<const double> weights) {
    values[resample] = metric(weights);
  });
  return values;
}

}  // namespace

std::string to_text(const Interval& interval, int decimals) {
  if (std::isnan(interval.value)) return "-";
  char text[96];
  if (std::isnan(interval.low)) {
    std::snprintf(text, sizeof text, "%.*f", decimals, interval.value);
  } else {
    std::snprintf(text, sizeof text, "%.*f (%.*f-%.*f)", decimals, interval.value, decimals,
                  interval.low, decimals, interval.high);
  }
  return text;
}

Interval to_interval(double value, std::vector<double> resampled, double level) {
  const size_t num_resamples = resampled.size();
  std::erase_if(resampled, [](double v) { return std::isnan(v); });
  if (resampled.empty() || 2 * resampled.size() < num_resamples) {
    return {value, kNaN, kNaN};
  }
  std::sort(resampled.begin(), resampled.end());
  const double tail = (1 - level) / 2;
  return {value, quantile(resampled, tail), quantile(resampled, 1 - tail)};
}

PairedTest to_paired_test(double difference, const std::vector<double>& resampled, double level) {
  PairedTest test{to_interval(difference, resampled, level), kNaN};
  if (std::isnan(test.difference.low)) return test;
  int64_t above = 0, below = 0, num = 0;
  for (const double value : resampled) {
    above += value >= 0;
    below += value <= 0;
    num += !std::isnan(value);
  }
  const double share = static_cast<double>(std::min(above, below)) / static_cast<double>(num);
  test.p_value = std::clamp(2 * share, 1 / static_cast<double>(num), 1.0);
  return test;
}

PairedTest to_paired_test(const ResampledFigures& figures, size_t first, size_t second,
                          double level) {
  const std::vector<double>&a = figures.resampled[first], &b = figures.resampled[second];
  std::vector<double> differences(a.size());
  for (size_t r = 0; r < a.size(); ++r) differences[r] = a[r] - b[r];
  return to_paired_test(figures.values[first] - figures.values[second], differences, level);
}

Interval bootstrap(const WeightedMetric& metric, std::span<const int64_t> groups,
                   const BootstrapOptions& options) {
  return to_interval(metric({}), resample(metric, groups, options), options.level);
}

PairedTest paired_bootstrap(const WeightedMetric& difference, std::span<const int64_t> groups,
                            const BootstrapOptions& options) {
  return to_paired_test(difference({}), resample(difference, groups, options), options.level);
}

ResampledFigures resample_figures(const WeightedMetrics& metrics, int num_figures,
                                  std::span<const int64_t> groups,
                                  const BootstrapOptions& options) {
  ResampledFigures figures;
  figures.values.assign(num_figures, kNaN);
  metrics({}, figures.values);
  figures.resampled.assign(num_figures, std::vector<double>(options.num_resamples, kNaN));
  Resampler(groups, options).each([&](int64_t resample, std::span<const double> weights) {
    std::vector<double> values(num_figures, kNaN);
    metrics(weights, values);
    for (int i = 0; i < num_figures; ++i) figures.resampled[i][resample] = values[i];
  });
  return figures;
}

std::vector<double> adjust_by_holm(const std::vector<double>& p_values) {
  std::vector<size_t> order;
  for (size_t i = 0; i < p_values.size(); ++i) {
    if (!std::isnan(p_values[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted = p_values;
  double largest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const double scaled = static_cast<double>(order.size() - rank) * p_values[order[rank]];
    largest = std::min(1.0, std::max(largest, scaled));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

}  // namespace sequela
