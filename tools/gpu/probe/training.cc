#include <ATen/ATen.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/model/encoder_config.h"
#include "sequela/train/motor_training.h"
#include "sequela/train/recipe.h"
#include "sequela/train/trainer.h"
#include "tools/gpu/probe/probe.h"
#include "tools/gpu/probe/tensor_batches.h"

namespace sequela {
namespace {

constexpr uint64_t kSeed = 42;
constexpr int64_t kWarmup = 20;

// A shape by name (train/recipe.h) on the vocabulary and tasks of the data.
ModelConfig config_of(const std::string& data, const ModelSize& size) {
  ModelConfig config = read_model_config(data + "/config.json");
  config.encoder.n_layers = size.layers;
  config.encoder.hidden_size = size.hidden;
  config.encoder.n_heads = size.heads;
  config.encoder.intermediate_size = size.intermediate;
  return config;
}

// Every step is logged where the curve counts, an eighth of them where the speed does.
TrainOptions train_options(const ProbeOptions& options, bool is_curve) {
  TrainOptions train;
  apply_recipe(Recipe::sequela, train);
  train.folder = options.out;
  train.learning_rate = find_model_size(options.size).learning_rate;
  train.seed = kSeed;
  train.max_steps = options.steps;
  train.warmup_steps = kWarmup;
  train.accumulate = 1;
  train.eval_every = options.steps + 1;
  train.patience = 0;
  train.log_every = is_curve ? 1 : std::max<int64_t>(1, options.steps / 8);
  train.keep_checkpoints = 1;  // the fewest
  return train;
}

std::vector<double> column(const Json& metrics, const char* name, const std::string& path) {
  std::vector<double> values;
  for (const Json& line : metrics.at("log")) values.push_back(json_number(line.at(name), path));
  return values;
}

double median(std::vector<double> values) {
  SEQUELA_CHECK(!values.empty());
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

// Without the first two lines, in which memory is touched and products are chosen.
double steady(std::vector<double> values) {
  if (values.size() > 4) values.erase(values.begin(), values.begin() + 2);
  return median(values);
}

}  // namespace

Motor probe_model(const ProbeOptions& options, at::Device device, Precision precision) {
  return Motor(config_of(options.data, find_model_size(options.size)), kSeed, device, precision,
               Ways(options.kernels));
}

Json probe_training(const ProbeOptions& options) {
  std::filesystem::remove_all(options.out);
  const TensorBatches batches(options.data + "/batches.safetensors", options.joined);
  Motor model = probe_model(options, options.device, options.precision);
  if (options.is_recomputed) model.set_activations(Activations::recomputed);
  MotorTraining training(model, &batches, nullptr);
  const bool is_curve = options.size == "tiny";
  const TrainReport report = train(training, train_options(options, is_curve), "probe");
  const std::string path = options.out + "/metrics.json";
  const Json metrics = parse_json(read_file(path), path);
  const double speed = steady(column(metrics, "train/tokens_per_second", path));
  Json result = {{"size", options.size},
                 {"precision", options.precision == Precision::bf16 ? "bf16" : "fp32"},
                 {"kernels", to_text(options.kernels)},
                 {"steps", report.steps},
                 {"tokens_per_batch", batches.num_tokens(0)},
                 {"tokens_per_second", speed},
                 {"flops_per_second", speed * model.flops_per_token()},
                 {"share_of_products", steady(column(metrics, "train/mfu", path))},
                 {"peak_bytes", peak_bytes(options.device)}};
  if (is_curve) result["losses"] = column(metrics, "train/loss", path);
  std::filesystem::remove_all(options.out);
  return result;
}

}  // namespace sequela
