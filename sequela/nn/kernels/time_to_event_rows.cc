#include "sequela/nn/kernels/time_to_event_rows.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace sequela {
namespace {

std::vector<int64_t> rows_reached(const MotorTargets& targets, const at::Tensor& bin_edges_K1) {
  const int64_t num_labels = targets.censor_seconds_L.size(0), num_bins = bin_edges_K1.size(0) - 1;
  const float* edges = bin_edges_K1.const_data_ptr<float>();
  const float* censor = targets.censor_seconds_L.const_data_ptr<float>();
  const float* seconds = targets.event_seconds_Z.const_data_ptr<float>();
  const int32_t* offsets = targets.row_offsets_L1.const_data_ptr<int32_t>();
  std::vector<float> last_event(num_labels, -1);
  for (int64_t l = 0; l < num_labels; ++l) {
    for (int32_t i = offsets[l]; i < offsets[l + 1]; ++i)
      last_event[l] = std::max(last_event[l], seconds[i]);
  }
  std::vector<int64_t> rows;
  for (int64_t k = 0; k < num_bins; ++k) {
    for (int64_t l = 0; l < num_labels; ++l) {
      // An event on the bin's very start is in it, though no time at risk is.
      if (censor[l] > edges[k] || last_event[l] >= edges[k]) rows.push_back(l * num_bins + k);
    }
  }
  return rows;
}

}  // namespace

at::Tensor reached_rows(const MotorTargets& targets, const at::Tensor& bin_edges_K1) {
  return at::tensor(rows_reached(targets, bin_edges_K1), at::kLong);
}

TimeToEventRows::TimeToEventRows(const TimeToEventCall& call)
    : call_(call),
      num_labels_(call.z_LKF.size(0)),
      num_bins_(call.z_LKF.size(1)),
      num_tasks_(call.head.weight_CF.size(0)),
      num_task_tiles_((num_tasks_ + kTile - 1) / kTile),
      edges_(call.head.bin_edges_K1.const_data_ptr<float>()),
      censor_(call.targets.censor_seconds_L.const_data_ptr<float>()),
      offsets_(call.targets.row_offsets_L1.const_data_ptr<int32_t>()),
      tasks_(call.targets.task_ids_Z.const_data_ptr<int32_t>()),
      seconds_(call.targets.event_seconds_Z.const_data_ptr<float>()),
      kept_(rows_reached(call.targets, call.head.bin_edges_K1)) {
  for (const int64_t row : kept_) bins_.push_back(static_cast<int32_t>(row % num_bins_));
  index_entries();
}

void TimeToEventRows::index_entries() {
  tile_starts_.resize(num_labels_ * (num_task_tiles_ + 1));
  for (int64_t l = 0; l < num_labels_; ++l) {
    int32_t* starts = tile_starts_.data() + l * (num_task_tiles_ + 1);
    int32_t entry = offsets_[l];
    for (int64_t tile = 0; tile <= num_task_tiles_; ++tile) {
      const int64_t first_task = std::min(tile * kTile, num_tasks_);
      while (entry < offsets_[l + 1] && tasks_[entry] < first_task) ++entry;
      starts[tile] = entry;
    }
  }
}

void TimeToEventRows::fill_risk(int64_t row, int64_t num_rows, int64_t task_tile,
                                float* risk) const {
  const int32_t first_task = static_cast<int32_t>(task_tile * kTile);
  const int64_t num_columns = std::min(kTile, num_tasks_ - first_task);
  for (int64_t r = 0; r < num_rows; ++r, risk += kTile) {
    const int64_t label = kept_[row + r] / num_bins_, bin = kept_[row + r] % num_bins_;
    const float start = edges_[bin], end = edges_[bin + 1];
    std::fill_n(risk, num_columns, seconds_at_risk(censor_[label], start, end, call_.time_at_risk));
    std::fill(risk + num_columns, risk + kTile, 0.0f);
    const int32_t* starts = tile_starts_.data() + label * (num_task_tiles_ + 1) + task_tile;
    for (int32_t i = starts[0]; i < starts[1]; ++i) {
      const bool is_event = start <= seconds_[i] && seconds_[i] < end;
      const float at_risk = seconds_at_risk(seconds_[i], start, end, call_.time_at_risk);
      risk[tasks_[i] - first_task] = is_event ? -at_risk : at_risk;
    }
  }
}

}  // namespace sequela
