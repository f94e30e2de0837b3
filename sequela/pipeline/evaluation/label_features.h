#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "sequela/evaluation/matrix.h"
#include "sequela/pipeline/evaluation/label_task.h"
#include "sequela/pipeline/evaluation/records.h"

namespace sequela {

// Features of all labels of an evaluation (join_labels), a row a label.
struct DenseFeatures {
  DenseMatrix matrix;
  std::vector<uint8_t> is_known;  // by row; 0 = nothing is known of the history, its row is 0
};

// A value that is made when it is first asked for.
template <class T>
class Lazy {
 public:
  explicit Lazy(std::function<T()> make) : make_(std::move(make)) {}
  const T& get() {
    if (!value_) value_.emplace(make_());
    return *value_;
  }

 private:
  std::function<T()> make_;
  std::optional<T> value_;
};

// Age, its square, sex (evaluation/baseline.h). Nothing is known of a subject without a birth.
DenseFeatures age_and_sex_features(const EvaluationRecords& records, std::span<const Label> labels);

// Counts of codes and all their ancestors in the last 30 days, the last year and ever before each
// label, as ln(1 + count), and age in years and sex beside them.
SparseMatrix count_features(const EvaluationRecords& records, std::span<const Label> labels);

// Parts of a task by row numbers.
template <class Value>
std::vector<Value> values_at(const std::vector<Value>& values, std::span<const int64_t> rows) {
  std::vector<Value> taken;
  taken.reserve(rows.size());
  for (const int64_t row : rows) taken.push_back(values[row]);
  return taken;
}

}  // namespace sequela
