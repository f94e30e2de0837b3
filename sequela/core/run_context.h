#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sequela/core/log.h"

namespace sequela {

// What a run says and hears: where its messages and its progress go, and whether it is to stop. A
// value: copies are the same run. Threads that the library starts for a run belong to it; a thread
// that no one has handed a run belongs to the process's. Two runs in two threads do not meet.
class RunContext {
 public:
  RunContext();  // a new run, without sinks
  static RunContext process();
  static RunContext current();  // of this thread

  // A sink may be called from any thread of the run, one call at a time. An empty one drops all.
  void set_log_sink(std::function<void(LogLevel, const std::string&)> sink) const;
  void set_progress_sink(std::function<void(const ProgressState&)> sink) const;
  void log(LogLevel level, const std::string& message) const;
  void report(const ProgressState& state) const;

  // Asks the run to stop, as if `signal` had come. Safe from any thread.
  void request_stop(int signal) const;
  // Forgets the request, so that the next job can run.
  void reset_stop() const;
  // The signal that asked this run, or the whole process, to stop; 0 = none.
  int stop_signal() const;

 private:
  friend class RunScope;
  struct State;
  explicit RunContext(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::shared_ptr<State> state_;
};

// This thread's work in a scope is the run's.
class RunScope {
 public:
  explicit RunScope(RunContext run);
  ~RunScope();
  RunScope(const RunScope&) = delete;
  RunScope& operator=(const RunScope&) = delete;

 private:
  const RunContext run_;
  const RunContext* const before_;
};

}  // namespace sequela
