#include "sequela/nn/check_cache.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <stdexcept>

#include "sequela/io/file.h"
#include "sequela/nn/kernel_table.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

const CheckedDevice kDevice{"a GPU, sm_90", "CUDA 12.4", "0.1.0 of today"};

int num_runs = 0;  // of a check

// The CPU's kernels in a device's place; the gated product is wrong.
KernelTable counted() {
  KernelTable table = cpu_kernels();
  table.embedding_bag_forward = [](const at::Tensor& table_VH, const at::Tensor& ids,
                                   const at::Tensor& weights, const at::Tensor& offsets,
                                   const at::Tensor& out) {
    ++num_runs;  // once a check
    cpu_kernels().embedding_bag_forward(table_VH, ids, weights, offsets, out);
  };
  table.swiglu_forward = [](const at::Tensor&, const at::Tensor& out) { out.fill_(NAN); };
  return table;
}

class CheckCache : public testing::Test {
 protected:
  std::vector<KernelResult> check(const CheckedDevice& device = kDevice) {
    num_runs = 0;
    return check_kernels_once(table_, at::kCPU, device, folder_ / "kernels");
  }
  std::string only_file() const {
    return fs::directory_iterator(folder_ / "kernels")->path().string();
  }

  KernelTable table_ = counted();
  TestFolder folder_;
};

TEST_F(CheckCache, ChecksOnceAndRemembersWhatFailed) {
  const std::vector<KernelResult> first = check();
  EXPECT_EQ(num_runs, 1);
  const std::vector<KernelResult> again = check();
  EXPECT_EQ(num_runs, 0);
  ASSERT_EQ(again.size(), first.size());
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(again[i].operation, first[i].operation);
    EXPECT_EQ(again[i].type, first[i].type);
    EXPECT_EQ(again[i].is_good(), first[i].is_good());
    EXPECT_EQ(again[i].text(), first[i].text());
    EXPECT_EQ(first[i].is_good(), first[i].operation != Operation::gated_product)
        << first[i].text();
  }
}

// It may have been out of memory for a moment.
TEST_F(CheckCache, ChecksAgainAfterAKernelThrew) {
  table_.swiglu_forward = [](const at::Tensor&, const at::Tensor&) {
    throw std::runtime_error("CUDA out of memory");
  };
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(check().empty());
    EXPECT_EQ(num_runs, 1);
  }
  table_ = counted();
  check();
  EXPECT_EQ(num_runs, 1);
  check();
  EXPECT_EQ(num_runs, 0);
}

TEST_F(CheckCache, ChecksAgainForAnotherDeviceDriverOrBuild) {
  check();
  for (const CheckedDevice& other : {CheckedDevice{"another", kDevice.driver, kDevice.build},
                                     CheckedDevice{kDevice.name, "CUDA 12.5", kDevice.build},
                                     CheckedDevice{kDevice.name, kDevice.driver, "later"}}) {
    check(other);
    EXPECT_EQ(num_runs, 1);
    check(other);
    EXPECT_EQ(num_runs, 0);
  }
}

TEST_F(CheckCache, ChecksAgainWhereTheFileIsBroken) {
  check();
  const std::string path = only_file(), whole = read_file(path);
  const std::string foreign = R"({"device": "x", "driver": "", "build": "", "results": []})";
  for (const std::string& text :
       {std::string(), std::string("{"), whole.substr(0, whole.size() / 2), std::string("[]"),
        std::string("{}"), foreign}) {
    write_file(path, text);
    EXPECT_FALSE(check().empty());
    EXPECT_EQ(num_runs, 1) << text;
    EXPECT_EQ(read_file(path), whole);
  }
}

TEST_F(CheckCache, ChecksEachTimeWhereNothingCanBeKept) {
  write_file(folder_ / "kernels", "a file in the folder's place");
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(check().empty());
    EXPECT_EQ(num_runs, 1);
  }
  num_runs = 0;
  check_kernels_once(table_, at::kCPU, kDevice, "");
  EXPECT_EQ(num_runs, 1);
}

}  // namespace
}  // namespace sequela
