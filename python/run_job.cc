#include "python/run_job.h"

#include <ATen/Parallel.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"

namespace sequela::python {
namespace {

constexpr auto kSignalInterval = std::chrono::milliseconds(50);

struct LogMessage {
  LogLevel level;
  std::string text;
};
using Message = std::variant<LogMessage, ProgressState>;

// What the library reports, from any of its threads, until a waiting caller takes it.
class Mailbox {
 public:
  void put(Message message) {
    std::lock_guard lock(mutex_);
    // Of a job's progress only the newest matters.
    const auto* state = std::get_if<ProgressState>(&message);
    auto* last = messages_.empty() ? nullptr : std::get_if<ProgressState>(&messages_.back());
    if (state && last && last->label == state->label && !last->is_finished) {
      *last = *state;
    } else {
      messages_.push_back(std::move(message));
    }
    changed_.notify_all();
  }
  void wake() {
    std::lock_guard lock(mutex_);
    changed_.notify_all();
  }
  std::vector<Message> take(const std::atomic<bool>& is_done) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kSignalInterval, [&] { return is_done || !messages_.empty(); });
    return std::exchange(messages_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Message> messages_;
};

Mailbox& mailbox() {
  static auto* instance = new Mailbox;  // threads may report while the process ends
  static std::once_flag connected;
  std::call_once(connected, [] {
    set_log_sink([](LogLevel level, const std::string& text) {
      instance->put(LogMessage{level, text});
    });
    set_progress_sink([](const ProgressState& state) { instance->put(state); });
  });
  return *instance;
}

void pass_on(const py::object& reporter, const std::vector<Message>& messages) {
  if (reporter.is_none()) return;
  for (const Message& message : messages) {
    if (const auto* line = std::get_if<LogMessage>(&message)) {
      reporter.attr("log")(static_cast<int>(line->level), line->text);
    } else {
      const auto& state = std::get<ProgressState>(message);
      reporter.attr("progress")(state.label, state.unit, state.done, state.total, state.seconds,
                                state.is_finished);
    }
  }
}

// One job runs at a time: the log, the progress, the request to stop and torch's number of threads
// belong to the process. A job that a reporter starts is part of the one that it reports.
class RunningJob {
 public:
  // Waits without the GIL; what Python's signal handlers raise meanwhile ends the wait.
  RunningJob() {
    while (depth_ == 0 && !has_turn()) {
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    }
    ++depth_;
    num_threads_ = at::get_num_threads();
  }
  ~RunningJob() {
    at::set_num_threads(num_threads_);
    if (--depth_ > 0) return;
    reset_stop();
    turn().unlock();
  }

 private:
  static std::timed_mutex& turn() {
    static auto* mutex = new std::timed_mutex;  // threads may wait while the process ends
    return *mutex;
  }
  static bool has_turn() {
    py::gil_scoped_release release;
    return turn().try_lock_for(kSignalInterval);
  }

  static inline thread_local int depth_ = 0;  // jobs of this thread that run
  int num_threads_;
};

}  // namespace

void run_job(const py::object& reporter, const std::function<void()>& work) {
  const RunningJob running;
  Mailbox& box = mailbox();
  std::atomic<bool> is_done{false};
  std::exception_ptr failure;
  std::thread worker([&] {
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    is_done = true;
    box.wake();
  });

  std::optional<py::error_already_set> raised;
  for (bool is_last = false; !is_last;) {
    is_last = is_done;
    std::vector<Message> messages;
    {
      py::gil_scoped_release release;
      messages = box.take(is_done);
    }
    try {
      if (!raised) pass_on(reporter, messages);
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    } catch (py::error_already_set& error) {
      if (!raised) raised.emplace(error);
      request_stop(SIGINT);
    }
  }
  {
    py::gil_scoped_release release;
    worker.join();
  }
  if (raised) throw *raised;
  if (failure) std::rethrow_exception(failure);
}

}  // namespace sequela::python
