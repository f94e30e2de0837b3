#include "sequela/evaluation/logistic.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "sequela/evaluation/column_scales.h"
#include "sequela/evaluation/lbfgs.h"

namespace sequela {
namespace {

void check_rows(int64_t num_rows, std::span<const uint8_t> outcomes,
                std::span<const float> values) {
  if (num_rows == 0 || num_rows != static_cast<int64_t>(outcomes.size())) {
    throw std::invalid_argument("logistic regression needs rows, and an outcome for each");
  }
  for (const float value : values) {
    if (!std::isfinite(value)) throw std::invalid_argument("features must be finite");
  }
}

// x holds the weights of the standardised columns and, last, the intercept.
template <class Matrix>
double mean_loss(const Matrix& matrix, std::span<const uint8_t> outcomes, double l2,
                 std::span<const double> x, std::span<double> gradient) {
  const size_t num_columns = x.size() - 1;
  const double count = static_cast<double>(matrix.num_rows);
  const std::vector<float> weights(x.begin(), x.end() - 1);
  std::vector<double> logits(matrix.num_rows);
  multiply(matrix, weights, logits);
  double loss = 0, sum_residuals = 0;
  for (int64_t i = 0; i < matrix.num_rows; ++i) {
    const double logit = logits[i] + x.back();
    // ln(1 + exp(logit)) - outcome * logit, without overflow
    loss += std::max(logit, 0.0) + std::log1p(std::exp(-std::abs(logit))) - outcomes[i] * logit;
    logits[i] = (1 / (1 + std::exp(-logit)) - outcomes[i]) / count;  // now the residuals
    sum_residuals += logits[i];
  }
  std::vector<float> slopes(num_columns);
  add_transposed_product(matrix, logits, slopes);
  double squares = 0;
  for (size_t c = 0; c < num_columns; ++c) {
    gradient[c] = slopes[c] + l2 * x[c];
    squares += x[c] * x[c];
  }
  gradient[num_columns] = sum_residuals;
  return loss / count + l2 / 2 * squares;
}

template <class Matrix>
LogisticModel fit(Matrix matrix, std::span<const uint8_t> outcomes, const LogisticOptions& options,
                  const LogisticModel* start) {
  check_rows(matrix.num_rows, outcomes, matrix.values);
  const ColumnScales scales = standardize(matrix);
  const size_t num_columns = scales.means.size();
  std::vector<double> x(num_columns + 1);
  if (start != nullptr) {
    x.back() = start->intercept;
    for (size_t c = 0; c < num_columns; ++c) {
      if (scales.factors[c] == 0) continue;
      x[c] = start->weights[c] / scales.factors[c];
      x.back() += start->weights[c] * scales.means[c];
    }
  }
  minimize_lbfgs(
      [&](std::span<const double> at, std::span<double> gradient) {
        return mean_loss(matrix, outcomes, options.l2, at, gradient);
      },
      x, options.max_steps, options.tolerance);
  LogisticModel model;
  model.intercept = x.back();
  for (size_t c = 0; c < num_columns; ++c) {
    model.weights.push_back(static_cast<float>(x[c] * scales.factors[c]));
    model.intercept -= x[c] * scales.factors[c] * scales.means[c];
  }
  return model;
}

template <class Matrix>
std::vector<double> predict_rows(const LogisticModel& model, const Matrix& features) {
  if (features.num_columns != static_cast<int64_t>(model.weights.size())) {
    throw std::invalid_argument("as many columns as the model has weights");
  }
  std::vector<double> values(features.num_rows);
  multiply(features, model.weights, values);
  for (double& value : values) value = 1 / (1 + std::exp(-value - model.intercept));
  return values;
}

}  // namespace

std::vector<double> LogisticModel::predict(const DenseMatrix& features) const {
  return predict_rows(*this, features);
}

std::vector<double> LogisticModel::predict(const SparseMatrix& features) const {
  return predict_rows(*this, features);
}

LogisticModel fit_logistic(const DenseMatrix& features, std::span<const uint8_t> outcomes,
                           const LogisticOptions& options, const LogisticModel* start) {
  return fit(features, outcomes, options, start);
}

LogisticModel fit_logistic(const SparseMatrix& features, std::span<const uint8_t> outcomes,
                           const LogisticOptions& options, const LogisticModel* start) {
  return fit(features, outcomes, options, start);
}

}  // namespace sequela
