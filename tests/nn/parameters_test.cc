#include "sequela/nn/parameters.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/io/safetensors.h"

namespace sequela {
namespace {

Parameters three_parameters() {
  return Parameters::allocate({{"a", {3, 5}}, {"b", {2, 5}, true, true}, {"c", {7}}}, at::kCPU);
}

TEST(Parameters, LieInOneBufferAndFollowEachOtherWhereAsked) {
  const Parameters parameters = three_parameters();
  EXPECT_EQ(parameters.get("a").offset, 0);
  EXPECT_EQ(parameters.get("b").offset, 15);
  EXPECT_EQ(parameters.get("c").offset, 32);
  EXPECT_EQ(parameters.num_values(), 15 + 10 + 7);
  EXPECT_TRUE(parameters.get("b").is_decayed);
  EXPECT_EQ(parameters.find("d"), nullptr);
  parameters.get("b").value.fill_(2);
  EXPECT_EQ(parameters.flat_values.narrow(0, 15, 10).sum().item<float>(), 20);
}

TEST(Parameters, ZeroGradientsKeepsTheirMemory) {
  Parameters parameters = three_parameters();
  parameters.zero_gradients();
  const void* memory = parameters.get("c").gradient.data_ptr();
  parameters.get("c").gradient.fill_(1);
  parameters.zero_gradients();
  EXPECT_EQ(parameters.get("c").gradient.data_ptr(), memory);
  EXPECT_EQ(parameters.flat_gradients.abs().sum().item<float>(), 0);
}

class ParameterFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + str("parameters_", getpid(), ".safetensors");
  }
  void TearDown() override { std::filesystem::remove(path_); }

  void write(const at::Tensor& values, DType dtype) const {
    write_safetensors(path_, {{"x",
                               dtype,
                               values.sizes().vec(),
                               {static_cast<const std::byte*>(values.const_data_ptr()),
                                static_cast<size_t>(values.nbytes())}}});
  }

  std::string path_;
};

TEST_F(ParameterFile, GivesBackWhatWasWritten) {
  Parameters parameters = three_parameters();
  parameters.flat_values.copy_(at::arange(parameters.flat_values.numel()));
  parameters.write(path_);
  const Parameters copy = Parameters::read(path_);
  ASSERT_EQ(copy.items.size(), 3);
  for (const Parameter& item : parameters.items) {
    EXPECT_TRUE(at::equal(copy.get(item.name).value, item.value)) << item.name;
  }
}

TEST_F(ParameterFile, HalfTypesAreReadAsFloat) {
  const at::Tensor values = at::tensor({0.5, -1.25, 3.0});
  for (const auto& [type, dtype] :
       {std::pair(at::kHalf, DType::float16), std::pair(at::kBFloat16, DType::bfloat16)}) {
    write(values.to(type), dtype);
    const at::Tensor read = Parameters::read(path_).get("x").value;
    EXPECT_EQ(read.scalar_type(), at::kFloat);
    EXPECT_TRUE(at::equal(read, values.to(at::kFloat)));
  }
}

TEST_F(ParameterFile, OtherTypesAreRefused) {
  write(at::arange(3, at::kLong), DType::int64);
  EXPECT_THROW(Parameters::read(path_), FileError);
}

}  // namespace
}  // namespace sequela
