#include "sequela/train/run_log.h"

#include <cstdio>

#include "sequela/core/log.h"

namespace sequela {

RunLog::RunLog(const std::string& folder) : writer_(folder + "/runs") {}

void RunLog::add(const StepLog& entry) {
  writer_.add_scalar("train/loss", entry.loss, entry.step);
  writer_.add_scalar("train/learning_rate", entry.learning_rate, entry.step);
  writer_.add_scalar("train/grad_norm", entry.gradient_norm, entry.step);
  writer_.add_scalar("train/tokens_per_second", entry.tokens_per_second, entry.step);
  writer_.add_scalar("train/mfu", entry.mfu, entry.step);
  writer_.flush();
  char line[256];
  std::snprintf(line, sizeof(line),
                "step %lld/%lld: loss %.5g, learning rate %.3g, gradient norm %.3g, %.0f tokens/s, "
                "%.0f %% of the GEMM rate",
                static_cast<long long>(entry.step), static_cast<long long>(entry.total_steps),
                entry.loss, entry.learning_rate, entry.gradient_norm, entry.tokens_per_second,
                100 * entry.mfu);
  log_info(line);
}

void RunLog::add_evaluation(int64_t step, double loss, bool is_best) {
  writer_.add_scalar("eval/loss", loss, step);
  writer_.flush();
  char line[128];
  std::snprintf(line, sizeof(line), "step %lld: validation loss %.6g%s",
                static_cast<long long>(step), loss, is_best ? " (best so far)" : "");
  log_info(line);
}

}  // namespace sequela
