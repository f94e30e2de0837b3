#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sequela/core/json.h"
#include "sequela/io/tfevents.h"
#include "sequela/train/yardstick.h"

namespace sequela {

// What one log line of a run says.
struct StepLog {
  int64_t step = 0;
  int64_t total_steps = 0;
  double loss = 0;  // mean since the last line
  double learning_rate = 0;
  double gradient_norm = 0;  // before clipping
  double tokens_per_second = 0;
  double mfu = 0;   // model FLOP per second / the machine's matrix-product rate
  Figures figures;  // what else was measured at this step
};

struct EvaluationLog {
  int64_t step = 0;
  double loss = 0;
  bool is_best = false;
  Figures figures;
};

// Writes a run's figures to TensorBoard files in <folder>/runs, to <folder>/metrics.json and to the
// log.
//
// metrics.json is {"log": [...], "evaluations": [...]}: an object per log line and per evaluation,
// {"step": 500, "eval/loss": ..., "is_best": ...}, with TensorBoard's tags as keys. It is whole at
// any time.
class RunLog {
 public:
  explicit RunLog(const std::string& folder);
  ~RunLog();

  // Takes over what metrics.json says of the steps of a run that goes on. FileError if it is
  // damaged.
  struct Stand {
    int64_t step = 0;
    bool is_evaluated = true;  // the evaluation due at `step` was done
  };
  void resume(const Stand& stand);

  void add(const StepLog& entry);
  void add_evaluation(const EvaluationLog& entry);

  // Logs a warning if this run has not logged one before.
  void warn_once(int64_t step, const std::string& message);

 private:
  void write();

  const std::string path_;
  EventFileWriter writer_;
  std::unique_ptr<Json> metrics_;
};

}  // namespace sequela
