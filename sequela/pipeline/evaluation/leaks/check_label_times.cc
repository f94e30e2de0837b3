// Whether labels stand at times of their own subjects.
#include <algorithm>
#include <cmath>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/core/shuffle.h"
#include "sequela/pipeline/evaluation/leaks/leak_check.h"

namespace sequela {
namespace {

constexpr int kPermutations = 10;
constexpr double kFoundShare = 0.05;      // of labels outside their records
constexpr double kFoundOfPermuted = 0.5;  // of what permuted times would give
constexpr double kMinPermuted = 0.1;      // below, permuted times would not be told from right ones

// From a subject's first event that has a time, birth apart, to a day after the last one.
struct RecordSpan {
  int64_t first_us = 0, last_us = 0;
  bool holds(int64_t time_us) const { return time_us >= first_us && time_us <= last_us; }
};

RecordSpan span_of(const EvaluationRecords& records, int64_t subject_id) {
  const Subject subject = records.store().subject(*records.store().find_subject(subject_id));
  RecordSpan span{kMaxTimeUs, kMinTimeUs};
  for (int64_t i = 0; i < subject.num_events; ++i) {
    const int64_t time_us = subject.time_us(i);
    if (time_us == kNoTime) continue;
    span.last_us = std::max(span.last_us, time_us + kMicrosPerDay);
    if (records.store().codes()[subject.code(i)] != kBirthCode)
      span.first_us = std::min(span.first_us, time_us);
  }
  return span;
}

double percent(double share) {
  return std::round(1000 * share) / 10;
}

}  // namespace

LeakResult check_label_times(const EvaluationRecords& records, const LabelTask& task,
                             uint64_t seed) {
  LeakResult result{.check = "permuted_times",
                    .title = "labels at times that are not their subject's",
                    .task = task.name,
                    .num_checked = static_cast<int64_t>(task.labels.size())};
  std::vector<RecordSpan> spans;
  for (const Label& label : task.labels) spans.push_back(span_of(records, label.subject_id));
  for (size_t i = 0; i < spans.size(); ++i)
    result.num_found += !spans[i].holds(task.labels[i].prediction_time_us);
  int64_t num_permuted = 0;
  Random random(hash_key(seed, 0x71E5));
  for (int round = 0; round < kPermutations; ++round) {
    std::vector<size_t> order(spans.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    shuffle(order, random);
    for (size_t i = 0; i < order.size(); ++i)
      num_permuted += !spans[i].holds(task.labels[order[i]].prediction_time_us);
  }
  const auto num = static_cast<double>(spans.size());
  const double share = static_cast<double>(result.num_found) / num;
  const double permuted = static_cast<double>(num_permuted) / (num * kPermutations);
  result.text = str(percent(share),
                    " % of the labels lie outside their subject's record, before "
                    "its first event or a day after its last; of permuted times ",
                    percent(permuted), " % would");
  if (permuted < kMinPermuted) {
    result.status = LeakStatus::not_checked;
    result.text += ", too few to tell";
  } else if (share >= kFoundShare) {
    result.status = share >= kFoundOfPermuted * permuted ? LeakStatus::found : LeakStatus::look;
  }
  return result;
}

}  // namespace sequela
