#include "sequela/pipeline/device.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/pipeline/doctor.h"

namespace sequela {
namespace {

CudaState two_gpus() {
  return {.torch_has_cuda = true,
          .has_kernels = true,
          .driver = 12040,
          .runtime = 12010,
          .has_driver = true,
          .num_devices = 2};
}

std::string refusal(const std::string& text, const CudaState& state) {
  try {
    to_device(text, state);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Device, IsWhatTheOptionSays) {
  EXPECT_EQ(to_device("cpu", two_gpus()), at::Device(at::kCPU));
  EXPECT_EQ(to_device("auto", two_gpus()), at::Device(at::kCUDA, 0));
  EXPECT_EQ(to_device("cuda", two_gpus()), at::Device(at::kCUDA, 0));
  EXPECT_EQ(to_device("cuda:1", two_gpus()), at::Device(at::kCUDA, 1));
  EXPECT_EQ(to_device("auto", {}), at::Device(at::kCPU));
  EXPECT_THROW(to_device("tpu", two_gpus()), ConfigError);
  EXPECT_THROW(to_device("cuda:x", two_gpus()), ConfigError);
  EXPECT_THROW(to_device("cuda:-1", two_gpus()), ConfigError);
}

// auto does not take a GPU for which there are no kernels.
TEST(Device, AutoIsTheCpuInABuildWithoutKernels) {
  CudaState state = two_gpus();
  state.has_kernels = false;
  EXPECT_EQ(to_device("auto", state), at::Device(at::kCPU));
  EXPECT_EQ(to_device("cuda", state), at::Device(at::kCUDA, 0));
}

TEST(Device, ErrorsNameTheMendInOneLine) {
  EXPECT_NE(refusal("cuda", {}).find("SEQUELA_CUDA=1 make"), std::string::npos);
  CudaState state = two_gpus();
  state.has_driver = false;
  EXPECT_NE(refusal("cuda", state).find("no NVIDIA driver"), std::string::npos);
  state = two_gpus();
  state.driver = 11040;
  EXPECT_NE(
      refusal("cuda", state).find("takes CUDA 11.4, this build wants 12.1. Fix: install a newer"),
      std::string::npos);
  state = two_gpus();
  state.num_devices = 0;
  EXPECT_NE(refusal("cuda", state).find("nvidia-smi"), std::string::npos);
  EXPECT_NE(refusal("cuda:2", two_gpus()).find("cuda:0 to cuda:1"), std::string::npos);
  for (const CudaState& each : {CudaState{}, state})
    EXPECT_EQ(refusal("cuda", each).find('\n'), std::string::npos);
}

TEST(Device, LackOfItsMemoryNamesWhatWasFreeAndWhatToLower) {
  const std::string text = gpu_memory_text(
      "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.77 GiB of "
      "which 1.20 GiB is free. Process 7 has 14.57 GiB memory in use. See documentation\nmore");
  EXPECT_EQ(
      text.rfind("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of "
                 "15.77 GiB of which 1.20 GiB is free. Fix: halve --tokens-per-batch",
                 0),
      0u)
      << text;
  EXPECT_EQ(gpu_memory_text("no kernel image is available"), "");
}

TEST(Device, TheCpusWaysAreThoseAsked) {
  for (const Kernels kernels : {Kernels::automatic, Kernels::plain, Kernels::own})
    EXPECT_EQ(choose_ways(at::kCPU, kernels, "").kernels(), kernels);
}

DoctorReport report_with(double error) {
  DeviceReport device{.id = "cuda:0", .name = "a GPU, sm_90", .driver = "CUDA 12.4"};
  device.kernels = {{Operation::norm, at::kFloat, 1e-7, 1e-4, ""},
                    {Operation::norm, at::kBFloat16, error, 5e-2, ""}};
  DoctorReport report;
  report.devices = {device};
  return report;
}

TEST(Doctor, IsWellIfAllKernelsAre) {
  EXPECT_TRUE(report_with(1e-3).is_well());
  const DoctorReport report = report_with(0.7);
  EXPECT_FALSE(report.is_well());
  const std::string text = to_text(report);
  EXPECT_NE(
      text.find("fp32: own kernel, error 1e-07, at most 0.0001; bf16: WRONG, torch's operations "
                "instead: error 0.7, at most 0.05"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("Some kernels failed"), std::string::npos) << text;
  EXPECT_NE(to_json_text(report).find("\"way\": \"plain\""), std::string::npos);
}

}  // namespace
}  // namespace sequela
