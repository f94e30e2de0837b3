#include "sequela/nn/transfer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/cuda_on_cpu/watch.h"

namespace sequela {
namespace {

using cuda_on_cpu::take_event_log;
using cuda_on_cpu::watch;
using Log = std::vector<std::string>;

TEST(CudaOnCpuTransfer, CopiesOnAStreamOfItsOwnThatTheCurrentOneWaitsFor) {
  Transfer transfer(at::kCPU, Transfer::Way::beside);
  const at::Tensor given = at::arange(5);
  at::Tensor x = given, none;
  take_event_log();
  const auto watched = watch([&] { transfer.start({&x, &none}); });
  EXPECT_EQ(take_event_log(), Log{"record 9"});
  EXPECT_NE(x.data_ptr(), given.data_ptr());
  EXPECT_TRUE(x.equal(given));
  EXPECT_FALSE(none.defined());
  EXPECT_EQ(watched.waits, Log{});
  transfer.arrive();
  EXPECT_EQ(take_event_log(), Log{"block 0"});
}

TEST(CudaOnCpuTransfer, HostIsAtMostTwoBatchesAhead) {
  Transfer transfer(at::kCPU, Transfer::Way::beside);
  take_event_log();
  transfer.keep_pace();
  transfer.keep_pace();
  EXPECT_EQ(take_event_log(), (Log{"record 0", "record 0"}));
  transfer.keep_pace();
  EXPECT_EQ(take_event_log(), (Log{"record 0", "wait"}));
}

TEST(CudaOnCpuTransfer, DoesNothingOnTheCpu) {
  Transfer transfer(at::kCPU);
  at::Tensor x = at::ones({3});
  const void* place = x.data_ptr();
  EXPECT_FALSE(transfer.is_needed());
  transfer.start({&x});
  transfer.arrive();
  transfer.keep_pace();
  EXPECT_EQ(x.data_ptr(), place);
}

}  // namespace
}  // namespace sequela
