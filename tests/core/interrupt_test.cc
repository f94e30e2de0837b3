#include "sequela/core/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>

#include "sequela/core/error.h"

namespace sequela {
namespace {

TEST(Interrupt, ARequestStopsTheNextUnitUntilItIsForgotten) {
  EXPECT_EQ(stop_signal(), 0);
  EXPECT_NO_THROW(throw_if_stopped());
  request_stop(SIGINT);
  EXPECT_EQ(stop_signal(), SIGINT);
  try {
    throw_if_stopped();
    FAIL();
  } catch (const Interrupted& stop) {
    EXPECT_EQ(stop.signal(), SIGINT);
  }
  reset_stop();
  EXPECT_NO_THROW(throw_if_stopped());
}

TEST(Interrupt, TheFirstSignalIsNotedAndTheSecondEnds) {
  for (const int signal : {SIGINT, SIGTERM}) {
    install_signal_handlers();
    std::raise(SIGPIPE);
    EXPECT_EQ(stop_signal(), 0);
    std::raise(signal);
    EXPECT_EQ(stop_signal(), signal);
    EXPECT_EQ(std::signal(signal, SIG_DFL), SIG_DFL);
    reset_stop();
  }
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) std::signal(signal, SIG_DFL);
}

}  // namespace
}  // namespace sequela
