#include "sequela/core/interrupt.h"

#include <atomic>
#include <csignal>

#include "sequela/core/error.h"

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
  pending_signal = signal;
}

void reset_stop() {
  pending_signal = 0;
}

int stop_signal() {
  return pending_signal.load(std::memory_order_relaxed);
}

void throw_if_stopped() {
  if (const int signal = stop_signal()) throw Interrupted(signal);
}

}  // namespace sequela
