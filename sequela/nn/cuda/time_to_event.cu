// Loss and gradient of logits, one block per row (label, bin). The row's seconds at risk are laid
// out in shared memory first: those of the censoring everywhere, then the label's sparse events
// over them.

#include "sequela/nn/cuda/device.cuh"

namespace sequela {
namespace {

constexpr int kTasks = 4096;  // of one pass

__device__ float at_risk(float seconds, float start, float end, bool rounds_log2) {
  const float exact = fminf(fmaxf(seconds - start, 0.0f), end - start);
  if (!rounds_log2 || exact == 0) return exact;
  return exp2f(__half2float(__float2half(log2f(exact))));
}

// Fills risk[kTasks] for tasks from `first` on; the cell with the event has its sign bit set.
__device__ void fill_risk(const LossRows& rows, int64_t label, int64_t bin, int64_t first,
                          float* risk) {
  const float start = rows.edges[bin], end = rows.edges[bin + 1];
  const float censored = at_risk(rows.censor_seconds[label], start, end, rows.rounds_log2);
  for (int i = threadIdx.x; i < kTasks; i += kBlock) risk[i] = censored;
  __syncthreads();
  for (int i = rows.row_offsets[label] + threadIdx.x; i < rows.row_offsets[label + 1];
       i += kBlock) {
    const int64_t column = rows.task_ids[i] - first;
    if (column < 0 || column >= kTasks) continue;
    const float seconds = rows.event_seconds[i];
    const float value = at_risk(seconds, start, end, rows.rounds_log2);
    risk[column] = start <= seconds && seconds < end ? -value : value;
  }
  __syncthreads();
}

template <class T>
__global__ void time_to_event(LossRows rows) {
  float* sums = shared_floats;
  float* risk = shared_floats + kSums;
  const int64_t row = blockIdx.x, label = rows.rows[row] / rows.num_bins,
                bin = rows.rows[row] % rows.num_bins;
  T* logits = static_cast<T*>(rows.logits) + row * rows.num_tasks;
  float survival = 0, event = 0;
  for (int64_t first = 0; first < rows.num_tasks; first += kTasks) {
    fill_risk(rows, label, bin, first, risk);
    for (int64_t c = first + threadIdx.x; c < rows.num_tasks && c < first + kTasks; c += kBlock) {
      const float logit = get(logits + c) + rows.bias[bin * rows.num_tasks + c];
      const float seconds = fabsf(risk[c - first]);
      const bool is_event = signbit(risk[c - first]);
      const float expected = seconds > 0 ? exp2f(logit) * seconds : 0.0f;
      survival += expected;
      if (is_event) event += logit;
      if (rows.has_gradient)
        put(logits + c, (expected - (is_event ? 1.0f : 0.0f)) * rows.gradient_scale);
    }
    __syncthreads();
  }
  survival = block_sum(survival, sums);
  event = block_sum(event, sums);
  if (threadIdx.x != 0) return;
  rows.survival[row] = survival;
  rows.event[row] = event;
}

}  // namespace

void cuda_time_to_event(const LossRows& rows, Value value, void* stream) {
  if (rows.num_rows == 0) return;
  with_type(value, [&](auto v) {
    launch({"time_to_event", blocks(rows.num_rows), stream, kSums + kTasks},
           time_to_event<decltype(v)>, rows);
  });
}

}  // namespace sequela
