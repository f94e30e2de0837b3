#include "sequela/evaluation/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "sequela/core/interrupt.h"
#include "sequela/core/parallel.h"
#include "sequela/core/random.h"

namespace sequela {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

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

// The metric's values on resamples, sorted, without those that are NaN.
std::vector<double> resample(const WeightedMetric& metric, std::span<const int64_t> groups,
                             const BootstrapOptions& options) {
  int32_t num_groups = 0;
  const std::vector<int32_t> group_of = number_groups(groups, num_groups);
  std::vector<double> values(options.num_resamples, kUndefined);
  parallel_for(options.num_resamples, options.num_threads, [&](int64_t resample, int) {
    throw_if_stopped();
    Random random(hash_key(options.seed, resample));
    std::vector<double> group_weights(num_groups), weights(groups.size());
    for (int32_t i = 0; i < num_groups; ++i) ++group_weights[random.below(num_groups)];
    for (size_t row = 0; row < weights.size(); ++row) weights[row] = group_weights[group_of[row]];
    values[resample] = metric(weights);
  });
  std::erase_if(values, [](double value) { return std::isnan(value); });
  std::sort(values.begin(), values.end());
  return values;
}

Interval to_interval(double value, const std::vector<double>& values,
                     const BootstrapOptions& options) {
  if (values.empty() || 2 * values.size() < static_cast<size_t>(options.num_resamples)) {
    return {value, kUndefined, kUndefined};
  }
  const double tail = (1 - options.level) / 2;
  return {value, quantile(values, tail), quantile(values, 1 - tail)};
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

Interval bootstrap(const WeightedMetric& metric, std::span<const int64_t> groups,
                   const BootstrapOptions& options) {
  return to_interval(metric({}), resample(metric, groups, options), options);
}

PairedTest paired_bootstrap(const WeightedMetric& difference, std::span<const int64_t> groups,
                            const BootstrapOptions& options) {
  const std::vector<double> values = resample(difference, groups, options);
  PairedTest test{to_interval(difference({}), values, options), kUndefined};
  if (std::isnan(test.difference.low)) return test;
  const auto above = std::count_if(values.begin(), values.end(), [](double v) { return v >= 0; });
  const auto below = std::count_if(values.begin(), values.end(), [](double v) { return v <= 0; });
  const auto num = static_cast<double>(values.size());
  test.p_value = std::clamp(2 * static_cast<double>(std::min(above, below)) / num, 1 / num, 1.0);
  return test;
}

}  // namespace sequela
