#include "sequela/task/time_histogram.h"

#include <algorithm>
#include <cmath>

#include "sequela/core/time.h"
#include "sequela/tokenizer/quantile.h"

namespace sequela {

void TimeHistogram::keep(int64_t time_us, int64_t times) {
  if (count_ > kMaxExact) {
    is_exact_ = false;
    times_us_ = std::vector<int64_t>();
    return;
  }
  times_us_.insert(times_us_.end(), times, time_us);
}

void TimeHistogram::merge(const TimeHistogram& other) {
  count_ += other.count_;
  for (int32_t b = 0; b < kNumBuckets; ++b) buckets_[b] += other.buckets_[b];
  is_exact_ = is_exact_ && other.is_exact_ && count_ <= kMaxExact;
  if (is_exact_) {
    times_us_.insert(times_us_.end(), other.times_us_.begin(), other.times_us_.end());
  } else {
    times_us_ = std::vector<int64_t>();
  }
}

double TimeHistogram::bucket_start_us(int32_t bucket) {
  const int32_t bits = (bucket + kFirstBucket) << (23 - kMantissaBits);
  return __builtin_bit_cast(float, bits);
}

// The time of a rank, were the times of each bucket spread evenly over it.
double TimeHistogram::bucket_time_us(const std::vector<int64_t>& ends, int64_t rank) const {
  const auto bucket =
      static_cast<int32_t>(std::upper_bound(ends.begin(), ends.end(), rank) - ends.begin());
  const double start = bucket_start_us(bucket);
  const auto rank_in_bucket = static_cast<double>(rank - (ends[bucket] - buckets_[bucket]));
  const double share = (rank_in_bucket + 0.5) / static_cast<double>(buckets_[bucket]);
  return start + (bucket_start_us(bucket + 1) - start) * share;
}

std::vector<double> TimeHistogram::quantiles(std::span<const double> shares) const {
  std::vector<double> result;
  if (is_exact_) {
    std::vector<int64_t> sorted = times_us_;
    std::sort(sorted.begin(), sorted.end());
    for (double share : shares) {
      result.push_back(quantile(count_, share, [&](int64_t rank) {
        return static_cast<double>(sorted[rank]) / kMicrosPerSecond;
      }));
    }
    return result;
  }
  std::vector<int64_t> ends(buckets_.size());
  int64_t end = 0;
  for (size_t b = 0; b < buckets_.size(); ++b) ends[b] = end += buckets_[b];
  for (double share : shares) {
    result.push_back(quantile(count_, share, [&](int64_t rank) {
      return bucket_time_us(ends, rank) / kMicrosPerSecond;
    }));
  }
  return result;
}

}  // namespace sequela
