#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/pipeline/evaluation/label_task.h"
#include "sequela/pipeline/evaluation/records.h"

namespace sequela {

// What a task's methods see of the codes, code by code: at most kMaxRows labels, drawn by a hash.
class TaskInputs {
 public:
  static constexpr size_t kMaxRows = 20'000;

  // A code's events in the history of one label.
  struct Entry {
    int32_t row;       // of rows()
    int32_t count;     // of its events
    float last_value;  // numeric; NaN if none has one
    bool is_at_time;   // one of them lies at the prediction time itself
  };

  TaskInputs(const EvaluationRecords& records, const LabelTask& task, uint64_t seed);

  const std::vector<int64_t>& rows() const { return rows_; }          // of the task
  const std::vector<uint8_t>& outcomes() const { return outcomes_; }  // by row
  const std::vector<uint8_t>& is_test() const { return is_test_; }    // by row
  int64_t num_positive() const { return num_positive_; }
  int32_t num_codes() const { return static_cast<int32_t>(entries_.size()); }
  const std::string& code(int32_t code) const { return codes_[code]; }
  const std::vector<Entry>& entries(int32_t code) const { return entries_[code]; }
  int64_t num_after() const { return num_after_; }        // events after their prediction time
  int64_t num_midnight() const { return num_midnight_; }  // labels, see check_prediction_time

 private:
  void add(const EvaluationRecords& records, const Label& label, int32_t row);

  const std::vector<std::string>& codes_;
  std::vector<int64_t> rows_;
  std::vector<uint8_t> outcomes_, is_test_;
  std::vector<std::vector<Entry>> entries_;  // by code
  int64_t num_positive_ = 0, num_after_ = 0, num_midnight_ = 0;
};

// AUROC of a score that is 0 but for the entries: P(a positive row's is higher), ties half. The
// entries' scores are above 0.
struct RowScore {
  int32_t row;
  double score;
};
double sparse_auroc(std::vector<RowScore> scores, const TaskInputs& inputs);

}  // namespace sequela
