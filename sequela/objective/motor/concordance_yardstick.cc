#include "sequela/objective/motor/concordance_yardstick.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sequela/core/parallel.h"
#include "sequela/core/random.h"
#include "sequela/evaluation/concordance.h"

namespace sequela {
namespace {

constexpr uint64_t kLabelKey = 0xC0;

}  // namespace

ConcordanceYardstick::ConcordanceYardstick(const std::vector<std::string>& codes,
                                           const std::vector<double>& bin_edges,
                                           const CellSums& train, int64_t num_labels,
                                           int num_threads)
    : bin_edges_(bin_edges),
      kept_share_(static_cast<double>(kMaxLabels) /
                  static_cast<double>(std::max(kMaxLabels, num_labels))),
      num_threads_(num_threads),
      place_of_(codes.size(), -1) {
  std::vector<int64_t> order(codes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return train.events_of(a) > train.events_of(b); });
  order.resize(std::min<size_t>(order.size(), kMaxTasks));
  for (int64_t task : order) {
    place_of_[task] = static_cast<int32_t>(rows_.size());
    rows_.push_back({task, codes[task], {}, {}, {}});
  }
  tasks_S_ = at::tensor(order, at::kLong);
}

void ConcordanceYardstick::start() {
  num_labels_seen_ = 0;
  for (TaskRows& rows : rows_) {
    rows.seconds.clear();
    rows.is_event.clear();
    rows.hazards.clear();
  }
}

// Appends the row of a label to each task: censored, but for the tasks that follow it.
void ConcordanceYardstick::add_outcomes(const MotorTargets& targets, int64_t label) {
  const int32_t* offsets = targets.row_offsets_L1.const_data_ptr<int32_t>();
  for (TaskRows& rows : rows_) {
    rows.seconds.push_back(targets.censor_seconds_L.const_data_ptr<float>()[label]);
    rows.is_event.push_back(0);
  }
  for (int32_t i = offsets[label]; i < offsets[label + 1]; ++i) {
    const int32_t place = place_of_[targets.task_ids_Z.const_data_ptr<int32_t>()[i]];
    if (place < 0) continue;
    rows_[place].seconds.back() = targets.event_seconds_Z.const_data_ptr<float>()[i];
    rows_[place].is_event.back() = 1;
  }
}

void ConcordanceYardstick::add(const MotorBatch& batch, const at::Tensor&,
                               const at::Tensor& log2_rates_LKS) {
  const int64_t bins = static_cast<int64_t>(bin_edges_.size()) - 1;
  const at::Tensor rates = log2_rates_LKS.permute({2, 0, 1}).contiguous();  // [S, L, K]
  const int64_t labels = rates.size(1);
  for (int64_t l = 0; l < labels; ++l) {
    if (to_uniform(hash_key(kLabelKey, num_labels_seen_++)) >= kept_share_) continue;
    add_outcomes(batch.targets, l);
    for (size_t s = 0; s < rows_.size(); ++s) {
      const float* own =
          rates.const_data_ptr<float>() + (static_cast<int64_t>(s) * labels + l) * bins;
      rows_[s].hazards.insert(rows_[s].hazards.end(), own, own + bins);
    }
  }
}

Figures ConcordanceYardstick::finish() {
  std::vector<double> values(rows_.size());
  parallel_for(static_cast<int64_t>(rows_.size()), num_threads_, [&](int64_t i, int) {
    const TaskRows& rows = rows_[i];
    values[i] = time_dependent_concordance({rows.seconds, rows.is_event, rows.hazards, bin_edges_});
  });
  Figures figures = {{"eval/concordance", 0, "concordance"}};
  double sum = 0, count = 0;
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    sum += values[i];
    ++count;
    figures.push_back({"eval/concordance/" + rows_[i].code, values[i], ""});
  }
  figures[0].value = sum / count;
  return figures;
}

}  // namespace sequela
