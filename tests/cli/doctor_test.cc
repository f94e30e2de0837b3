#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/run_command.h"

namespace sequela {
namespace {

TEST(DoctorCommand, TellsOfTheCpuAndOfWhatIsMissing) {
  const CommandResult result = run_sequela({"doctor"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  for (const char* text : {"torch ", "Arrow ", "cpu: ", "GiB free", "GFLOP/s", "GB/s", "norm ",
                           "attention ", "own kernel, error ", "All is well."})
    EXPECT_NE(result.out.find(text), std::string::npos) << text << "\n" << result.out;
}

TEST(DoctorCommand, SaysTheSameInJson) {
  const CommandResult result = run_sequela({"doctor", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto report = nlohmann::json::parse(result.out);
  EXPECT_TRUE(report.at("is_well").get<bool>());
  const auto& cpu = report.at("devices").at(0);
  EXPECT_EQ(cpu.at("id"), "cpu");
  EXPECT_GT(cpu.at("free_bytes").get<int64_t>(), 0);
  EXPECT_EQ(cpu.at("kernels").size(), 11u);
  for (const auto& kernel : cpu.at("kernels")) EXPECT_EQ(kernel.at("way"), "own");
  const bool has_gpu = report.at("devices").size() > 1;
  EXPECT_EQ(report.at("gpu_fault").get<std::string>().empty(), has_gpu);
}

}  // namespace
}  // namespace sequela
