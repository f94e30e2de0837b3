#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

namespace sequela {

enum class LogLevel { debug, info, warning, error };

// What a long job has done so far, for a progress bar or a plain line.
struct ProgressState {
  std::string label;  // "tokenizer"
  std::string unit;   // "events"
  int64_t done = 0;
  int64_t total = 0;  // 0 = unknown
  double seconds = 0;
  bool is_finished = false;
};

// Where the library's messages go. The library itself never prints; the caller (the command, the
// Python package) sets both sinks once, before it starts threads. Without sinks, all is dropped.
// A sink may be called from any thread, one call at a time.
void set_log_sink(std::function<void(LogLevel, const std::string&)> sink);
void set_progress_sink(std::function<void(const ProgressState&)> sink);

void log(LogLevel level, const std::string& message);
inline void log_info(const std::string& message) {
  log(LogLevel::info, message);
}
inline void log_warning(const std::string& message) {
  log(LogLevel::warning, message);
}

// Reports the progress of one job, at most ten times a second. Safe to advance from many threads.
class Progress {
 public:
  Progress(std::string label, int64_t total, std::string unit);
  ~Progress();  // reports the end
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(int64_t amount);

 private:
  void report(bool is_finished);

  const std::string label_;
  const std::string unit_;
  const int64_t total_;
  const std::chrono::steady_clock::time_point start_;
  std::atomic<int64_t> done_{0};
  std::atomic<int64_t> next_report_ms_{0};
};

// While one lives, this thread's info messages are debug messages and its progress is not reported:
// for the parts of a job that has a Progress of its own.
class QuietScope {
 public:
  QuietScope();
  ~QuietScope();
  QuietScope(const QuietScope&) = delete;
  QuietScope& operator=(const QuietScope&) = delete;
};

}  // namespace sequela
