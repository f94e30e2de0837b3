#include "sequela/batch/check.h"

#include <algorithm>

#include "sequela/core/error.h"

namespace sequela {

namespace {

class Checker {
 public:
  explicit Checker(const std::string& path) : path_(path) {}

  void require(bool is_right, const char* cause) const {
    if (!is_right) fail_damaged_batch(path_, cause);
  }

 private:
  const std::string& path_;
};

template <class T>
int64_t size_of(const std::vector<T>& values) {
  return static_cast<int64_t>(values.size());
}

// Ascending offsets from 0 to `end`.
template <class Offset>
bool are_offsets(const std::vector<Offset>& offsets, int64_t end) {
  return !offsets.empty() && offsets.front() == 0 && offsets.back() == end &&
         std::ranges::is_sorted(offsets);
}

bool sum_to(const std::vector<int32_t>& lengths, int64_t total) {
  int64_t sum = 0;
  for (const int32_t length : lengths) {
    if (length < 1) return false;
    sum += length;
  }
  return sum == total;
}

}  // namespace

void fail_damaged_batch(const std::string& path, const std::string& cause) {
  throw FileError(path, "a batch is damaged: " + cause, "prepare the batches again");
}

void check_sequences(const BatchArrays& batch, const BatchLimits& limits, const std::string& path) {
  const Checker check(path);
  const int64_t num_tokens = batch.num_tokens();
  check.require(size_of(batch.subject_ids) == batch.num_sequences() &&
                    size_of(batch.first_tokens) == batch.num_sequences() &&
                    size_of(batch.time_data) == num_tokens * 5 &&
                    size_of(batch.timestamps) == num_tokens &&
                    size_of(batch.token_offsets) == num_tokens + 1 &&
                    batch.token_ids.size() == batch.token_weights.size(),
                "its arrays differ in size");
  check.require(sum_to(batch.lengths, num_tokens), "its lengths do not sum to its tokens");
  check.require(are_offsets(batch.token_offsets, size_of(batch.token_ids)), "its bags do not fit");
  check.require(std::ranges::all_of(batch.token_ids,
                                    [&](int32_t id) { return id >= 0 && id < limits.vocab_size; }),
                "a token id is not in the vocabulary");
  const auto& labels = batch.label_indices;
  check.require(std::ranges::adjacent_find(labels, std::greater_equal<>()) == labels.end() &&
                    (labels.empty() || (labels.front() >= 0 && labels.back() < num_tokens)),
                "its labels are out of order or range");
}

void check_rows(const BatchArrays& batch, const BatchLimits& limits, const std::string& path) {
  const Checker check(path);
  const FutureRows& rows = batch.rows;
  check.require(size_of(rows.censor_seconds) == batch.num_labels() &&
                    size_of(rows.row_offsets) == batch.num_labels() + 1 &&
                    rows.task_ids.size() == rows.event_seconds.size() &&
                    are_offsets(rows.row_offsets, size_of(rows.task_ids)) &&
                    size_of(rows.task_ids) <= std::numeric_limits<int32_t>::max(),
                "its targets do not fit its labels");
  for (int64_t label = 0; label < batch.num_labels(); ++label) {
    int32_t previous = -1;
    for (int64_t k = rows.row_offsets[label]; k < rows.row_offsets[label + 1]; ++k) {
      check.require(rows.task_ids[k] > previous && rows.task_ids[k] < limits.num_tasks,
                    "a task is out of order or range");
      previous = rows.task_ids[k];
    }
  }
}

void check_targets(const BatchArrays& batch, const std::string& path) {
  const Checker check(path);
  check.require(!batch.targets.empty(), "it has no targets");
  for (const TargetArray& array : batch.targets) {
    check.require(size_of(array.values) == batch.num_labels(), "its targets do not fit its labels");
    check.require(std::ranges::all_of(array.values, [](int32_t value) { return value >= 0; }),
                  "a target is below 0");
  }
}

}  // namespace sequela
