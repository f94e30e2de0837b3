#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace sequela {

struct BootstrapOptions {
  int num_resamples = 1000;
  double level = 0.95;
  uint64_t seed = 1;
  int num_threads = 1;  // changes no digit
};

// A figure and the interval that holds its true value with probability `level`.
struct Interval {
  double value;
  double low;
  double high;
};

// "0.812 (0.790-0.833)"; "-" if the figure is not defined.
std::string to_text(const Interval& interval, int decimals = 3);

// A figure of weighted rows: called with one weight a row, empty = all 1. May return NaN. Called
// from several threads at a time.
using WeightedMetric = std::function<double(std::span<const double> weights)>;

// Percentile bootstrap by groups: `groups` names each row's subject, and subjects are drawn with
// replacement, all rows of one together, as rows of one subject are not independent. Resamples for
// which the metric is NaN are left out; with fewer than half of them left, low and high are NaN.
//
// A difference of two models is one metric of the same rows: a.auroc(w) - b.auroc(w).
Interval bootstrap(const WeightedMetric& metric, std::span<const int64_t> groups,
                   const BootstrapOptions& options = {});

// A difference of two figures on the same rows, and how likely one at least as far from 0 is if
// there is none: twice the smaller share of resamples on either side of 0 (an equal one counts on
// both), at least 1 / their number. NaN where the interval is.
struct PairedTest {
  Interval difference;
  double p_value;
};
PairedTest paired_bootstrap(const WeightedMetric& difference, std::span<const int64_t> groups,
                            const BootstrapOptions& options = {});

// Several figures of weighted rows at once: called as a WeightedMetric is, fills in one value a
// figure.
using WeightedMetrics =
    std::function<void(std::span<const double> weights, std::span<double> values)>;

// Figures on all rows, and on resamples that they share, so that one may be taken from another.
struct ResampledFigures {
  std::vector<double> values;                  // by figure
  std::vector<std::vector<double>> resampled;  // by figure, then resample; NaN = not defined
};
ResampledFigures resample_figures(const WeightedMetrics& metrics, int num_figures,
                                  std::span<const int64_t> groups,
                                  const BootstrapOptions& options = {});

// What bootstrap() and paired_bootstrap() make of a figure's values on resamples.
Interval to_interval(double value, std::vector<double> resampled, double level = 0.95);
PairedTest to_paired_test(double difference, const std::vector<double>& resampled,
                          double level = 0.95);
// Of the figure at `first` minus that at `second`.
PairedTest to_paired_test(const ResampledFigures& figures, size_t first, size_t second,
                          double level = 0.95);

// p-values that hold for all of a family of tests together, in the order of `p_values`: Holm, A
// simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6
// (1979), 65-70. NaNs are no tests and stay.
std::vector<double> adjust_by_holm(const std::vector<double>& p_values);

}  // namespace sequela
