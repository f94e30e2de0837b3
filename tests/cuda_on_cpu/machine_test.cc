// The machine itself: it runs sound kernels, and sees the faults that are planted in others.

#include "tests/cuda_on_cpu/machine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "sequela/nn/cuda/device.cuh"
#include "tests/cuda_on_cpu/orders.h"

namespace sequela {
namespace {

using cuda_on_cpu::in_every_order;

// A device buffer: on the heap, where the sanitizer guards its ends.
std::vector<float> numbers(int64_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0f);
  values.shrink_to_fit();
  return values;
}

bool all_equal(const std::vector<std::vector<float>>& runs) {
  for (const std::vector<float>& run : runs) {
    for (size_t i = 0; i < run.size(); ++i) {
      if (!(run[i] == runs[0][i])) return false;  // NaN counts as a difference
    }
  }
  return true;
}

// Reverses each block's values by way of shared memory.
__global__ void reverse(float* values, bool has_barrier) {
  const unsigned t = threadIdx.x, first = blockIdx.x * blockDim.x;
  shared_floats[t] = values[first + t];
  if (has_barrier) __syncthreads();
  values[first + t] = shared_floats[blockDim.x - 1 - t];
}

TEST(CudaOnCpu, RunsBlocksWhoseThreadsMeet) {
  for (const unsigned block : {1u, 31u, 64u, 96u, 1024u}) {
    const auto runs = in_every_order([&] {
      std::vector<float> values = numbers(3 * block);
      launch({"reverse", blocks(3), nullptr, block, block}, reverse, values.data(), true);
      return values;
    });
    EXPECT_TRUE(all_equal(runs));
    EXPECT_EQ(runs[0].front(), block);
    EXPECT_EQ(runs[0].back(), 2 * block + 1);
  }
}

TEST(CudaOnCpu, SeesAMissingBarrier) {
  const auto runs = in_every_order([] {
    std::vector<float> values = numbers(64);
    launch({"reverse", blocks(1), nullptr, 64, 64}, reverse, values.data(), false);
    return values;
  });
  EXPECT_FALSE(all_equal(runs));
}

// Sums of several rows, one after another; the first barrier keeps a warp that is ahead from
// overwriting what the others still read.
__global__ void sum_rows(const float* rows, float* sums, int num_rows, bool has_barrier) {
  for (int row = 0; row < num_rows; ++row) {
    float x = rows[row * kBlock + threadIdx.x];
    for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(0xffffffffu, x, step);
    if (has_barrier) __syncthreads();
    if (threadIdx.x % 32 == 0) shared_floats[threadIdx.x / 32] = x;
    __syncthreads();
    float total = 0;
    for (int i = 0; i < kSums; ++i) total += shared_floats[i];
    sums[row * kBlock + threadIdx.x] = total;
  }
}

TEST(CudaOnCpu, SeesABarrierThatIsMissingBeforeTheNextRound) {
  for (const bool has_barrier : {true, false}) {
    const auto runs = in_every_order([&] {
      const std::vector<float> rows = numbers(3 * kBlock);
      std::vector<float> sums(3 * kBlock);
      launch({"sum_rows", blocks(1), nullptr, kSums}, sum_rows, rows.data(), sums.data(), 3,
             has_barrier);
      return sums;
    });
    EXPECT_EQ(all_equal(runs), has_barrier);
    if (has_barrier) {
      EXPECT_EQ(runs[0][0], 256 * 257 / 2);
    }
  }
}

__global__ void write_at(float* values, int64_t index) {
  values[index] = static_cast<float>(threadIdx.x);
}
__global__ void read_shared(float* to, int64_t index) {
  to[0] = shared_floats[index];
}

TEST(CudaOnCpuDeathTest, SeesAnIndexOneTooFar) {
  const auto write = [](int64_t index) {
    const std::unique_ptr<float[]> values(new float[5]);
    launch({"write_at", blocks(1), nullptr, 0, 1}, write_at, values.get(), index);
  };
  const auto read = [](int64_t index) {
    float value = 0;
    launch({"read_shared", blocks(1), nullptr, 5, 1}, read_shared, &value, index);
    return value;
  };
  write(4);
  EXPECT_TRUE(std::isnan(read(4)));  // nobody wrote it
  EXPECT_DEATH(write(5), "heap-buffer-overflow");
  EXPECT_DEATH(write(-1), "heap-buffer-overflow");
  EXPECT_DEATH(read(5), "use-after-poison");
}

__global__ void part_at_a_barrier(int kind) {
  if (kind == 0 && threadIdx.x == 3) return;
  if (kind == 1 && threadIdx.x == 3) __syncthreads();
  if (kind == 2 && threadIdx.x == 3) __shfl_xor_sync(0xffffffffu, 1.0f, 1);
  __syncthreads();
}

TEST(CudaOnCpu, SeesThreadsThatDoNotMeet) {
  for (int kind = 0; kind < 3; ++kind) {
    in_every_order([&] {
      EXPECT_THROW(launch({"part", blocks(1), nullptr, 0, 64}, part_at_a_barrier, kind),
                   std::logic_error);
      return 0;
    });
  }
  launch({"part", blocks(2), nullptr, 0, 64}, part_at_a_barrier, 3);  // goes on after a fault
}

__global__ void talk(float* out, unsigned* votes) {
  const unsigned all = 0xffffffffu, t = threadIdx.x;
  out[t] = __shfl_sync(all, static_cast<float>(t), 5);
  out[64 + t] = __shfl_up_sync(all, static_cast<float>(t), 1);
  out[128 + t] = __shfl_down_sync(all, static_cast<float>(t), 2);
  out[192 + t] = __shfl_xor_sync(all, static_cast<float>(t), 3);
  votes[t] = __ballot_sync(all, t % 2 == 0);
  votes[64 + t] = __any_sync(all, t == 40);
  votes[128 + t] = __all_sync(all, t < 32);
  __syncwarp();
}

TEST(CudaOnCpu, LetsTheLanesOfAWarpTalk) {
  in_every_order([] {
    std::vector<float> out(256);
    std::vector<unsigned> votes(192);
    launch({"talk", blocks(1), nullptr, 0, 64}, talk, out.data(), votes.data());
    EXPECT_EQ(out[0], 5);
    EXPECT_EQ(out[33], 37);
    EXPECT_EQ(out[64 + 32], 32);  // the first lane has none before it
    EXPECT_EQ(out[64 + 33], 32);
    EXPECT_EQ(out[128 + 31], 31);
    EXPECT_EQ(out[128 + 29], 31);
    EXPECT_EQ(out[192 + 34], 33);
    EXPECT_EQ(votes[7], 0x55555555u);
    EXPECT_EQ(votes[64], 0u);
    EXPECT_EQ(votes[64 + 63], 1u);
    EXPECT_EQ(votes[128], 1u);
    EXPECT_EQ(votes[128 + 63], 0u);
    return 0;
  });
}

__global__ void add_to(float* sum) {
  atomicAdd(sum, 1.0f);
}

TEST(CudaOnCpu, CountsWhatLaunchesDo) {
  cuda_on_cpu::counts() = {};
  float sum = 0;
  int stream;
  launch({"add_to", blocks(2), &stream, 0, 32}, add_to, &sum);
  EXPECT_EQ(sum, 64);
  EXPECT_EQ(cuda_on_cpu::counts().launches, 1);
  EXPECT_EQ(cuda_on_cpu::counts().float_atomics, 64);
  EXPECT_EQ(cuda_on_cpu::counts().waits, 0);
  EXPECT_EQ(cuda_on_cpu::counts().streams, std::set<void*>{&stream});
  cudaStreamSynchronize(&stream);
  EXPECT_EQ(cuda_on_cpu::counts().waits, 1);
}

TEST(CudaOnCpu, RefusesLaunchesThatAGpuRefuses) {
  float sum = 0;
  EXPECT_THROW(launch({"add_to", blocks(0), nullptr}, add_to, &sum), std::runtime_error);
  EXPECT_THROW(launch({"add_to", blocks(1), nullptr, 0, 1025}, add_to, &sum), std::runtime_error);
  EXPECT_THROW(launch({"add_to", blocks(1), nullptr, 1 << 20}, add_to, &sum), std::runtime_error);
  EXPECT_THROW(launch({"add_to", dim3(1, 65'536), nullptr}, add_to, &sum), std::runtime_error);
  EXPECT_EQ(sum, 0);
}

}  // namespace
}  // namespace sequela
