#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "sequela/nn/cuda/dispatch.h"
#include "sequela/nn/cuda/tensors.h"

namespace sequela {
namespace {

constexpr int64_t kChunkRows = 8192;  // logits in memory at once: this many rows of all tasks

// reached_rows(), on the device, which is waited for.
at::Tensor kept_rows(const TimeToEventCall& call) {
  const int64_t labels = call.z_LKF.size(0), bins = call.z_LKF.size(1);
  const at::Tensor starts_K1 = call.head.bin_edges_K1.narrow(0, 0, bins).unsqueeze(1);
  const at::Tensor offsets = call.targets.row_offsets_L1.to(at::kLong);
  const at::Tensor label_of_entry =
      at::repeat_interleave(offsets.slice(0, 1) - offsets.slice(0, 0, -1),
                            std::optional<int64_t>(call.targets.task_ids_Z.size(0)));
  at::Tensor last_event_L = at::full({labels}, -1.0, call.targets.censor_seconds_L.options());
  last_event_L.scatter_reduce_(0, label_of_entry, call.targets.event_seconds_Z, "amax");
  const at::Tensor is_kept_KL =
      (call.targets.censor_seconds_L > starts_K1) | (last_event_L >= starts_K1);
  const at::Tensor places = at::nonzero(is_kept_KL);
  return places.select(1, 1) * bins + places.select(1, 0);
}

class Run {
 public:
  explicit Run(const TimeToEventCall& call)
      : call_(call),
        bins_(call.z_LKF.size(1)),
        tasks_(call.head.weight_CF.size(0)),
        num_cells_(static_cast<double>(call.z_LKF.size(0)) * bins_ * tasks_),
        rows_(call.targets.reached_rows_R.defined() ? call.targets.reached_rows_R
                                                    : kept_rows(call)) {
    bias_KC_ = call.head.bias_C.unsqueeze(0).expand({bins_, -1});
    if (call.head.time_bias_KC.defined()) bias_KC_ = bias_KC_ + call.head.time_bias_KC;
    bias_KC_ = bias_KC_.contiguous();
  }

  at::Tensor loss() {
    if (call_.gradient_scale) at::Tensor(call_.gradients.z_LKF).zero_();
    at::Tensor total = at::zeros({}, bias_KC_.options().dtype(at::kDouble));
    for (int64_t first = 0; first < rows_.size(0); first += kChunkRows) {
      total += run_chunk(rows_.narrow(0, first, std::min(kChunkRows, rows_.size(0) - first)));
    }
    return (total / num_cells_).to(at::kFloat);
  }

 private:
  at::Tensor run_chunk(const at::Tensor& rows_R) {
    const at::Tensor z_RF = call_.z_LKF.flatten(0, 1).index_select(0, rows_R);
    const at::Tensor logits_RC = at::mm(z_RF, call_.head.weight_CF.t());
    const at::Tensor sums_2R = at::empty({2, rows_R.size(0)}, bias_KC_.options());
    const MotorTargets& targets = call_.targets;
    const double scale = call_.gradient_scale ? M_LN2 * *call_.gradient_scale / num_cells_ : 0;
    cuda_time_to_event(
        {rows_R.size(0), bins_, tasks_, rows_R.data_ptr<int64_t>(), logits_RC.data_ptr(),
         floats_of(bias_KC_), floats_of(call_.head.bin_edges_K1),
         floats_of(targets.censor_seconds_L), targets.row_offsets_L1.data_ptr<int32_t>(),
         targets.task_ids_Z.data_ptr<int32_t>(), floats_of(targets.event_seconds_Z),
         call_.time_at_risk == TimeAtRisk::log2_float16, call_.gradient_scale.has_value(),
         static_cast<float>(scale), floats_of(sums_2R[0]), floats_of(sums_2R[1])},
        value_of(logits_RC), current_stream(logits_RC));
    if (call_.gradient_scale) add_gradients(rows_R, z_RF, logits_RC);
    return sums_2R[0].sum(at::kDouble) - M_LN2 * sums_2R[1].sum(at::kDouble);
  }

  void add_gradients(const at::Tensor& rows_R, const at::Tensor& z_RF, const at::Tensor& grad_RC) {
    const TimeToEventGradients& gradients = call_.gradients;
    gradients.z_LKF.view({-1, z_RF.size(1)})
        .index_copy_(0, rows_R, at::mm(grad_RC, call_.head.weight_CF));
    at::Tensor(gradients.weight_CF).add_(at::mm(grad_RC.t(), z_RF));
    at::Tensor(gradients.bias_C).add_(at::sum(grad_RC, {0}, false, at::kFloat));
    if (!gradients.time_bias_KC.defined()) return;
    // One row of ones per bin sums the rows of that bin.
    const at::Tensor bin_ids = at::arange(bins_, rows_R.options()).unsqueeze(1);
    const at::Tensor is_of_bin_KR = (rows_R.remainder(bins_) == bin_ids).to(grad_RC.scalar_type());
    at::Tensor(gradients.time_bias_KC).add_(at::mm(is_of_bin_KR, grad_RC));
  }

  const TimeToEventCall& call_;
  const int64_t bins_, tasks_;
  const double num_cells_;
  const at::Tensor rows_;
  at::Tensor bias_KC_;
};

}  // namespace

at::Tensor time_to_event_cuda(const TimeToEventCall& call) {
  if (call.z_LKF.size(0) == 0) return at::zeros({}, call.z_LKF.options().dtype(at::kFloat));
  return Run(call).loss();
}

}  // namespace sequela
