#include "tests/support/npz.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/reference.h"

namespace sequela {
namespace {

TEST(Npz, ReadsTheReferenceArrays) {
  const NpzFile file(reference_path("motor/g60/batches_seeded/batch_0.npz"));
  ASSERT_FALSE(file.names().empty());
  for (const std::string& name : file.names()) {
    const NpyArray<double> array = file.get<double>(name);
    int64_t size = 1;
    for (const int64_t length : array.shape) size *= length;
    EXPECT_EQ(size, array.size()) << name;
  }
  EXPECT_THROW(file.get<float>("no such array"), std::runtime_error);
  const auto mask = read_npy<uint8_t>(reference_path("motor/local_mask_5_3_7_w3.npy"));
  EXPECT_EQ(mask.shape, (std::vector<int64_t>{15, 15}));
  EXPECT_EQ(mask.values[0], 1);
}

TEST(Npz, ConvertsHalfFloats) {
  EXPECT_EQ(npz_detail::half_to_float(0x3c00), 1.0f);
  EXPECT_EQ(npz_detail::half_to_float(0xc000), -2.0f);
  EXPECT_EQ(npz_detail::half_to_float(0x0001), 0x1p-24f);
  EXPECT_TRUE(std::isinf(npz_detail::half_to_float(0x7c00)));
}

}  // namespace
}  // namespace sequela
