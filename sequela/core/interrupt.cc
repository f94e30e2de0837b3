#include "sequela/core/interrupt.h"

#include <atomic>
#include <csignal>

#include "sequela/core/error.h"
#include "sequela/core/process_signal.h"
#include "sequela/core/run_context.h"

namespace sequela {
namespace {

std::atomic<int> pending_signal{0};

void on_signal(int signal) {
  pending_signal = signal;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void install_signal_handlers() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGPIPE, SIG_IGN);
}

void request_stop(int signal) {
  RunContext::current().request_stop(signal);
}

void reset_stop() {
  RunContext::current().reset_stop();
}

int stop_signal() {
  return RunContext::current().stop_signal();
}

std::atomic<int>& process_signal() {
  return pending_signal;
}

void throw_if_stopped() {
  if (const int signal = stop_signal()) throw Interrupted(signal);
}

}  // namespace sequela
