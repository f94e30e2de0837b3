#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sequela/io/tfevents.h"

namespace sequela {

// What one log line of a run says.
struct StepLog {
  int64_t step = 0;
  int64_t total_steps = 0;
  double loss = 0;  // mean since the last line
  double learning_rate = 0;
  double gradient_norm = 0;  // before clipping
  double tokens_per_second = 0;
  double mfu = 0;  // model FLOP per second / the machine's matrix-product rate
};

// Writes a run's figures to TensorBoard files in <folder>/runs and to the log.
class RunLog {
 public:
  explicit RunLog(const std::string& folder);
  void add(const StepLog& entry);
  void add_evaluation(int64_t step, double loss, bool is_best);

 private:
  EventFileWriter writer_;
};

}  // namespace sequela
