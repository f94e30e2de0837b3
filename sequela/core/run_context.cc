#include "sequela/core/run_context.h"

#include <atomic>
#include <mutex>
#include <utility>

#include "sequela/core/process_signal.h"

namespace sequela {
namespace {

thread_local const RunContext* current_run = nullptr;  // none: the process's

}  // namespace

struct RunContext::State {
  std::mutex mutex;  // over the sinks and their calls
  std::function<void(LogLevel, const std::string&)> log;
  std::function<void(const ProgressState&)> progress;
  std::atomic<int> own_signal{0};
  std::atomic<int>* signal = &own_signal;
};

RunContext::RunContext() : state_(std::make_shared<State>()) {}

RunContext RunContext::process() {
  // Threads may speak while the process ends.
  static const auto* run = [] {
    auto* made = new RunContext;
    made->state_->signal = &process_signal();
    return made;
  }();
  return *run;
}

RunContext RunContext::current() {
  return current_run != nullptr ? *current_run : process();
}

void RunContext::set_log_sink(std::function<void(LogLevel, const std::string&)> sink) const {
  const std::lock_guard lock(state_->mutex);
  state_->log = std::move(sink);
}

void RunContext::set_progress_sink(std::function<void(const ProgressState&)> sink) const {
  const std::lock_guard lock(state_->mutex);
  state_->progress = std::move(sink);
}

void RunContext::log(LogLevel level, const std::string& message) const {
  const std::lock_guard lock(state_->mutex);
  if (state_->log) state_->log(level, message);
}

void RunContext::report(const ProgressState& state) const {
  const std::lock_guard lock(state_->mutex);
  if (state_->progress) state_->progress(state);
}

void RunContext::request_stop(int signal) const {
  *state_->signal = signal;
}

void RunContext::reset_stop() const {
  *state_->signal = 0;
}

int RunContext::stop_signal() const {
  const int own = state_->signal->load(std::memory_order_relaxed);
  return own != 0 ? own : process_signal().load(std::memory_order_relaxed);
}

RunScope::RunScope(RunContext run)
    : run_(std::move(run)), before_(std::exchange(current_run, &run_)) {}

RunScope::~RunScope() {
  current_run = before_;
}

}  // namespace sequela
