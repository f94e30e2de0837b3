#include "sequela/evaluation/principal_components.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sequela/core/random.h"

namespace sequela {
namespace {

constexpr int kMaxIterations = 300;
constexpr double kConverged = 1e-9;  // 1 - cosine between a direction and the one before

using Direction = std::vector<double>;

double dot(const Direction& a, const Direction& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Makes b orthogonal to a, which has length 1, and gives it length 1; 0 stays.
void normalise(Direction& b, const Direction* a) {
  if (a != nullptr) {
    const double along = dot(*a, b);
    for (size_t k = 0; k < b.size(); ++k) b[k] -= along * (*a)[k];
  }
  const double length = std::sqrt(dot(b, b));
  if (length == 0) return;
  for (double& value : b) value /= length;
}

// The rows' centred product with a direction.
std::vector<double> project(const DenseMatrix& rows, const std::vector<double>& means,
                            const Direction& direction) {
  const double shift = dot(means, direction);
  std::vector<double> places(rows.num_rows);
  for (int64_t i = 0; i < rows.num_rows; ++i) {
    const std::span<const float> row = rows.row(i);
    places[i] = std::inner_product(row.begin(), row.end(), direction.begin(), -shift);
  }
  return places;
}

// The covariance times a direction, but for a factor.
Direction multiply_covariance(const DenseMatrix& rows, const std::vector<double>& means,
                              const Direction& direction) {
  const std::vector<double> places = project(rows, means, direction);
  const double sum = std::accumulate(places.begin(), places.end(), 0.0);
  Direction product(direction.size());
  for (int64_t i = 0; i < rows.num_rows; ++i) {
    const std::span<const float> row = rows.row(i);
    for (size_t k = 0; k < product.size(); ++k) product[k] += places[i] * row[k];
  }
  for (size_t k = 0; k < product.size(); ++k) product[k] -= sum * means[k];
  return product;
}

Direction find_direction(const DenseMatrix& rows, const std::vector<double>& means,
                         const Direction* first) {
  Direction direction(rows.num_columns);
  for (size_t k = 0; k < direction.size(); ++k)
    direction[k] = to_uniform(hash_key(k, first == nullptr ? 1 : 2)) - 0.5;
  normalise(direction, first);
  for (int i = 0; i < kMaxIterations; ++i) {
    Direction next = multiply_covariance(rows, means, direction);
    normalise(next, first);
    const bool has_converged = 1 - std::abs(dot(next, direction)) < kConverged;
    direction = std::move(next);
    if (has_converged) break;
  }
  const auto largest =
      std::ranges::max_element(direction, {}, [](double value) { return std::abs(value); });
  if (largest != direction.end() && *largest < 0) {
    for (double& value : direction) value = -value;
  }
  return direction;
}

}  // namespace

PlanarMap find_planar_map(const DenseMatrix& rows) {
  PlanarMap map{std::vector<double>(rows.num_rows), std::vector<double>(rows.num_rows)};
  if (rows.num_rows < 2) return map;
  std::vector<double> means(rows.num_columns);
  double variance = 0;
  for (int64_t i = 0; i < rows.num_rows; ++i) {
    for (int64_t k = 0; k < rows.num_columns; ++k)
      means[k] += rows.row(i)[k] / static_cast<double>(rows.num_rows);
  }
  for (int64_t i = 0; i < rows.num_rows; ++i) {
    for (int64_t k = 0; k < rows.num_columns; ++k)
      variance += std::pow(rows.row(i)[k] - means[k], 2);
  }
  if (variance == 0) return map;
  const Direction first = find_direction(rows, means, nullptr);
  const Direction second = find_direction(rows, means, &first);
  map.x = project(rows, means, first);
  map.y = project(rows, means, second);
  map.explained = {dot(map.x, map.x) / variance, dot(map.y, map.y) / variance};
  return map;
}

}  // namespace sequela
