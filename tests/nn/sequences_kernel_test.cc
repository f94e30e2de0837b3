#include "sequela/nn/sequences.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace sequela {
namespace {

TEST(PackedSequences, LieOneAfterAnother) {
  const PackedSequences sequences =
      build_packed_sequences(at::tensor({2, 1, 3}, at::kInt), at::kCPU);
  EXPECT_EQ(sequences.host_offsets, (std::vector<int32_t>{0, 2, 3, 6}));
  EXPECT_EQ(sequences.token_starts, (std::vector<int32_t>{0, 0, 2, 3, 3, 3}));
  EXPECT_EQ(sequences.max_length, 3);
  EXPECT_TRUE(sequences.offsets_S1.equal(at::tensor({0, 2, 3, 6}, at::kInt)));
}

TEST(PackedSequences, RefuseAnEmptySequence) {
  EXPECT_THROW(build_packed_sequences(at::tensor({2, 0}, at::kInt), at::kCPU),
               std::invalid_argument);
}

}  // namespace
}  // namespace sequela
