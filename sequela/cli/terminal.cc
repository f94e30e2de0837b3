#include "sequela/cli/terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>

#include "sequela/core/error.h"
#include "sequela/core/log.h"

namespace sequela {
namespace {

constexpr int kBarWidth = 24;
constexpr double kPlainIntervalSeconds = 15;

LogLevel to_level(const std::string& text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "info") return LogLevel::info;
  if (text == "warning") return LogLevel::warning;
  if (text == "error") return LogLevel::error;
  throw ConfigError("log-level", text, "debug, info, warning or error");
}

// One line for a job: "tokenizer  [#####----]  62 %  1.2 M events/s  3 s left".
std::string progress_text(const ProgressState& state, bool with_bar) {
  std::string text = state.label;
  text.resize(std::max<size_t>(text.size(), 12), ' ');
  if (state.total > 0) {
    const double share =
        std::min(1.0, static_cast<double>(state.done) / static_cast<double>(state.total));
    if (with_bar) {
      const int filled = static_cast<int>(share * kBarWidth);
      text += " [" + std::string(filled, '#') + std::string(kBarWidth - filled, '-') + "]";
    }
    text += str(" ", static_cast<int>(share * 100), " %");
  }
  const double rate = state.seconds > 0 ? static_cast<double>(state.done) / state.seconds : 0;
  text += str("  ", short_number(static_cast<double>(state.done)), " ", state.unit, ", ",
              short_number(rate), "/s");
  if (state.is_finished) {
    text += ", " + duration_text(state.seconds);
  } else if (state.total > state.done && rate > 0) {
    text += ", " + duration_text(static_cast<double>(state.total - state.done) / rate) + " left";
  }
  return text;
}

// What is on the terminal's last line; log and progress are called one at a time.
struct Screen {
  bool is_terminal = isatty(STDERR_FILENO) != 0;
  bool has_bar = false;
  double last_plain_seconds = 0;

  void clear_bar() {
    if (has_bar) std::cerr << "\r\033[K";
    has_bar = false;
  }
  void show(const ProgressState& state) {
    if (is_terminal) {
      std::cerr << "\r\033[K" << progress_text(state, true) << std::flush;
      has_bar = !state.is_finished;
      if (state.is_finished) std::cerr << "\n";
      return;
    }
    const bool is_due = state.seconds - last_plain_seconds >= kPlainIntervalSeconds;
    if (state.is_finished || is_due) std::cerr << progress_text(state, false) << "\n";
    if (is_due) last_plain_seconds = state.seconds;
    if (state.is_finished) last_plain_seconds = 0;
  }
};

}  // namespace

void show_messages(const std::string& log_level, bool quiet) {
  const LogLevel level = quiet ? LogLevel::error : to_level(log_level);
  auto screen = std::make_shared<Screen>();
  set_log_sink([level, screen](LogLevel message_level, const std::string& message) {
    if (message_level < level) return;
    screen->clear_bar();
    if (message_level == LogLevel::warning) std::cerr << "warning: ";
    std::cerr << message << "\n";
  });
  if (level > LogLevel::info) return set_progress_sink(nullptr);
  set_progress_sink([screen](const ProgressState& state) { screen->show(state); });
}

std::string short_number(double value) {
  const char* unit = "";
  if (std::abs(value) >= 1e9)
    value /= 1e9, unit = " G";
  else if (std::abs(value) >= 1e6)
    value /= 1e6, unit = " M";
  else if (std::abs(value) >= 1e4)
    value /= 1e3, unit = " k";
  char text[32];
  std::snprintf(text, sizeof(text),
                value >= 100 || value == std::floor(value) ? "%.0f%s" : "%.3g%s", value, unit);
  return text;
}

std::string duration_text(double seconds) {
  char text[48];
  const auto whole = static_cast<int64_t>(seconds);
  if (seconds < 10)
    std::snprintf(text, sizeof(text), "%.1f s", seconds);
  else if (seconds < 100)
    std::snprintf(text, sizeof(text), "%.0f s", seconds);
  else if (whole < 3600)
    std::snprintf(text, sizeof(text), "%d min %d s", static_cast<int>(whole / 60),
                  static_cast<int>(whole % 60));
  else
    std::snprintf(text, sizeof(text), "%d h %d min", static_cast<int>(whole / 3600),
                  static_cast<int>(whole / 60 % 60));
  return text;
}

}  // namespace sequela
