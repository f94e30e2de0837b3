#include "sequela/train/motor_feed.h"

#include <ATen/ATen.h>

#include <memory>
#include <utility>

#include "sequela/batch/filler.h"
#include "sequela/batch/split.h"
#include "sequela/nn/time_to_event.h"

namespace sequela {

MotorFeed::MotorFeed(const MotorBatches& batches, std::vector<int64_t> order,
                     const MotorHeadConfig& head, at::Device device, int64_t num_parts)
    : device_(device),
      num_parts_(num_parts),
      bin_edges_K1_(at::tensor(head.time_bins, at::kDouble).to(at::kFloat)),
      loader_(batches, std::move(order)),
      transfer_(device) {}

std::optional<MotorFeed::Fed> MotorFeed::take() {
  MotorBatch batch;
  if (!loader_.next(batch)) return std::nullopt;
  Fed fed;
  fed.num_tokens = batch.inputs.ages_days_T.size(0);
  fed.num_labels = batch.inputs.label_indices_L.size(0);
  fed.num_events = batch.targets.event_seconds_Z.size(0);
  std::vector<MotorBatch> batches = {batch};
  if (num_parts_ > 1) batches = split_batch(batch, num_parts_);
  for (MotorBatch& own : batches) {
    fill_up(own.inputs);
    fed.parts.push_back({own, own, own.inputs.label_indices_L.size(0)});
  }
  if (!transfer_.is_needed()) return fed;
  std::vector<at::Tensor*> tensors;
  for (Part& part : fed.parts) bring(part, tensors);
  transfer_.start(tensors);
  return fed;
}

void MotorFeed::bring(Part& part, std::vector<at::Tensor*>& tensors) {
  part.batch.targets.reached_rows_R = reached_rows(part.on_host.targets, bin_edges_K1_);
  const auto sequences = std::make_shared<PackedSequences>(
      build_packed_sequences(part.on_host.inputs.lengths_S, at::kCPU));
  for (const std::vector<at::Tensor*>& own :
       {device_tensors(part.batch.inputs), device_tensors(part.batch.targets),
        device_tensors(*sequences)})
    tensors.insert(tensors.end(), own.begin(), own.end());
  part.batch.inputs.sequences = sequences;
}

std::optional<MotorFeed::Fed> MotorFeed::next() {
  std::optional<Fed> fed = ahead_ ? std::exchange(ahead_, std::nullopt) : take();
  if (fed) transfer_.arrive();
  return fed;
}

void MotorFeed::read_ahead() {
  if (!transfer_.is_needed()) return;
  transfer_.keep_pace();
  ahead_ = take();
}

}  // namespace sequela
