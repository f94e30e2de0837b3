#include "sequela/pipeline/doctor.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/arrow_version.h"
#include "sequela/nn/cuda/cuda_kernels.h"
#include "sequela/nn/cuda/dispatch.h"
#include "sequela/nn/isa.h"
#include "sequela/nn/kernel_table.h"
#include "sequela/pipeline/commit.h"
#include "sequela/pipeline/inspect_parts.h"
#include "sequela/train/gemm_rate.h"

namespace sequela {
namespace {

constexpr int64_t kCopiedBytes = 256 << 20;
constexpr double kBandwidthSeconds = 0.3;

// Of a line of /proc/meminfo, "MemAvailable:   12345 kB".
int64_t memory_of(const std::string& name) {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":")) return std::stoll(line.substr(name.size() + 1)) * 1024;
  }
  return 0;
}

// Bytes read and written a second; the best of the tries.
double measure_bandwidth(at::Device device) {
  using Clock = std::chrono::steady_clock;
  const auto options = at::TensorOptions(at::kByte).device(device);
  const at::Tensor from = at::ones({kCopiedBytes}, options), to = at::empty_like(from);
  double best = 1e30, total = 0;
  while (total < kBandwidthSeconds) {
    const auto start = Clock::now();
    to.copy_(from);
    to[0].item();  // waits for the device
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::min(best, seconds);
    total += seconds;
  }
  return 2 * static_cast<double>(kCopiedBytes) / best;
}

DeviceReport examine(at::Device device) {
  DeviceReport report;
  const CheckedDevice checked = checked_device(device);
  report.id = device.str();
  report.name = checked.name;
  report.driver = checked.driver;
  if (device.is_cuda()) {
    const CudaDeviceFacts facts = cuda_device_facts(device.index());
    report.free_bytes = facts.free_bytes;
    report.total_bytes = facts.total_bytes;
  } else {
    report.free_bytes = memory_of("MemAvailable");
    report.total_bytes = memory_of("MemTotal");
  }
  report.kernels = check_kernels(device.is_cuda() ? cuda_kernels() : cpu_kernels(), device);
  report.fp32_rate = measure_gemm_rate(device, Precision::fp32);
  if (product_type(device, Precision::bf16) == at::kBFloat16)
    report.bf16_rate = measure_gemm_rate(device, Precision::bf16);
  report.bandwidth = measure_bandwidth(device);
  return report;
}

const char* kernel_type(at::ScalarType type) {
  return type == at::kFloat ? "fp32" : "bf16";
}

std::string short_text(double value) {
  std::ostringstream text;
  text.precision(2);
  text << value;
  return text.str();
}

std::string gib_text(int64_t bytes) {
  std::ostringstream text;
  text.precision(1);
  text << std::fixed << static_cast<double>(bytes) / (1 << 30);
  return text.str();
}

std::string gflops_text(double rate) {
  return str(static_cast<int64_t>(std::lround(rate * 1e-9)), " GFLOP/s");
}

// "own, error 2.1e-07 of at most 0.001", or why the plain way is taken.
std::string way_text(const KernelResult& result) {
  if (!result.fault.empty()) return str("FAILED, torch's operations instead: ", result.fault);
  const std::string error =
      str("error ", short_text(result.error), ", at most ", short_text(result.bound));
  return str(result.is_good() ? "own kernel, " : "WRONG, torch's operations instead: ", error);
}

std::string operation_text(const DeviceReport& device, Operation operation) {
  std::string text;
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    if (operation == Operation::embedding_bag && type != at::kFloat) continue;
    const auto found = std::ranges::find_if(device.kernels, [&](const KernelResult& result) {
      return result.operation == operation && result.type == type;
    });
    const bool is_there = found != device.kernels.end();
    text += str(text.empty() ? "" : "; ", kernel_type(type), ": ",
                is_there ? way_text(*found) : "torch's operations, there is no own kernel");
  }
  return text;
}

std::string device_text(const DeviceReport& device) {
  Description description(str(device.id, ": ", device.name));
  if (!device.driver.empty()) description.add("driver", device.driver);
  description.add("memory", str(gib_text(device.free_bytes), " of ", gib_text(device.total_bytes),
                                " GiB free"));
  description.add("products", str("fp32 ", gflops_text(device.fp32_rate), ", bf16 ",
                                  device.bf16_rate ? gflops_text(*device.bf16_rate) : "as fp32"));
  description.add("bandwidth",
                  str(static_cast<int64_t>(std::lround(device.bandwidth * 1e-9)), " GB/s"));
  for (const Operation operation : kOperations)
    description.add(to_text(operation), operation_text(device, operation));
  return description.text();
}

Json kernel_json(const KernelResult& result) {
  return {{"operation", to_text(result.operation)},    {"type", kernel_type(result.type)},
          {"way", result.is_good() ? "own" : "plain"}, {"error", json_double(result.error)},
          {"bound", json_double(result.bound)},        {"fault", result.fault}};
}

Json device_json(const DeviceReport& device) {
  Json json = {{"id", device.id},
               {"name", device.name},
               {"driver", device.driver},
               {"free_bytes", device.free_bytes},
               {"total_bytes", device.total_bytes},
               {"fp32_flops", device.fp32_rate},
               {"bf16_flops", device.bf16_rate ? Json(*device.bf16_rate) : Json()},
               {"bytes_per_second", device.bandwidth},
               {"kernels", Json::array()}};
  for (const KernelResult& result : device.kernels) json["kernels"].push_back(kernel_json(result));
  return json;
}

}  // namespace

bool DoctorReport::is_well() const {
  return std::ranges::all_of(devices, [](const DeviceReport& device) {
    return std::ranges::all_of(device.kernels, &KernelResult::is_good);
  });
}

DoctorReport examine_machine(int num_threads) {
  at::set_num_threads(num_threads);
  DoctorReport report;
  report.devices.push_back(examine(at::kCPU));
  const CudaState state = cuda_state();
  report.gpu_fault = cuda_fault(state);
  if (report.gpu_fault.empty() && !state.has_kernels) report.gpu_fault = kNoCudaKernels;
  if (!report.gpu_fault.empty()) return report;
  for (int i = 0; i < state.num_devices; ++i)
    report.devices.push_back(examine(at::Device(at::kCUDA, static_cast<at::DeviceIndex>(i))));
  return report;
}

std::string to_text(const DoctorReport& report) {
  Description versions("sequela " SEQUELA_VERSION);
  versions.add("commit", *kCommit == 0 ? "unknown: built from no checkout" : kCommit);
  versions.add("torch", TORCH_VERSION);
  versions.add("Arrow", arrow_version());
  std::string text = versions.text();
  for (const DeviceReport& device : report.devices) text += device_text(device);
  if (!report.gpu_fault.empty()) text += str("GPU: ", report.gpu_fault, "\n");
  return text + (report.is_well() ? "All is well.\n" : "Some kernels failed their check.\n");
}

std::string to_json_text(const DoctorReport& report) {
  Json json = {{"version", SEQUELA_VERSION},  {"commit", kCommit},
               {"torch", TORCH_VERSION},      {"arrow", arrow_version()},
               {"is_well", report.is_well()}, {"gpu_fault", report.gpu_fault},
               {"devices", Json::array()}};
  for (const DeviceReport& device : report.devices) json["devices"].push_back(device_json(device));
  return json_text(json) + "\n";
}

}  // namespace sequela
