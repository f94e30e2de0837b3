#include "sequela/train/optimizer_health.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr double kMuchStarved = 0.1;

at::Tensor part_of(const at::Tensor& tensor, const ParameterPart& part) {
  return tensor.narrow(part.dimension, part.start, part.length);
}

double square_sum(const at::Tensor& tensor) {
  const double norm = tensor.norm().item<double>();
  return norm * norm;
}

KindHealth& entry_of(std::vector<KindHealth>& health, const std::string& kind) {
  const auto found = std::find_if(health.begin(), health.end(),
                                  [&](const KindHealth& entry) { return entry.kind == kind; });
  if (found != health.end()) return *found;
  health.push_back({kind});
  return health.back();
}

}  // namespace

std::vector<KindHealth> gradient_norms(const Parameters& parameters,
                                       const std::vector<ParameterPart>& parts, double divisor) {
  std::vector<KindHealth> health;
  for (const ParameterPart& part : parts) {
    entry_of(health, part.kind).gradient_norm +=
        square_sum(part_of(parameters.items[part.parameter].gradient, part));
  }
  for (KindHealth& entry : health) entry.gradient_norm = std::sqrt(entry.gradient_norm) / divisor;
  return health;
}

void measure_step(const Optimizer& optimizer, const Parameters& parameters,
                  const std::vector<ParameterPart>& parts, std::vector<KindHealth>& health) {
  struct Sums {
    double update = 0, weight = 0, starved = 0, size = 0;
  };
  std::vector<Sums> sums(health.size());
  for (size_t i = 0; i < parameters.items.size(); ++i) {
    const Optimizer::LastStep last = optimizer.last_step(i);
    for (const ParameterPart& part : parts) {
      if (part.parameter != i) continue;
      Sums& own = sums[&entry_of(health, part.kind) - health.data()];
      own.update += square_sum(part_of(last.change, part));
      own.weight += square_sum(part_of(parameters.items[i].value, part));
      if (!last.root_square.defined()) continue;
      const at::Tensor root = part_of(last.root_square, part);
      own.starved += static_cast<double>(root.lt(optimizer.epsilon()).sum().item<int64_t>());
      own.size += static_cast<double>(root.numel());
    }
  }
  for (size_t i = 0; i < health.size(); ++i) {
    health[i].update_ratio = std::sqrt(sums[i].update / sums[i].weight);
    health[i].starved = sums[i].size > 0 ? sums[i].starved / sums[i].size : 0;
  }
}

Figures to_figures(const std::vector<KindHealth>& health) {
  Figures figures;
  for (const KindHealth& entry : health) {
    const std::string prefix = str("health/", entry.kind, "/");
    figures.push_back({prefix + "gradient_norm", entry.gradient_norm, ""});
    figures.push_back({prefix + "update_ratio", entry.update_ratio, ""});
    figures.push_back({prefix + "starved", entry.starved, ""});
  }
  return figures;
}

std::string starvation_warning(const std::vector<KindHealth>& health, double epsilon) {
  std::string kinds;
  for (const KindHealth& entry : health) {
    if (!(entry.starved > kMuchStarved)) continue;
    kinds +=
        str(kinds.empty() ? "" : ", ", entry.kind, " ", std::lround(100 * entry.starved), " %");
  }
  if (kinds.empty()) return "";
  return str("the root of Adam's second moment lies below epsilon (", epsilon,
             ") for many entries, whose steps it shortens: ", kinds,
             ". Fix: lower --epsilon, or give --loss-scale events.");
}

}  // namespace sequela
