#include "python/run_job.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "sequela/core/log.h"
#include "sequela/core/run_context.h"
#include "sequela/nn/torch_threads.h"

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

}  // namespace

void run_job(const py::object& reporter, const std::function<void()>& work) {
  Mailbox box;
  const RunContext run;
  run.set_log_sink([&](LogLevel level, const std::string& text) {
    box.put(LogMessage{level, text});
  });
  run.set_progress_sink([&](const ProgressState& state) { box.put(state); });
  std::atomic<bool> is_done{false};
  std::exception_ptr failure;
  const TorchThreads threads(0);  // after the work, those of before
  std::thread worker([&] {
    const RunScope scope(run);
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
      run.request_stop(SIGINT);
    }
  }
  {
    py::gil_scoped_release release;
    worker.join();
  }
  run.set_log_sink({});  // whoever still holds the run has nobody to tell
  run.set_progress_sink({});
  if (raised) throw *raised;
  if (failure) std::rethrow_exception(failure);
}

}  // namespace sequela::python
