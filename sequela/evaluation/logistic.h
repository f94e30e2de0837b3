#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sequela/evaluation/matrix.h"

namespace sequela {

struct LogisticOptions {
  // Minimises mean log loss + l2 / 2 * sum of squares of the weights of standardised features; the
  // intercept is free. scikit-learn's C equals 1 / (l2 * number of rows).
  double l2 = 1e-3;
  int max_steps = 500;
  double tolerance = 1e-5;  // largest absolute gradient entry at which it stops
};

// P(outcome) = 1 / (1 + exp(-(intercept + weights . features))), on features as they are given.
struct LogisticModel {
  double intercept = 0;
  std::vector<float> weights;

  std::vector<double> predict(const DenseMatrix& features) const;  // probabilities
  std::vector<double> predict(const SparseMatrix& features) const;
};

// Fits by L-BFGS. Dense columns are brought to mean 0 and standard deviation 1, sparse ones to
// standard deviation 1; constant columns get weight 0. `start`, a model fitted to the same columns,
// speeds it up. Throws std::invalid_argument if rows and outcomes differ in number, there is none,
// or a feature is not finite.
LogisticModel fit_logistic(const DenseMatrix& features, std::span<const uint8_t> outcomes,
                           const LogisticOptions& options, const LogisticModel* start = nullptr);
LogisticModel fit_logistic(const SparseMatrix& features, std::span<const uint8_t> outcomes,
                           const LogisticOptions& options, const LogisticModel* start = nullptr);

}  // namespace sequela
