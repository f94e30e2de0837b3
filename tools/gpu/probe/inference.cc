#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "sequela/encoders/bert/bert_model.h"
#include "sequela/encoders/bert/bert_weights.h"
#include "sequela/nn/kernel_check.h"
#include "tools/gpu/probe/probe.h"
#include "tools/gpu/probe/tensor_batches.h"

namespace sequela {
namespace {

constexpr int64_t kVisits = 256, kCodes = 128, kVocabulary = 20'000;
constexpr double kSeconds = 3;  // that a rate is measured over, at least

// Calls of `run` a second, after one that is not counted.
template <class Run>
double calls_per_second(at::Device device, int64_t most, Run run) {
  run();
  wait_for(device);
  const auto start = std::chrono::steady_clock::now();
  double seconds = 0;
  int64_t calls = 0;
  for (; calls < most && seconds < kSeconds; ++calls) {
    run();
    wait_for(device);
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return static_cast<double>(calls) / seconds;
}

BertInput random_visits(int64_t visits, at::Device device) {
  at::manual_seed(5);
  BertInput input;
  input.ids_T = at::randint(1, kVocabulary, {visits * kCodes}, at::kLong).to(device);
  input.lengths_S = at::full({visits}, kCodes, at::kLong);
  return input;
}

NamedTensors random_weights(const BertConfig& config, at::Device device) {
  at::manual_seed(6);
  NamedTensors weights;
  for (const WeightShape& shape : encoder_weight_shapes(config))
    weights[shape.name] = (at::randn(shape.shape) * config.initializer_range).to(device);
  return weights;
}

}  // namespace

Json probe_features(const ProbeOptions& options) {
  const TensorBatches batches(options.data + "/batches.safetensors", options.joined);
  Motor model = probe_model(options, options.device, options.precision);
  const auto rows_of = [](const MotorBatch& batch) {
    return batch.inputs.label_indices_L.to(at::kLong);
  };
  int64_t next = 0;
  const double rate = calls_per_second(options.device, 200, [&] {
    const MotorBatch batch = batches.read(next++ % batches.num_batches());
    model.encode(batch.inputs, rows_of(batch)).cpu();
  });
  const int64_t tokens = batches.num_tokens(0), labels = rows_of(batches.read(0)).size(0);
  const TensorBatches single(options.data + "/batches.safetensors", 1);
  Motor exact = probe_model(options, at::kCPU, Precision::fp32);
  const MotorBatch first = single.read(0);
  const double error = row_error(model.encode(first.inputs, rows_of(first)).cpu(),
                                 exact.encode(first.inputs, rows_of(first)), 0.5);
  return {{"size", options.size},
          {"tokens_per_batch", tokens},
          {"tokens_per_second", rate * static_cast<double>(tokens)},
          {"embeddings_per_second", rate * static_cast<double>(labels)},
          {"error_to_cpu", json_double(error)},
          {"peak_bytes", peak_bytes(options.device)}};
}

Json probe_encoder(const ProbeOptions& options) {
  const at::NoGradGuard no_grad;
  BertConfig config;
  config.vocab_size = kVocabulary;
  if (options.device.is_cpu()) config.num_hidden_layers = 2;  // a rehearsal
  const BertPrecision precision =
      options.precision == Precision::bf16 ? BertPrecision::bfloat16 : BertPrecision::float32;
  const BertModel model(config, random_weights(config, options.device), precision,
                        Ways(options.kernels));
  const int64_t visits = options.device.is_cpu() ? 8 : kVisits;
  const BertInput input = random_visits(visits, options.device);
  const double rate =
      calls_per_second(options.device, 200, [&] { model.forward(input).hidden_TH.cpu(); });
  const BertModel exact(config, random_weights(config, at::kCPU));
  const double error = row_error(model.forward(random_visits(2, options.device)).hidden_TH.cpu(),
                                 exact.forward(random_visits(2, at::kCPU)).hidden_TH, 0.5);
  return {{"layers", config.num_hidden_layers},
          {"codes_per_visit", kCodes},
          {"visits_per_second", rate * static_cast<double>(visits)},
          {"tokens_per_second", rate * static_cast<double>(visits * kCodes)},
          {"error_to_cpu", json_double(error)},
          {"peak_bytes", peak_bytes(options.device)}};
}

}  // namespace sequela
