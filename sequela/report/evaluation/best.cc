#include "sequela/report/evaluation/best.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "sequela/report/json_fields.h"
#include "sequela/report/metric_names.h"

namespace sequela {
namespace {

constexpr double kSignificant = 0.05;

// True if the task's differences say that `method` is better than `other`.
bool is_better(const Json& task, const std::string& metric, const std::string& method,
               const std::string& other) {
  const double sign = better_of(metric) == Better::higher ? 1 : -1;
  for (const Json& difference : list_field(task, "differences")) {
    const std::string first = text_field(difference, "first");
    const std::string second = text_field(difference, "second");
    const bool is_forward = first == method && second == other;
    if (!is_forward && !(first == other && second == method)) continue;
    const Json& figure = field(field(difference, "figures"), metric);
    const double holm = number_field(figure, "p_holm");
    const double p = std::isnan(holm) ? number_field(figure, "p_value") : holm;
    return p < kSignificant && sign * (is_forward ? 1 : -1) * number_field(figure, "value") > 0;
  }
  return false;
}

}  // namespace

std::string best_method(const Json& task, const std::string& metric) {
  if (better_of(metric) == Better::neither) return "";
  std::vector<std::string> methods;
  for (const Json& method : list_field(task, "methods")) {
    const bool is_defined =
        !std::isnan(number_field(field(field(method, "figures"), metric), "value"));
    if (is_defined) methods.push_back(text_field(method, "method"));
  }
  if (methods.size() < 2) return "";
  for (const std::string& method : methods) {
    bool is_best = true;
    for (const std::string& other : methods) {
      is_best = is_best && (other == method || is_better(task, metric, method, other));
    }
    if (is_best) return method;
  }
  return "";
}

}  // namespace sequela
