#include "sequela/pipeline/evaluation/methods/motor_features.h"

#include <ATen/ATen.h>

#include <charconv>
#include <string>

#include "sequela/core/random.h"
#include "sequela/model/model_dir.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/run/manifest.h"

namespace sequela {
namespace {

constexpr uint64_t kTwinSeed = 0x7717;

// The deviation of fresh embeddings that the bundle's own pretraining began with; 1, as femr's, if
// its manifest does not say.
double embedding_deviation(const std::string& bundle) {
  Fingerprints fingerprints({});
  const std::string text = Manifest(bundle, fingerprints).parameter("pretrain", "embedding-std");
  double deviation = 1;
  std::from_chars(text.data(), text.data() + text.size(), deviation);
  return deviation;
}

Motor open_motor(const EvaluateMethodsOptions& options, MotorWeights weights) {
  const at::Device device = to_device(options.device);
  const Precision precision = options.precision.value_or(embedding_precision(device));
  const Ways ways = choose_ways(device, options.kernels, options.kernel_cache);
  if (weights == MotorWeights::bundle) return open_bundle(options.model, device, precision, ways);
  const ModelConfig config = read_model_dir(options.model).config;
  Motor motor(config, hash_key(options.seed, kTwinSeed), device, precision, ways);
  scale_embeddings(embedding_deviation(options.model), motor);
  return motor;
}

}  // namespace

DenseFeatures motor_features(const EvaluateMethodsOptions& options,
                             const EvaluationRecords& records, std::span<const Label> labels,
                             MotorWeights weights) {
  Motor motor = open_motor(options, weights);
  const auto num = static_cast<int64_t>(labels.size());
  DenseFeatures features;
  features.matrix = {num, motor.config().encoder.hidden_size * num_parts(options.read_out), {}};
  features.matrix.values.resize(num * features.matrix.num_columns);
  std::vector<int64_t> seconds(labels.size());
  std::vector<LabelState> states(labels.size(), LabelState::unknown_subject);
  embed(motor, records.store(), records.tokenizer(), records.age_stats(), labels,
        {.read_out = options.read_out, .tokens_per_batch = options.tokens_per_batch},
        features.matrix.values.data(), seconds.data(), states.data());
  for (const LabelState state : states) features.is_known.push_back(state == LabelState::embedded);
  return features;
}

}  // namespace sequela
