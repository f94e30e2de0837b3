#include "sequela/pipeline/finetuning/label_states.h"

#include <ATen/ATen.h>

#include <numeric>
#include <utility>

#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/run_context.h"

namespace sequela {

LabelBatchReader::LabelBatchReader(const LabelBatches& batches, std::vector<int64_t> order)
    : batches_(batches), order_(std::move(order)) {
  start();
}

void LabelBatchReader::start() {
  if (position_ == order_.size()) return;
  ahead_ = std::async(std::launch::async,
                      [this, batch = order_[position_++], run = RunContext::current()] {
                        const RunScope scope(run);
                        return batches_.read(batch);
                      });
}

std::optional<LabelBatches::Batch> LabelBatchReader::next() {
  if (!ahead_.valid()) return std::nullopt;
  LabelBatches::Batch batch = ahead_.get();
  start();
  return batch;
}

void each_label_states(Motor& model, const LabelBatches& batches, const std::string& name,
                       const std::function<void(LabelStates)>& visit) {
  std::vector<int64_t> order(batches.num_batches());
  std::iota(order.begin(), order.end(), 0);
  LabelBatchReader reader(batches, std::move(order));
  Progress progress(name, batches.num_batches(), "batches");
  while (auto batch = reader.next()) {
    const at::Tensor tokens_L = batch->inputs.label_indices_L.to(at::kLong);
    visit({model.encode(batch->inputs, tokens_L).to(at::kCPU), std::move(batch->labels),
           batch->inputs.ages_days_T.size(0)});
    progress.advance(1);
    throw_if_stopped();
  }
}

}  // namespace sequela
