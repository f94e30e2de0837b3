#include "sequela/pipeline/device.h"

#include <ATen/ATen.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/nn/cuda/cuda_kernels.h"
#include "sequela/nn/cuda/dispatch.h"
#include "sequela/nn/isa.h"
#include "sequela/nn/kernel_table.h"
#include "sequela/pipeline/commit.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

std::string cuda_text(int version) {
  return str(version / 1000, ".", version % 1000 / 10);
}

// The file that holds this code, its size and time: changed kernels are other kernels, whatever the
// commit says.
std::string program_text() {
  Dl_info info;
  std::error_code error;
  fs::path path = "/proc/self/exe";
  if (dladdr(reinterpret_cast<void*>(&cuda_state), &info) != 0 && fs::exists(info.dli_fname, error))
    path = info.dli_fname;
  const auto size = fs::file_size(path, error);
  const auto time = fs::last_write_time(path, error).time_since_epoch().count();
  return str(size, " bytes of ", time);
}

// N of "cuda:N".
int index_of(const std::string& text) {
  if (text == "cuda") return 0;
  const std::string number = text.substr(5);
  if (number.empty() || number.size() > 3 ||
      number.find_first_not_of("0123456789") != std::string::npos) {
    throw ConfigError("device", text, "auto, cpu, cuda or cuda:N");
  }
  return std::stoi(number);
}

}  // namespace

CudaState cuda_state() {
  CudaState state;
  state.torch_has_cuda = at::globalContext().hasCUDART() || at::globalContext().hasCUDA();
  state.has_kernels = has_cuda_kernels();
  state.has_driver = fs::exists("/proc/driver/nvidia/version");
  if (state.torch_has_cuda) state.num_devices = at::detail::getCUDAHooks().getNumGPUs();
  if (state.has_kernels) {
    const CudaVersions versions = cuda_versions();
    state.driver = versions.driver;
    state.runtime = versions.runtime;
    state.has_driver |= versions.driver > 0;
  }
  return state;
}

std::string cuda_fault(const CudaState& state) {
  if (!state.torch_has_cuda) {
    return "this torch has no CUDA. Fix: build with `SEQUELA_CUDA=1 make`, which takes the torch "
           "that has it and needs nvcc.";
  }
  if (!state.has_driver)
    return "no NVIDIA driver is loaded. Fix: install one, or use --device cpu.";
  if (state.driver > 0 && state.driver / 1000 < state.runtime / 1000) {
    return str("the NVIDIA driver takes CUDA ", cuda_text(state.driver), ", this build wants ",
               cuda_text(state.runtime), ". Fix: install a newer driver, or use --device cpu.");
  }
  if (state.num_devices == 0) {
    return "torch sees no GPU. Fix: see what `nvidia-smi` and CUDA_VISIBLE_DEVICES say, or use "
           "--device cpu.";
  }
  return "";
}

at::Device to_device(const std::string& text) {
  return text == "cpu" ? at::Device(at::kCPU) : to_device(text, cuda_state());
}

at::Device to_device(const std::string& text, const CudaState& state) {
  if (text == "cpu") return at::kCPU;
  const std::string fault = cuda_fault(state);
  if (text == "auto") {
    const bool is_usable = fault.empty() && state.has_kernels;
    return is_usable ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  }
  if (text != "cuda" && !text.starts_with("cuda:"))
    throw ConfigError("device", text, "auto, cpu, cuda or cuda:N");
  const int index = index_of(text);
  if (!fault.empty()) throw ConfigError(str("device '", text, "': ", fault));
  if (index >= state.num_devices) {
    throw ConfigError("device", text,
                      str("one of cuda:0 to cuda:", state.num_devices - 1, ", which torch sees"));
  }
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

std::string gpu_memory_text(const std::string& torch_message) {
  if (!torch_message.starts_with("CUDA out of memory")) return "";
  const std::string line = torch_message.substr(0, torch_message.find('\n'));
  const std::string free = " is free.";
  const size_t end = line.find(free);
  return str(end == std::string::npos ? line : line.substr(0, end + free.size()),
             " Fix: halve --tokens-per-batch (for pretrain: prepare's), which takes about half the "
             "memory; give --gradient-checkpointing; or use --device cpu.");
}

CheckedDevice checked_device(at::Device device) {
  const std::string build =
      str(SEQUELA_VERSION, " ", kCommit, ", torch ", TORCH_VERSION, ", ", program_text());
  if (!device.is_cuda()) return {str(cpu_name(), ", ", to_text(kernel_isa())), "", build};
  const CudaDeviceFacts facts = cuda_device_facts(device.index());
  const CudaVersions versions = cuda_versions();
  return {str(facts.name, ", sm_", facts.major, facts.minor),
          str("CUDA ", cuda_text(versions.driver), ", runtime ", cuda_text(versions.runtime)),
          build};
}

Ways choose_ways(at::Device device, Kernels kernels, const std::string& cache) {
  Ways ways(kernels);
  if (!device.is_cuda() || kernels == Kernels::plain) return ways;
  if (!has_cuda_kernels()) {
    throw ConfigError(
        str(kNoCudaKernels, " (--kernels plain computes there with torch's operations, slowly.)"));
  }
  if (kernels == Kernels::own) return ways;
  const std::vector<KernelResult> results =
      check_kernels_once(cuda_kernels(), device, checked_device(device), cache);
  for (const KernelResult& result : results) {
    if (result.is_good()) continue;
    log_warning(str(device.str(), ": ", result.text(),
                    "; torch's operations take its place. See `sequela doctor`."));
  }
  refuse_failed(results, ways);
  return ways;
}

}  // namespace sequela
