#include "sequela/pipeline/machine.h"

#include <ATen/ATen.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "sequela/core/error.h"
#include "sequela/io/arrow_version.h"
#include "sequela/nn/gemm.h"
#include "sequela/nn/int8_linear.h"
#include "sequela/nn/isa.h"
#include "sequela/nn/torch_threads.h"
#include "sequela/pipeline/commit.h"
#include "sequela/pipeline/inspect_parts.h"

namespace sequela {
namespace {

constexpr int64_t kRows = 2'048, kInputs = 768, kOutputs = 3'072;
constexpr double kSecondsOfRate = 0.4;

std::string bf16_text() {
  return has_bf16_products() ? "bfloat16 products" : "stored so, multiplied as fp32";
}

std::string fp32_text() {
  return has_onednn_products() ? "oneDNN" : "torch's BLAS";
}

std::string int8_text() {
  return int8_products() == Int8Products::onednn ? "oneDNN"
                                                 : str("own kernels, ", to_text(int8_products()));
}

std::string gpu_text() {
  const int64_t count = at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0;
  return count > 0 ? str(count, " by CUDA") : "none that torch sees";
}

// The best of the tries that fit into kSecondsOfRate, in 1e9 operations a second.
std::string rate_text(const std::function<void()>& product) {
  using Clock = std::chrono::steady_clock;
  product();
  double best = 1e30, total = 0;
  while (total < kSecondsOfRate) {
    const auto start = Clock::now();
    product();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::min(best, seconds);
    total += seconds;
  }
  const double operations = 2.0 * kRows * kInputs * kOutputs;
  return str(static_cast<int64_t>(operations / best * 1e-9), " GFLOP/s");
}

std::string linear_rate(at::ScalarType type) {
  const at::Tensor x = at::ones({kRows, kInputs}, type),
                   weight = at::ones({kOutputs, kInputs}, type);
  const at::Tensor out = at::empty({kRows, kOutputs}, type);
  return rate_text([&] { linear_forward(x, weight, out); });
}

std::string int8_rate() {
  const at::Tensor x = at::ones({kRows, kInputs});
  const Int8Linear linear(at::ones({kOutputs, kInputs}), at::zeros({kOutputs}));
  return rate_text([&] { linear.forward(x); });
}

// `rate` adds what was measured; the empty function adds nothing.
std::string describe(const std::function<std::string(const std::string& precision)>& rate) {
  const auto with_rate = [&](const std::string& precision, const std::string& how) {
    const std::string measured = rate ? rate(precision) : "";
    return measured.empty() ? how : str(how, ", ", measured);
  };
  Description description("sequela " SEQUELA_VERSION);
  description.add("commit", *kCommit == 0 ? "unknown: built from no checkout" : kCommit);
  description.add("torch", TORCH_VERSION);
  description.add("Arrow", arrow_version());
  description.add("CPU", str(cpu_name(), ", ", std::thread::hardware_concurrency(), " cores"));
  description.add("kernels",
                  kernel_isa() == best_isa()
                      ? to_text(kernel_isa())
                      : str(to_text(kernel_isa()), " (the CPU has ", to_text(best_isa()), ")"));
  description.add("fp32", with_rate("fp32", fp32_text()));
  description.add("bf16", with_rate("bf16", bf16_text()));
  description.add("int8", with_rate("int8", int8_text()));
  description.add("GPUs", gpu_text());
  return description.text();
}

}  // namespace

std::string version_text() {
  return describe({});
}

std::string machine_text(int num_threads) {
  const TorchThreads threads(num_threads);
  return describe([](const std::string& precision) {
    if (precision == "int8") return int8_rate();
    return linear_rate(precision == "bf16" ? at::kBFloat16 : at::kFloat);
  });
}

}  // namespace sequela
