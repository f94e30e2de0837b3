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

}  // namespace
}  // namespace sequela
