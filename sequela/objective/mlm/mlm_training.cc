#include "sequela/objective/mlm/mlm_training.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/encoders/bert/bert_heads.h"
#include "sequela/encoders/bert/bert_model.h"
#include "sequela/encoders/bert/bert_weights.h"

namespace sequela {
namespace {

template <class T>
at::Tensor to_tensor(const std::vector<T>& values, at::ScalarType from, at::ScalarType to) {
  const auto size = static_cast<int64_t>(values.size());
  return at::from_blob(const_cast<T*>(values.data()), {size}, from).to(to, false, /*copy=*/true);
}

at::Tensor lengths_of(const CehrBatch& batch) {
  at::Tensor lengths_S = at::empty({batch.num_sequences()}, at::kLong);
  auto* lengths = lengths_S.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < batch.num_sequences(); ++i) lengths[i] = batch.length(i);
  return lengths_S;
}

// Visit orders less the sequence's smallest positive one, within the table.
at::Tensor positions_of(const CehrBatch& batch, int64_t num_positions) {
  at::Tensor positions_T = at::empty({static_cast<int64_t>(batch.ids.size())}, at::kLong);
  auto* positions = positions_T.mutable_data_ptr<int64_t>();
  for (int64_t s = 0; s < batch.num_sequences(); ++s) {
    int64_t first = 0;
    for (int64_t i = batch.offsets[s]; i < batch.offsets[s + 1]; ++i) {
      const int64_t order = batch.visit_orders[i];
      if (order > 0 && (first == 0 || order < first)) first = order;
    }
    for (int64_t i = batch.offsets[s]; i < batch.offsets[s + 1]; ++i) {
      positions[i] = std::clamp<int64_t>(batch.visit_orders[i] - first, 0, num_positions - 1);
    }
  }
  return positions_T;
}

int64_t count_predicted(const BertConfig& config, const CehrBatch& batch) {
  int64_t count = 0;
  for (size_t i = 0; i < batch.labels.size(); ++i) {
    if (batch.labels[i] >= 0 && (config.include_value_prediction || batch.value_masks[i] == 0))
      ++count;
  }
  return count;
}

std::vector<std::vector<int64_t>> plan_batches(const CehrTokens* tokens,
                                               const MlmTrainingOptions& options) {
  if (tokens == nullptr) return {};
  std::vector<int64_t> lengths(static_cast<size_t>(tokens->num_sequences()));
  for (size_t i = 0; i < lengths.size(); ++i) lengths[i] = tokens->length(static_cast<int64_t>(i));
  return plan_packed_rows(lengths, options.batch_tokens, options.max_length, options.seed, 0);
}

bool is_trained(const std::string& name) {
  return is_trainable(name) && !name.starts_with("bert.pooler.");
}

}  // namespace

void MlmTrainingOptions::validate() const {
  if (max_length < 3) throw ConfigError("max-length", str(max_length), "3 or more");
  if (batch_tokens < max_length + 2) {
    throw ConfigError("batch-tokens", str(batch_tokens), str("max-length + 2 or more"));
  }
  if (!(mask.probability > 0 && mask.probability < 1)) {
    throw ConfigError("mask-probability", str(mask.probability), "between 0 and 1");
  }
}

BertInput to_bert_input(const BertConfig& config, const CehrBatch& batch) {
  BertInput input;
  input.ids_T = to_tensor(batch.ids, at::kInt, at::kLong);
  input.lengths_S = lengths_of(batch);
  if (config.kind == BertKind::bert) return input;
  input.positions_T = positions_of(batch, config.num_positions());
  input.segments_T = to_tensor(batch.segments, at::kByte, at::kLong);
  input.ages_T = to_tensor(batch.ages, at::kInt, at::kFloat);
  input.dates_T = to_tensor(batch.weeks, at::kInt, at::kFloat);
  input.values_T = to_tensor(batch.values, at::kFloat, at::kFloat);
  input.value_mask_T = to_tensor(batch.value_masks, at::kByte, at::kBool);
  return input;
}

class MlmTraining::Pass : public BatchPass {
 public:
  Pass(const MlmTraining& model, PassPlan plan)
      : model_(model), part_(model.part(plan.part)), plan_(std::move(plan)) {}

  std::optional<BatchLoss> next(std::optional<double> gradient_scale) override {
    if (next_ == plan_.batches.size()) return std::nullopt;
    const int64_t number = plan_.batches[next_++];
    const CehrBatch batch = build(number);
    const auto num_tokens = static_cast<int64_t>(batch.ids.size());
    if (count_predicted(model_.config_, batch) == 0) {
      return BatchLoss{at::zeros({}, at::TensorOptions(at::kFloat).device(device())), num_tokens};
    }
    BertDropout dropout;
    if (gradient_scale) {
      dropout.generator =
          at::detail::createCPUGenerator(hash_key(plan_.key, static_cast<uint64_t>(number)));
    }
    const c10::AutoGradMode grad_mode(gradient_scale.has_value());
    const BertInput input = to_device(to_bert_input(model_.config_, batch), device());
    BertRequest request;
    request.bf16_linear = model_.options_.precision == Precision::bf16;
    const BertOutput encoded =
        bert_forward(model_.config_, model_.weights_, input, request, dropout);
    const at::Tensor labels_T = to_tensor(batch.labels, at::kInt, at::kLong).to(device());
    const at::Tensor loss =
        mlm_loss(model_.config_, model_.weights_, encoded.hidden_TH, input, labels_T).total;
    if (gradient_scale) (loss * *gradient_scale).backward();
    return BatchLoss{loss.detach(), num_tokens};
  }

 private:
  at::Device device() const { return model_.options_.device; }

  CehrBatch build(int64_t number) const {
    CehrBatchOptions options;
    options.max_length = model_.options_.max_length;
    options.truncation = Truncation::random_visit;
    options.seed = plan_.key;
    CehrBatch batch = build_cehr_batch(model_.tokenizer_, *part_.tokens,
                                       part_.batches[static_cast<size_t>(number)], options);
    mask_tokens(model_.tokenizer_, model_.options_.mask, options, &batch);
    return batch;
  }

  const MlmTraining& model_;
  const Part& part_;
  PassPlan plan_;
  size_t next_ = 0;
};

MlmTraining::MlmTraining(const BertConfig& config, const NamedTensors& weights,
                         const CehrTokenizer& tokenizer, const CehrTokens* train,
                         const CehrTokens* validation, const MlmTrainingOptions& options)
    : config_(config),
      options_(options),
      tokenizer_(tokenizer),
      train_{train, plan_batches(train, options)},
      validation_{validation, plan_batches(validation, options)} {
  options.validate();
  std::vector<ParameterShape> shapes;
  for (const auto& [name, tensor] : weights) {
    const bool is_matrix = tensor.dim() > 1 && name.ends_with(".weight");
    if (is_trained(name)) shapes.push_back({name, tensor.sizes().vec(), is_matrix});
  }
  trained_ = Parameters::allocate(shapes, options.device);
  trained_.zero_gradients();
  for (Parameter& item : trained_.items) {
    item.value.copy_(weights.at(item.name));
    at::Tensor leaf = item.value.detach().requires_grad_(true);
    leaf.mutable_grad() = item.gradient;
    weights_[item.name] = leaf;
  }
  for (const auto& [name, tensor] : weights)
    weights_.try_emplace(name, tensor.detach().to(options.device, tensor.scalar_type(), false,
                                                  /*copy=*/true));
}

int64_t MlmTraining::num_batches(TrainPart which) const {
  return static_cast<int64_t>(part(which).batches.size());
}

std::unique_ptr<BatchPass> MlmTraining::start_pass(PassPlan plan) {
  return std::make_unique<Pass>(*this, std::move(plan));
}

double MlmTraining::flops_per_token() const {
  const auto hidden = static_cast<double>(config_.hidden_size);
  const double layer = 4 * hidden * hidden + 2 * hidden * config_.intermediate_size;
  const double decoder = options_.mask.probability * hidden * (hidden + config_.vocab_size);
  return 6 * (layer * static_cast<double>(config_.num_hidden_layers) + decoder);
}

}  // namespace sequela
