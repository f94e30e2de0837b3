#include "sequela/evaluation/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

#include "sequela/core/interrupt.h"

namespace sequela {
namespace {

constexpr size_t kMemory = 10;
constexpr int kMaxHalvings = 40;
constexpr double kSufficientDecrease = 1e-4;

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// A past step, the change of the gradient over it, and 1 / their product.
struct Pair {
  Vector step, change;
  double inverse_product;
};

// The direction -H * gradient, H being the inverse Hessian that the pairs suggest.
Vector descent_direction(const std::deque<Pair>& pairs, const Vector& gradient) {
  Vector direction = gradient;
  std::vector<double> factors(pairs.size());
  for (size_t i = pairs.size(); i-- > 0;) {
    factors[i] = pairs[i].inverse_product * dot(pairs[i].step, direction);
    for (size_t k = 0; k < direction.size(); ++k) direction[k] -= factors[i] * pairs[i].change[k];
  }
  double scale = 1;
  if (pairs.empty()) {
    scale = 1 / std::max(1.0, std::sqrt(dot(gradient, gradient)));
  } else {
    scale = 1 / (pairs.back().inverse_product * dot(pairs.back().change, pairs.back().change));
  }
  for (double& entry : direction) entry *= scale;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const double factor = factors[i] - pairs[i].inverse_product * dot(pairs[i].change, direction);
    for (size_t k = 0; k < direction.size(); ++k) direction[k] += factor * pairs[i].step[k];
  }
  for (double& entry : direction) entry = -entry;
  return direction;
}

double largest_entry(const Vector& gradient) {
  double largest = 0;
  for (const double entry : gradient) largest = std::max(largest, std::abs(entry));
  return largest;
}

}  // namespace

int minimize_lbfgs(const Objective& objective, std::vector<double>& x, int max_steps,
                   double tolerance) {
  Vector gradient(x.size()), next(x.size()), next_gradient(x.size());
  double value = objective(x, gradient);
  std::deque<Pair> pairs;
  for (int step = 0; step < max_steps; ++step) {
    throw_if_stopped();
    if (largest_entry(gradient) <= tolerance) return step;
    const Vector direction = descent_direction(pairs, gradient);
    const double slope = dot(direction, gradient);
    double length = 1, next_value = 0;
    int halvings = 0;
    for (; halvings < kMaxHalvings; ++halvings, length /= 2) {
      for (size_t k = 0; k < x.size(); ++k) next[k] = x[k] + length * direction[k];
      next_value = objective(next, next_gradient);
      if (next_value <= value + kSufficientDecrease * length * slope) break;
    }
    if (halvings == kMaxHalvings) return step;
    Pair pair{next, next_gradient, 0};
    for (size_t k = 0; k < x.size(); ++k) {
      pair.step[k] -= x[k];
      pair.change[k] -= gradient[k];
    }
    const double product = dot(pair.step, pair.change);
    if (product > 1e-10 * dot(pair.change, pair.change)) {
      pair.inverse_product = 1 / product;
      pairs.push_back(std::move(pair));
      if (pairs.size() > kMemory) pairs.pop_front();
    }
    x.swap(next);
    gradient.swap(next_gradient);
    value = next_value;
  }
  return max_steps;
}

}  // namespace sequela
