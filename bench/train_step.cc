// Micro-steps (forward and backward) of the MOTOR model on batches that prepare made of made-up
// records, each batch another as in training, and the optimizer's step, beside a reference matrix
// product timed in the same process:
// bench_train_step [base|six|small|tiny] [threads] [bf16|fp32] [batches] [recompute]
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>

#include "bench/reference_gemm.h"
#include "sequela/batch/filler.h"
#include "sequela/batch/folder.h"
#include "sequela/core/error.h"
#include "sequela/model/motor.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/synth/synth.h"
#include "sequela/train/motor_training.h"
#include "sequela/train/optimizer.h"
#include "sequela/train/recipe.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSubjects = 2'000;

struct Size {
  int64_t layers, hidden, tokens, tasks;
};

Size size_of(const std::string& name) {
  if (name == "base") return {12, 768, 8'192, 8'192};
  if (name == "six") return {6, 768, 2'048, 8'192};
  if (name == "small") return {4, 256, 2'048, 1'024};
  if (name == "tiny") return {2, 128, 4'096, 512};
  throw ConfigError("size", name, "base, six, small or tiny");
}

// Batches as `sequela prepare` makes them, in a folder that is gone afterwards.
class PreparedBatches {
 public:
  explicit PreparedBatches(const Size& size)
      : folder_(str((fs::temp_directory_path() / "sequela_bench_").string(), getpid())) {
    synth({.num_subjects = kSubjects, .folder = folder_ + "/synth", .num_threads = 2});
    PrepareOptions options;
    options.meds = folder_ + "/synth/meds";
    options.athena = folder_ + "/synth/athena";
    options.out = folder_ + "/prepared";
    options.num_tasks = size.tasks;
    options.tokens_per_batch = size.tokens;
    prepare(options);
  }
  ~PreparedBatches() { fs::remove_all(folder_); }

  ModelConfig config(const Size& size) const {
    EncoderConfig encoder;
    encoder.hidden_size = size.hidden;
    encoder.intermediate_size = 4 * size.hidden;
    encoder.n_heads = size.hidden / 64;
    encoder.n_layers = size.layers;
    return read_prepared_config(encoder, folder_ + "/prepared");
  }

  BatchFolder batches() const { return BatchFolder::open(folder_ + "/prepared/train_batches"); }

 private:
  const std::string folder_;
};

// Floating-point operations of a step on this batch, which is not filled up: flops_per_token()
// takes full attention windows and a tenth of the tokens as labelled.
double flops_of(const Motor& model, const MotorBatch& batch) {
  const EncoderConfig& encoder = model.config().encoder;
  const MotorHeadConfig& head = *model.config().motor;
  const int32_t* lengths = batch.inputs.lengths_S.const_data_ptr<int32_t>();
  double tokens = 0, attended = 0;
  for (int64_t s = 0; s < batch.inputs.lengths_S.size(0); ++s) {
    tokens += lengths[s];
    for (int64_t t = 0; t < lengths[s]; ++t)
      attended += static_cast<double>(std::min<int64_t>(t + 1, encoder.attention_width));
  }
  double attention_layers = 0;
  for (int64_t i = 0; i < encoder.n_layers; ++i) attention_layers += !encoder.is_hawk_layer(i);
  const double unattended = tokens * static_cast<double>(encoder.attention_width) - attended;
  const double more_labels =
      static_cast<double>(batch.inputs.label_indices_L.size(0)) - 0.1 * tokens;
  const double width = static_cast<double>(head.num_bins() * head.final_layer_size);
  const double per_label = width * static_cast<double>(encoder.hidden_size + head.num_tasks());
  return model.flops_per_token() * tokens +
         6 * (per_label * more_labels -
              2 * static_cast<double>(encoder.hidden_size) * attention_layers * unattended);
}

// What some batches cost together.
struct Steps {
  double tokens = 0, gflop = 0, wall = 0, cpu = 0, loss = 0;

  void add(Motor& model, MotorBatch batch) {
    tokens += static_cast<double>(batch.inputs.ages_days_T.size(0));
    gflop += flops_of(model, batch) * 1e-9;
    fill_up(batch.inputs);
    const Cost cost = best_of(1, [&] { loss = model.loss(batch, 1.0 / 32).item<double>(); });
    wall += cost.wall;
    cpu += cost.cpu;
  }
};

double optimizer_milliseconds(Motor& model, at::ScalarType type) {
  TrainOptions options;
  apply_recipe(Recipe::sequela, options);
  const MotorTraining training(model, nullptr, nullptr);
  Optimizer optimizer(model.parameters(), options, training.parts(), type);
  const Cost cost = best_of(3, [&] { optimizer.step(1e-9, optimizer.gradient_norm()); });
  return 1e3 * cost.cpu;
}

void run(const std::string& name, int threads, Precision precision, int64_t num_batches,
         Activations activations) {
  at::set_num_threads(threads);
  const Size size = size_of(name);
  const PreparedBatches prepared(size);
  Motor model(prepared.config(size), 1, at::kCPU, precision);
  model.set_activations(activations);
  const BatchFolder batches = prepared.batches();
  num_batches = std::min(num_batches, batches.num_batches() / 2);
  const at::ScalarType type = precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
  const Cost before = reference_cost(type);
  Steps first, step;  // the first ones touch memory and compile products
  for (int64_t i = 0; i < num_batches; ++i) first.add(model, batches.read(i));
  for (int64_t i = 0; i < num_batches; ++i) step.add(model, batches.read(num_batches + i));
  const double optimizer_ms = optimizer_milliseconds(model, type);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const Cost after = reference_cost(type);

  const double reference = kReferenceGflop / std::min(before.wall, after.wall);
  const double reference_cpu = kReferenceGflop / std::min(before.cpu, after.cpu);
  std::printf(
      "%-5s %d threads %s%s: %.0f tokens/s, %.2f s wall, %.2f s CPU, %.1f GFLOP; GFLOP/s %.0f "
      "wall, "
      "%.0f per CPU s\n",
      name.c_str(), threads, precision == Precision::bf16 ? "bf16" : "fp32",
      activations == Activations::kept ? "" : ", recomputed", step.tokens / step.wall, step.wall,
      step.cpu, step.gflop, step.gflop / step.wall, step.gflop / step.cpu);
  std::printf(
      "      reference product %.0f wall, %.0f per CPU s: the step runs at %.0f %% by wall, %.0f "
      "%% by CPU time; "
      "peak %.2f GiB, loss %.4g; the optimizer's step %.1f ms of CPU\n",
      reference, reference_cpu, 100 * step.gflop / step.wall / reference,
      100 * step.gflop / step.cpu / reference_cpu, static_cast<double>(usage.ru_maxrss) / (1 << 20),
      step.loss, optimizer_ms);
}

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "small";
  const int threads = argc > 2 ? std::stoi(argv[2]) : 2;
  const bool is_fp32 = argc > 3 && std::string(argv[3]) == "fp32";
  const int64_t num_batches = argc > 4 ? std::stol(argv[4]) : 8;
  sequela::run(name, threads, is_fp32 ? sequela::Precision::fp32 : sequela::Precision::bf16,
               num_batches,
               argc > 5 ? sequela::Activations::recomputed : sequela::Activations::kept);
}
