#include "sequela/pipeline/finetuning/classifier_training.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "sequela/batch/filler.h"
#include "sequela/core/error.h"
#include "sequela/evaluation/metrics.h"
#include "sequela/pipeline/balanced_labels.h"
#include "sequela/train/motor_training.h"
#include "sequela/train/parameter_kinds.h"

namespace sequela {
namespace {

constexpr const char* kHeadOfPretraining = "task_model.";

int64_t count_embedded(const RecordBatches& records) {
  return std::ranges::count(records.states(), LabelState::embedded);
}

std::vector<LabelStates> states_of(Motor& model, const RecordBatches& records) {
  std::vector<LabelStates> states;
  each_label_states(model, records.batches(), "embed",
                    [&](LabelStates batch) { states.push_back(std::move(batch)); });
  return states;
}

std::vector<uint8_t> outcomes_of(const RecordBatches& records, const std::vector<int64_t>& labels) {
  std::vector<uint8_t> outcomes;
  for (const int64_t label : labels) outcomes.push_back(is_positive(records.labels()[label]));
  return outcomes;
}

// The gradient of all T tokens' states from that of the labels'. Labels of one token, which follow
// each other, add up in their order.
at::Tensor spread(const at::Tensor& grad_LH, const at::Tensor& tokens_L, int64_t num_tokens,
                  at::Device device) {
  std::vector<at::Tensor> rows;
  std::vector<int64_t> tokens;
  const auto* token = tokens_L.const_data_ptr<int32_t>();
  for (int64_t l = 0; l < tokens_L.size(0); ++l) {
    if (!tokens.empty() && tokens.back() == token[l]) {
      rows.back().add_(grad_LH[l]);
      continue;
    }
    tokens.push_back(token[l]);
    rows.push_back(grad_LH[l]);
  }
  at::Tensor grad_TH = at::zeros({num_tokens, grad_LH.size(1)}, at::device(device));
  return grad_TH.index_copy_(0, at::tensor(tokens, at::kLong).to(device),
                             at::stack(rows).to(device));
}

}  // namespace

Tuning to_tuning(const std::string& text) {
  for (const Tuning tuning : {Tuning::all, Tuning::lora, Tuning::head}) {
    if (text == to_text(tuning)) return tuning;
  }
  throw ConfigError("tune", text, "all, lora or head");
}

const char* to_text(Tuning tuning) {
  if (tuning == Tuning::head) return "head";
  return tuning == Tuning::all ? "all" : "lora";
}

class ClassifierTraining::Pass : public BatchPass {
 public:
  Pass(ClassifierTraining& training, PassPlan plan)
      : training_(training), part_(training.part(plan.part)), plan_(std::move(plan)) {
    if (part_.states.empty()) reader_.emplace(part_.records.batches(), plan_.batches);
    if (plan_.part == TrainPart::validation) training_.scored_ = {};
  }

  std::optional<BatchLoss> next(std::optional<double> gradient_scale) override {
    if (position_ == plan_.batches.size()) return std::nullopt;
    const int64_t number = plan_.batches[position_++];
    if (!reader_) {
      return loss(part_.states[number], gradient_scale).first;
    }
    LabelBatches::Batch batch = *reader_->next();
    Motor& model = training_.model_;
    const at::Tensor tokens_L = batch.inputs.label_indices_L.to(at::kLong);
    LabelStates states{{}, batch.labels, batch.inputs.ages_days_T.size(0)};
    fill_up(batch.inputs);
    if (gradient_scale) {
      states.states_LH = model.forward(batch.inputs).index_select(0, tokens_L.to(device()));
    } else {
      states.states_LH = model.encode(batch.inputs, tokens_L);
    }
    const auto [result, grad_LH] = loss(states, gradient_scale);
    if (gradient_scale) {
      model.add_gradients(spread(grad_LH, batch.inputs.label_indices_L,
                                 batch.inputs.ages_days_T.size(0), device()));
      if (training_.low_rank_ != nullptr) training_.low_rank_->take_gradients();
    }
    return result;
  }

 private:
  // The batch's loss, with the gradient of the labels' states.
  std::pair<BatchLoss, at::Tensor> loss(const LabelStates& batch,
                                        std::optional<double> gradient_scale) {
    const double weight = part_.weight();
    if (gradient_scale) *gradient_scale *= weight;
    const std::vector<uint8_t> outcomes = outcomes_of(part_.records, batch.labels);
    Classifier::Cost cost = training_.classifier_.cost(batch.states_LH, outcomes, gradient_scale);
    if (plan_.part == TrainPart::validation) {
      Scored& scored = training_.scored_;
      scored.logits.insert(scored.logits.end(), cost.logits.begin(), cost.logits.end());
      scored.outcomes.insert(scored.outcomes.end(), outcomes.begin(), outcomes.end());
    }
    return {BatchLoss{at::scalar_tensor(cost.sum * weight, at::kFloat), batch.num_tokens},
            cost.grad_states_LH};
  }

  at::Device device() const { return training_.trained_.items[0].value.device(); }

  ClassifierTraining& training_;
  const Part& part_;
  const PassPlan plan_;
  std::optional<LabelBatchReader> reader_;  // none where the states are kept
  size_t position_ = 0;
};

double ClassifierTraining::Part::weight() const {
  return static_cast<double>(records.batches().num_batches()) / static_cast<double>(num_labels);
}

ClassifierTraining::ClassifierTraining(Motor& model, Classifier& classifier, Tuning tuning,
                                       LowRank* low_rank, const RecordBatches& train,
                                       const RecordBatches& validation)
    : model_(model),
      classifier_(classifier),
      tuning_(tuning),
      low_rank_(low_rank),
      train_{train, count_embedded(train), {}},
      validation_{validation, count_embedded(validation), {}} {
  classifier.parameters().zero_gradients();
  trained_.items = classifier.parameters().items;
  if (tuning == Tuning::head) {
    for (Part* part : {&train_, &validation_}) part->states = states_of(model, part->records);
    return;
  }
  SEQUELA_CHECK((tuning == Tuning::lora) == (low_rank != nullptr));
  if (low_rank != nullptr) {
    const std::vector<Parameter>& factors = low_rank->factors().items;
    trained_.items.insert(trained_.items.end(), factors.begin(), factors.end());
    return;
  }
  model.parameters().zero_gradients();
  for (const Parameter& item : model.parameters().items) {
    if (!item.name.starts_with(kHeadOfPretraining)) trained_.items.push_back(item);
  }
}

ClassifierTraining::~ClassifierTraining() = default;

int64_t ClassifierTraining::num_labels(TrainPart which) const {
  return part(which).num_labels;
}

std::vector<LabelStates> ClassifierTraining::train_states() {
  return train_.states.empty() ? states_of(model_, train_.records) : train_.states;
}

void ClassifierTraining::refresh_weights() {
  if (low_rank_ != nullptr) low_rank_->merge();
  if (tuning_ != Tuning::head) model_.refresh_weights();
}

std::vector<ParameterPart> ClassifierTraining::parts() const {
  return kinds_of(model_.config(), trained_);
}

int64_t ClassifierTraining::num_batches(TrainPart which) const {
  return part(which).records.batches().num_batches();
}

std::unique_ptr<BatchPass> ClassifierTraining::start_pass(PassPlan plan) {
  return std::make_unique<Pass>(*this, std::move(plan));
}

Figures ClassifierTraining::validation_figures() {
  if (num_batches(TrainPart::validation) == 0) return {};
  return {{"eval/auroc", ScoredOutcomes(scored_.logits, scored_.outcomes).auroc(), "AUROC"}};
}

std::string ClassifierTraining::config_json() const {
  return to_config_json(model_.config());
}

double ClassifierTraining::flops_per_token() const {
  return tuning_ == Tuning::head ? 0 : model_.flops_per_token();
}

Parameters ClassifierTraining::dump_batch(int64_t batch) const {
  return dump_inputs(train_.records.batches().read(batch).inputs);
}

}  // namespace sequela
