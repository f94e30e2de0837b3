#pragma once

#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "sequela/core/nan.h"
#include "sequela/evaluation/bootstrap.h"

namespace sequela {

// A figure with its interval. Where there is no number, or no interval, `why_not` tells why.
struct NamedFigure {
  std::string name;
  Interval interval = {};
  std::string why_not;
};

// Of a figure whose interval is missing though it is defined on all rows.
inline constexpr const char* kRarelyDefined = "no interval: not defined on half of the resamples";

// A figure of `resampled`: no number if there is a reason for that.
inline NamedFigure to_figure(std::string name, double value, const std::vector<double>& resampled,
                             std::string why_not, double level) {
  NamedFigure figure{std::move(name), {kNaN, kNaN, kNaN}, std::move(why_not)};
  if (!figure.why_not.empty()) return figure;
  figure.interval = to_interval(value, resampled, level);
  if (std::isnan(figure.interval.low)) figure.why_not = kRarelyDefined;
  return figure;
}

// All figures of metrics that have num_rows(), names(), compute(weights, values) and
// why_not(figure), with intervals on the same resamples of the groups. Throws std::invalid_argument
// if there are not as many groups as num_rows().
template <class Metrics>
std::vector<NamedFigure> bootstrap_figures(const Metrics& metrics, std::span<const int64_t> groups,
                                           const BootstrapOptions& options = {}) {
  if (groups.size() != metrics.num_rows()) throw std::invalid_argument("a subject for each row");
  const auto& names = metrics.names();
  const ResampledFigures resampled =
      resample_figures([&](auto weights, auto values) { metrics.compute(weights, values); },
                       static_cast<int>(names.size()), groups, options);
  std::vector<NamedFigure> figures;
  for (size_t i = 0; i < names.size(); ++i) {
    figures.push_back(to_figure(std::string(names[i]), resampled.values[i], resampled.resampled[i],
                                std::string(metrics.why_not(i)), options.level));
  }
  return figures;
}

}  // namespace sequela
