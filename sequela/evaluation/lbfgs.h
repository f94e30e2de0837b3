#pragma once

#include <functional>
#include <span>
#include <vector>

namespace sequela {

// The value of a smooth convex function at x; fills in its gradient.
using Objective = std::function<double(std::span<const double> x, std::span<double> gradient)>;

// Minimises from x, in place, by L-BFGS with backtracking; returns the number of steps. Stops when
// no gradient entry exceeds `tolerance`, when no progress is possible, or after `max_steps`.
//
// Source: Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 3.1.
int minimize_lbfgs(const Objective& objective, std::vector<double>& x, int max_steps,
                   double tolerance);

}  // namespace sequela
