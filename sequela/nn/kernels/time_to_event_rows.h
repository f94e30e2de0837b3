#pragma once

#include <cstdint>
#include <vector>

#include "sequela/nn/kernels/time_to_event_kernels.h"

namespace sequela {

// The rows (label, bin) that the loss has to visit, and the seconds at risk in tiles of them.
class TimeToEventRows {
 public:
  static constexpr int64_t kTile = 64;

  explicit TimeToEventRows(const TimeToEventCall& call);

  // Rows that some task reaches, by bin, then label; as indices label * bins + bin.
  const std::vector<int64_t>& kept() const { return kept_; }
  const int32_t* bins(int64_t row) const { return bins_.data() + row; }

  // risk[64][64] for kept rows from `row` on and the tasks from 64 * task_tile on, with events
  // marked by the sign (see LossTile). Rows beyond `num_rows` are left as they are.
  void fill_risk(int64_t row, int64_t num_rows, int64_t task_tile, float* risk) const;

 private:
  void index_entries();

  const TimeToEventCall& call_;
  const int64_t num_labels_, num_bins_, num_tasks_, num_task_tiles_;
  const float* edges_;
  const float* censor_;
  const int32_t* offsets_;
  const int32_t* tasks_;
  const float* seconds_;
  std::vector<int64_t> kept_;
  std::vector<int32_t> bins_;
  std::vector<int32_t> tile_starts_;  // [labels][task tiles + 1], positions in the sparse rows
};

}  // namespace sequela
