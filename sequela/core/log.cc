#include "sequela/core/log.h"

#include <utility>

#include "sequela/core/run_context.h"

namespace sequela {
namespace {

constexpr int64_t kReportIntervalMs = 100;

thread_local int num_quiet_scopes = 0;

}  // namespace

void set_log_sink(std::function<void(LogLevel, const std::string&)> sink) {
  RunContext::current().set_log_sink(std::move(sink));
}

void set_progress_sink(std::function<void(const ProgressState&)> sink) {
  RunContext::current().set_progress_sink(std::move(sink));
}

void log(LogLevel level, const std::string& message) {
  if (num_quiet_scopes > 0 && level == LogLevel::info) level = LogLevel::debug;
  RunContext::current().log(level, message);
}

Progress::Progress(std::string label, int64_t total, std::string unit)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      start_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  report(true);
}

void Progress::advance(int64_t amount) {
  done_ += amount;
  const auto elapsed = std::chrono::steady_clock::now() - start_;
  const int64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count();
  int64_t next = next_report_ms_;
  if (ms < next || !next_report_ms_.compare_exchange_strong(next, ms + kReportIntervalMs)) return;
  report(false);
}

void Progress::report(bool is_finished) {
  if (num_quiet_scopes > 0) return;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  RunContext::current().report({label_, unit_, done_, total_, elapsed.count(), is_finished});
}

QuietScope::QuietScope() {
  ++num_quiet_scopes;
}

QuietScope::~QuietScope() {
  --num_quiet_scopes;
}

}  // namespace sequela
