#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace sequela {

// Counts of positive times, from which quantiles are taken. Up to kMaxExact times all are kept and
// quantiles are exact; beyond, they come from buckets of 1/1024 of their octave. The sum of
// histograms does not depend on the order of summing.
class TimeHistogram {
 public:
  static constexpr int64_t kMaxExact = 100'000;

  TimeHistogram() : buckets_(kNumBuckets) {}

  void add(int64_t time_us, int64_t times) {
    count_ += times;
    buckets_[bucket_of(time_us)] += times;
    if (is_exact_) keep(time_us, times);
  }
  void merge(const TimeHistogram& other);
  int64_t count() const { return count_; }
  // The quantiles in seconds at `shares`, as numpy.quantile gives them; count() is above 0.
  std::vector<double> quantiles(std::span<const double> shares) const;

 private:
  // A bucket is the exponent and the first 10 bits after the leading one of the time as float32.
  static constexpr int kMantissaBits = 10;
  static constexpr int32_t kFirstBucket = 127 << kMantissaBits;  // 1 microsecond
  static constexpr int32_t kNumBuckets = 64 << kMantissaBits;    // to 2^63 microseconds

  static int32_t bucket_of(int64_t time_us) {
    const auto bits = __builtin_bit_cast(int32_t, static_cast<float>(time_us));
    return (bits >> (23 - kMantissaBits)) - kFirstBucket;
  }
  static double bucket_start_us(int32_t bucket);
  void keep(int64_t time_us, int64_t times);
  double bucket_time_us(const std::vector<int64_t>& ends, int64_t rank) const;

  int64_t count_ = 0;
  std::vector<int64_t> buckets_;
  bool is_exact_ = true;
  std::vector<int64_t> times_us_;  // all of them while is_exact_, else empty
};

}  // namespace sequela
