// One micro-step (forward and backward) of the MOTOR model on packed synthetic sequences, beside a
// reference matrix product timed in the same process: bench_train_step [base|six|small] [threads]
// [bf16|fp32] [repeats] [recompute]
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "bench/reference_gemm.h"
#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/model/motor.h"

namespace sequela {
namespace {

constexpr int64_t kCodesPerToken = 8;
constexpr int64_t kTokensPerLabel = 10;
constexpr int64_t kEventsPerLabel = 100;

struct Size {
  int64_t layers, hidden, tokens, tasks;
};

Size size_of(const std::string& name) {
  if (name == "base") return {12, 768, 8'192, 8'192};
  if (name == "six") return {6, 768, 2'048, 8'192};
  if (name == "small") return {4, 256, 2'048, 1'024};
  throw ConfigError("size", name, "base, six or small");
}

ModelConfig config_of(const Size& size) {
  ModelConfig config;
  config.encoder.hidden_size = size.hidden;
  config.encoder.intermediate_size = 4 * size.hidden;
  config.encoder.n_heads = size.hidden / 64;
  config.encoder.n_layers = size.layers;
  MotorHeadConfig motor;
  for (int64_t i = 0; i < size.tasks; ++i) motor.tasks.push_back({str("T/", i), 1e-9});
  for (int64_t i = 0; i < 8; ++i) motor.time_bins.push_back(1e7 * static_cast<double>(i));
  motor.time_bins.push_back(INFINITY);
  config.motor = motor;
  return config;
}

at::Tensor ramp(int64_t size, double step) {
  return at::arange(size, at::kDouble).mul_(step).to(at::kFloat);
}

MotorBatch batch_of(const Size& size, int64_t vocabulary) {
  const int64_t tokens = size.tokens;
  const int64_t labels = tokens / kTokensPerLabel;
  Random random(1);
  MotorBatch batch;
  batch.inputs.lengths_S = at::full({4}, tokens / 4, at::kInt);
  batch.inputs.token_ids_N = at::empty({tokens * kCodesPerToken}, at::kInt);
  for (int64_t i = 0; i < tokens * kCodesPerToken; ++i) {
    batch.inputs.token_ids_N.data_ptr<int32_t>()[i] =
        static_cast<int32_t>(random.below(vocabulary));
  }
  batch.inputs.token_weights_N =
      at::full({tokens * kCodesPerToken}, 1.0 / kCodesPerToken, at::kFloat);
  batch.inputs.token_offsets_T1 =
      at::arange(tokens + 1, at::kInt) * static_cast<int32_t>(kCodesPerToken);
  batch.inputs.ages_days_T = ramp(tokens, 1.5);
  batch.inputs.time_data_T5 = ramp(tokens * 5, 1e-5).view({tokens, 5});
  batch.inputs.label_indices_L =
      at::arange(labels, at::kInt) * static_cast<int32_t>(kTokensPerLabel);
  batch.targets.censor_seconds_L = ramp(labels, 1e5) + 1e6;
  batch.targets.row_offsets_L1 =
      at::arange(labels + 1, at::kInt) * static_cast<int32_t>(kEventsPerLabel);
  batch.targets.task_ids_Z =
      at::arange(kEventsPerLabel, at::kInt).mul_(size.tasks / kEventsPerLabel).repeat({labels});
  batch.targets.event_seconds_Z = ramp(labels * kEventsPerLabel, 10) + 1;
  return batch;
}

void run(const std::string& name, int threads, Precision precision, int repeats,
         Activations activations) {
  at::set_num_threads(threads);
  const Size size = size_of(name);
  const ModelConfig config = config_of(size);
  Motor model(config, 1, at::kCPU, precision);
  model.set_activations(activations);
  const MotorBatch batch = batch_of(size, config.encoder.vocab_size);
  const at::ScalarType type = precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
  const Cost before = reference_cost(type);
  double loss = 0;
  const Cost step = best_of(repeats, [&] { loss = model.loss(batch, 1.0 / 32).item<double>(); });
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const Cost after = reference_cost(type);

  const double gflop = model.flops_per_token() * static_cast<double>(size.tokens) * 1e-9;
  const double reference = kReferenceGflop / std::min(before.wall, after.wall);
  const double reference_cpu = kReferenceGflop / std::min(before.cpu, after.cpu);
  std::printf(
      "%-5s %d threads %s%s: %.0f tokens/s, %.2f s wall, %.2f s CPU, %.1f GFLOP; GFLOP/s %.0f "
      "wall, "
      "%.0f per CPU s\n",
      name.c_str(), threads, precision == Precision::bf16 ? "bf16" : "fp32",
      activations == Activations::kept ? "" : ", recomputed",
      static_cast<double>(size.tokens) / step.wall, step.wall, step.cpu, gflop, gflop / step.wall,
      gflop / step.cpu);
  std::printf(
      "      reference product %.0f wall, %.0f per CPU s: the step runs at %.0f %% by wall, %.0f "
      "%% by CPU time; "
      "peak %.2f GiB, loss %.4g\n",
      reference, reference_cpu, 100 * gflop / step.wall / reference,
      100 * gflop / step.cpu / reference_cpu, static_cast<double>(usage.ru_maxrss) / (1 << 20),
      loss);
}

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "small";
  const int threads = argc > 2 ? std::stoi(argv[2]) : 2;
  const bool is_fp32 = argc > 3 && std::string(argv[3]) == "fp32";
  const int repeats = argc > 4 ? std::stoi(argv[4]) : 3;
  sequela::run(name, threads, is_fp32 ? sequela::Precision::fp32 : sequela::Precision::bf16,
               repeats, argc > 5 ? sequela::Activations::recomputed : sequela::Activations::kept);
}
