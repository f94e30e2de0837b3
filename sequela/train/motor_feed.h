#pragma once

#include <vector>

#include "sequela/batch/loader.h"
#include "sequela/model/encoder_config.h"
#include "sequela/nn/inputs.h"
#include "sequela/nn/transfer.h"

namespace sequela {

// Batches in a given order on the model's device: read ahead on a thread of its own, and brought to
// a GPU one ahead, with all that a step would otherwise wait for. Each in parts of whole sequences
// (batch/split.h), which take less memory, filled up (batch/filler.h).
class MotorFeed {
 public:
  // Refers to `batches`; `head`: of the model that takes them; `num_parts`: at the most.
  MotorFeed(const MotorBatches& batches, std::vector<int64_t> order, const MotorHeadConfig& head,
            at::Device device, int64_t num_parts = 1);

  struct Part {
    MotorBatch batch;
    MotorBatch on_host;  // before it was brought to the device; on the CPU the same
    int64_t num_labels = 0;
  };
  struct Fed {
    std::vector<Part> parts;
    int64_t num_tokens = 0, num_labels = 0, num_events = 0;  // of all
  };
  // The next batch; nullopt at the end. Rethrows what reading threw.
  std::optional<Fed> next();
  // To be called when the last batch's step has been asked for: brings the next one.
  void read_ahead();

 private:
  std::optional<Fed> take();
  void bring(Part& part, std::vector<at::Tensor*>& tensors);

  const at::Device device_;
  const int64_t num_parts_;
  const at::Tensor bin_edges_K1_;
  BatchLoader loader_;
  Transfer transfer_;
  std::optional<Fed> ahead_;
};

}  // namespace sequela
