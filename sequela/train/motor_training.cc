#include "sequela/train/motor_training.h"

#include <ATen/ATen.h>

#include "sequela/batch/filler.h"
#include "sequela/core/error.h"
#include "sequela/model/encoder_config.h"

namespace sequela {
namespace {

class MotorPass : public BatchPass {
 public:
  MotorPass(Motor& model, const BatchFolder& folder, PassPlan plan)
      : model_(model), loss_scale_(plan.loss_scale), loader_(folder, std::move(plan.batches)) {}

  std::optional<BatchLoss> next(std::optional<double> gradient_scale) override {
    if (!loader_.next(batch_)) return std::nullopt;
    if (gradient_scale && loss_scale_ == LossScale::events) *gradient_scale *= num_cells();
    const int64_t tokens = batch_.inputs.ages_days_T.size(0);
    fill_up(batch_.inputs);
    return BatchLoss{model_.loss(batch_, gradient_scale), tokens,
                     batch_.targets.event_seconds_Z.size(0)};
  }

 private:
  // What the mean loss is divided by.
  double num_cells() const {
    const MotorHeadConfig& head = *model_.config().motor;
    return static_cast<double>(batch_.inputs.label_indices_L.size(0)) *
           static_cast<double>(head.num_bins()) * static_cast<double>(head.num_tasks());
  }

  Motor& model_;
  const LossScale loss_scale_;
  BatchLoader loader_;
  MotorBatch batch_;
};

// A pass through the validation batches that the yardsticks see. Their tasks lie side by side.
class WatchedPass : public BatchPass {
 public:
  WatchedPass(Motor& model, const BatchFolder& folder, std::vector<int64_t> batches,
              const std::vector<ValidationYardstick*>& yardsticks)
      : model_(model), yardsticks_(yardsticks), loader_(folder, std::move(batches)) {
    std::vector<at::Tensor> tasks;
    for (ValidationYardstick* yardstick : yardsticks_) {
      yardstick->start();
      const at::Tensor own = yardstick->tasks();
      num_tasks_.push_back(own.defined() ? own.size(0) : 0);
      if (num_tasks_.back() > 0) tasks.push_back(own);
    }
    if (!tasks.empty()) tasks_S_ = at::cat(tasks);
  }

  std::optional<BatchLoss> next(std::optional<double> gradient_scale) override {
    SEQUELA_CHECK(!gradient_scale);
    if (!loader_.next(batch_)) return std::nullopt;
    const int64_t tokens = batch_.inputs.ages_days_T.size(0);
    fill_up(batch_.inputs);
    const Motor::Evaluation evaluation = model_.evaluate(batch_, tasks_S_);
    const at::Tensor cost_C = evaluation.cost_C.cpu();
    at::Tensor rates_LKS;
    if (tasks_S_.defined()) rates_LKS = evaluation.log2_rates_LKS.cpu();
    int64_t first = 0;
    for (size_t i = 0; i < yardsticks_.size(); ++i) {
      at::Tensor own_LKS;
      if (num_tasks_[i] > 0) own_LKS = rates_LKS.narrow(2, first, num_tasks_[i]);
      yardsticks_[i]->add(batch_, cost_C, own_LKS);
      first += num_tasks_[i];
    }
    return BatchLoss{evaluation.loss, tokens, batch_.targets.event_seconds_Z.size(0)};
  }

 private:
  Motor& model_;
  const std::vector<ValidationYardstick*>& yardsticks_;
  std::vector<int64_t> num_tasks_;
  at::Tensor tasks_S_;
  BatchLoader loader_;
  MotorBatch batch_;
};

// "transformer.layers.7.input_proj.weight" -> 7.
int64_t layer_of(const std::string& name) {
  const std::string prefix = "transformer.layers.";
  return std::stoll(name.substr(prefix.size()));
}

// The mixer's and the feed-forward part's shares of a layer's two products (parameter_layout.cc).
void add_projection(const EncoderConfig& encoder, const Parameter& parameter, size_t index,
                    std::vector<ParameterPart>& parts) {
  const bool is_input = parameter.name.find("input_proj") != std::string::npos;
  const bool is_hawk = encoder.is_hawk_layer(layer_of(parameter.name));
  const bool is_matrix = parameter.value.dim() == 2;
  if ((is_input && is_hawk) || (!is_input && !is_matrix)) {
    parts.push_back({"feed_forward", index, 0, 0, parameter.value.size(0)});
    return;
  }
  // input_proj gives [ff | q | k | v]; output_proj takes [mixer | ff].
  const int64_t dimension = is_input ? 0 : 1;
  const int64_t first = is_input ? encoder.ff_columns() : encoder.hidden_size;
  const int64_t second = parameter.value.size(dimension) - first;
  const std::string mixer = is_hawk ? "hawk" : "attention";
  parts.push_back({is_input ? "feed_forward" : mixer, index, dimension, 0, first});
  parts.push_back({is_input ? mixer : "feed_forward", index, dimension, first, second});
}

}  // namespace

MotorTraining::MotorTraining(Motor& model, const BatchFolder* train_batches,
                             const BatchFolder* valid_batches,
                             std::vector<ValidationYardstick*> yardsticks)
    : model_(model),
      train_batches_(train_batches),
      valid_batches_(valid_batches),
      yardsticks_(std::move(yardsticks)) {}

std::vector<ParameterPart> MotorTraining::parts() const {
  std::vector<ParameterPart> parts;
  const std::vector<Parameter>& items = model_.parameters().items;
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string& name = items[i].name;
    const auto has = [&](const char* text) { return name.find(text) != std::string::npos; };
    const auto add = [&](const char* kind) {
      parts.push_back({kind, i, 0, 0, items[i].value.size(0)});
    };
    if (name.ends_with("norm.weight")) {
      add("norms");
    } else if (has("transformer.embed")) {
      add("embedding");
    } else if (has("hawk_module")) {
      add("hawk");
    } else if (has("task_model")) {
      add("head");
    } else {
      add_projection(model_.config().encoder, items[i], i, parts);
    }
  }
  return parts;
}

Figures MotorTraining::validation_figures() {
  Figures figures;
  if (num_batches(TrainPart::validation) == 0) return figures;
  for (ValidationYardstick* yardstick : yardsticks_) {
    const Figures own = yardstick->finish();
    figures.insert(figures.end(), own.begin(), own.end());
  }
  return figures;
}

int64_t MotorTraining::num_batches(TrainPart part) const {
  return folder(part) == nullptr ? 0 : folder(part)->num_batches();
}

std::unique_ptr<BatchPass> MotorTraining::start_pass(PassPlan plan) {
  if (plan.part == TrainPart::validation && !yardsticks_.empty()) {
    return std::make_unique<WatchedPass>(model_, *folder(plan.part), std::move(plan.batches),
                                         yardsticks_);
  }
  return std::make_unique<MotorPass>(model_, *folder(plan.part), std::move(plan));
}

std::string MotorTraining::config_json() const {
  return to_config_json(model_.config());
}

Parameters MotorTraining::dump_batch(int64_t batch_index) const {
  const MotorBatch batch = train_batches_->read(batch_index);
  const BatchInputs& inputs = batch.inputs;
  Parameters dump;
  for (const auto& [name, tensor] : {std::pair{"lengths", inputs.lengths_S},
                                     {"token_ids", inputs.token_ids_N},
                                     {"token_weights", inputs.token_weights_N},
                                     {"token_offsets", inputs.token_offsets_T1},
                                     {"ages_days", inputs.ages_days_T},
                                     {"time_data", inputs.time_data_T5},
                                     {"label_indices", inputs.label_indices_L},
                                     {"censor_seconds", batch.targets.censor_seconds_L},
                                     {"event_seconds", batch.targets.event_seconds_Z}}) {
    dump.items.push_back({name, tensor.to(at::kFloat), {}, false});
  }
  return dump;
}

}  // namespace sequela
