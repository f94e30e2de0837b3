#pragma once

#include <cmath>
#include <cstdint>

namespace sequela {

// Mean and spread of one subject's values, all of one weight. Values are summed as differences from
// the first, so that equal values have a spread of exactly 0.
class SubjectMoments {
 public:
  void add(double value, int64_t times) {
    if (count_ == 0) origin_ = value;
    const double difference = value - origin_;
    const double product = difference * static_cast<double>(times);
    count_ += times;
    sum_ += product;
    sum_squares_ += product * difference;
  }
  int64_t count() const { return count_; }
  double mean() const { return origin_ + sum_ / static_cast<double>(count_); }
  // Sum of squared differences from the mean.
  double squares() const {
    return std::fmax(0.0, sum_squares_ - sum_ * sum_ / static_cast<double>(count_));
  }

 private:
  int64_t count_ = 0;
  double origin_ = 0;
  double sum_ = 0;
  double sum_squares_ = 0;
};

// Weighted mean and spread of many subjects' values. The last bits depend on the order of merging,
// so that is the caller's to fix. Source: Chan et al., Updating formulae, 1979.
class Moments {
 public:
  void add(const SubjectMoments& subject, double weight) {
    if (subject.count() == 0) return;
    merge(weight * static_cast<double>(subject.count()), subject.mean(),
          weight * subject.squares());
  }
  void merge(const Moments& other) {
    if (other.weight_ > 0) merge(other.weight_, other.mean_, other.squares_);
  }
  double weight() const { return weight_; }
  double mean() const { return mean_; }
  double std() const { return weight_ > 0 ? std::sqrt(squares_ / weight_) : 0; }

 private:
  void merge(double weight, double mean, double squares) {
    const double total = weight_ + weight;
    const double difference = mean - mean_;
    mean_ += difference * (weight / total);
    squares_ += squares + difference * difference * (weight_ * (weight / total));
    weight_ = total;
  }

  double weight_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

}  // namespace sequela
