#include "sequela/evaluation/delong.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sequela/core/nan.h"

namespace sequela {
namespace {

// By row: the share of rows of the other outcome that it is on the right side of; ties count half.
std::vector<double> placements(const ScoredOutcomes& scored) {
  const auto& order = scored.order();
  const auto& scores = scored.scores();
  const auto num_positive = static_cast<double>(scored.num_positive());
  const double num_negative = static_cast<double>(scored.num_rows()) - num_positive;
  std::vector<double> shares(order.size());
  double positive_above = 0, negative_above = 0;
  for (size_t first = 0, end = 0; first < order.size(); first = end) {
    double positive = 0, negative = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[first]]; ++end) {
      (scored.outcomes()[order[end]] ? positive : negative) += 1;
    }
    for (size_t i = first; i < end; ++i) {
      shares[order[i]] = scored.outcomes()[order[i]]
                             ? (num_negative - negative_above - negative / 2) / num_negative
                             : (positive_above + positive / 2) / num_positive;
    }
    positive_above += positive;
    negative_above += negative;
  }
  return shares;
}

// The variance of the mean of `values` over the positives plus that over the negatives.
double variance(const std::vector<double>& values, const std::vector<uint8_t>& outcomes) {
  double sums[2] = {0, 0}, squares[2] = {0, 0}, counts[2] = {0, 0};
  for (size_t i = 0; i < values.size(); ++i) {
    sums[outcomes[i]] += values[i];
    ++counts[outcomes[i]];
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const double difference = values[i] - sums[outcomes[i]] / counts[outcomes[i]];
    squares[outcomes[i]] += difference * difference;
  }
  double sum = 0;
  for (const int side : {0, 1}) {
    sum += counts[side] > 1 ? squares[side] / (counts[side] - 1) / counts[side] : kNaN;
  }
  return sum;
}

// How many standard deviations on either side of the mean hold a share of a normal distribution.
double normal_width(double level) {
  double low = 0, high = 40;
  for (int step = 0; step < 200; ++step) {
    const double middle = (low + high) / 2;
    (std::erf(middle / std::sqrt(2.0)) < level ? low : high) = middle;
  }
  return low;
}

}  // namespace

Interval delong_interval(const ScoredOutcomes& scored, double level) {
  const double auroc = scored.auroc();
  if (std::isnan(auroc)) return {auroc, kNaN, kNaN};
  const double width =
      normal_width(level) * std::sqrt(variance(placements(scored), scored.outcomes()));
  if (std::isnan(width)) return {auroc, kNaN, kNaN};
  return {auroc, std::max(0.0, auroc - width), std::min(1.0, auroc + width)};
}

PairedTest delong_test(const ScoredOutcomes& a, const ScoredOutcomes& b, double level) {
  const double difference = a.auroc() - b.auroc();
  PairedTest test{{difference, kNaN, kNaN}, kNaN};
  if (std::isnan(difference)) return test;
  std::vector<double> differences = placements(a);
  const std::vector<double> others = placements(b);
  for (size_t i = 0; i < differences.size(); ++i) differences[i] -= others[i];
  const double deviation = std::sqrt(variance(differences, a.outcomes()));
  if (!(deviation > 0)) return test;
  const double width = normal_width(level) * deviation;
  test.difference = {difference, difference - width, difference + width};
  test.p_value = std::erfc(std::abs(difference) / deviation / std::sqrt(2.0));
  return test;
}

}  // namespace sequela
