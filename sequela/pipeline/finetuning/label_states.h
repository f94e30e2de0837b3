#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "sequela/features/label_batches.h"
#include "sequela/model/motor.h"

namespace sequela {

// Reads batches in a given order, one ahead of its use on a thread of its own.
class LabelBatchReader {
 public:
  // Refers to `batches`.
  LabelBatchReader(const LabelBatches& batches, std::vector<int64_t> order);
  // The next batch of the order; nullopt at its end. Rethrows what reading threw.
  std::optional<LabelBatches::Batch> next();

 private:
  void start();

  const LabelBatches& batches_;
  const std::vector<int64_t> order_;
  size_t position_ = 0;
  std::future<LabelBatches::Batch> ahead_;
};

// What a model makes of a batch's labels: the hidden states that `sequela features` reads.
struct LabelStates {
  at::Tensor states_LH;  // float32 on the CPU
  std::vector<int64_t> labels;
  int64_t num_tokens = 0;
};

// Calls visit with each batch's, in order. `name`: of the work in progress reports. Throws
// Interrupted at a stop signal.
void each_label_states(Motor& model, const LabelBatches& batches, const std::string& name,
                       const std::function<void(LabelStates)>& visit);

}  // namespace sequela
