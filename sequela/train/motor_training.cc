#include "sequela/train/motor_training.h"

#include <ATen/ATen.h>

#include "sequela/batch/filler.h"
#include "sequela/core/error.h"
#include "sequela/model/classifier.h"
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

// The parts of a model's parameters, one for each linear map (parameter_layout.cc).
class Parts {
 public:
  Parts(const ModelConfig& config, const Parameters& parameters)
      : config_(config), parameters_(parameters) {}

  std::vector<ParameterPart> build() {
    for (index_ = 0; index_ < parameters_.items.size(); ++index_) add_parameter();
    return std::move(parts_);
  }

 private:
  void add_parameter() {
    const int64_t rows = value().size(0);
    if (has("norm.weight")) {
      add("norms", 0, 0, rows, false);
    } else if (has("transformer.embed")) {
      add("embedding", 0, 0, rows, false);
    } else if (has("hawk_module")) {
      add("hawk", 0, 0, rows, is_flat() && has("linear_"));
    } else if (name().starts_with(Classifier::kPrefix)) {
      add("head", 0, 0, rows, false);
    } else if (has(".lora_")) {
      add("low_rank", 0, 0, rows, false);
    } else if (has("final_layer") && config_.motor) {
      add_rows("head", 0, config_.motor->final_layer_size);
    } else if (has("task_model")) {
      add("head", 0, 0, rows, is_flat());
    } else {
      add_projection();
    }
  }

  // input_proj gives [ff | q | k | v], ff twice with a gate; output_proj takes [mixer | ff].
  void add_projection() {
    const EncoderConfig& encoder = config_.encoder;
    const int64_t hidden = encoder.hidden_size;
    if (has("input_proj")) {
      add_rows("feed_forward", 0, encoder.intermediate_size, encoder.ff_columns());
      add_rows("attention", encoder.ff_columns(), hidden);
    } else if (is_flat()) {
      const bool is_hawk = encoder.is_hawk_layer(layer_of(name()));
      add(is_hawk ? "hawk" : "attention", 1, 0, hidden, true);
      add("feed_forward", 1, hidden, value().size(1) - hidden, true);
    } else {
      add("feed_forward", 0, 0, value().size(0), false);
    }
  }

  // Rows from `start` to `end`, or the last one, as maps of `length` rows each.
  void add_rows(const char* kind, int64_t start, int64_t length,
                std::optional<int64_t> end = std::nullopt) {
    for (; start < end.value_or(value().size(0)); start += length)
      add(kind, 0, start, length, is_flat());
  }

  void add(const char* kind, int64_t dimension, int64_t start, int64_t length, bool is_matrix) {
    parts_.push_back({kind, index_, dimension, start, length, is_matrix});
  }

  const std::string& name() const { return parameters_.items[index_].name; }
  const at::Tensor& value() const { return parameters_.items[index_].value; }
  bool has(const char* text) const { return name().find(text) != std::string::npos; }
  bool is_flat() const { return value().dim() == 2; }

  const ModelConfig& config_;
  const Parameters& parameters_;
  std::vector<ParameterPart> parts_;
  size_t index_ = 0;
};

}  // namespace

std::vector<ParameterPart> kinds_of(const ModelConfig& config, const Parameters& parameters) {
  return Parts(config, parameters).build();
}

Parameters dump_inputs(const BatchInputs& inputs) {
  Parameters dump;
  for (const auto& [name, tensor] : {std::pair{"lengths", inputs.lengths_S},
                                     {"token_ids", inputs.token_ids_N},
                                     {"token_weights", inputs.token_weights_N},
                                     {"token_offsets", inputs.token_offsets_T1},
                                     {"ages_days", inputs.ages_days_T},
                                     {"time_data", inputs.time_data_T5},
                                     {"label_indices", inputs.label_indices_L}}) {
    if (tensor.defined()) dump.items.push_back({name, tensor.to(at::kFloat), {}, false});
  }
  return dump;
}

MotorTraining::MotorTraining(Motor& model, const BatchFolder* train_batches,
                             const BatchFolder* valid_batches,
                             std::vector<ValidationYardstick*> yardsticks)
    : model_(model),
      train_batches_(train_batches),
      valid_batches_(valid_batches),
      yardsticks_(std::move(yardsticks)) {}

std::vector<ParameterPart> MotorTraining::parts() const {
  return kinds_of(model_.config(), model_.parameters());
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
  Parameters dump = dump_inputs(batch.inputs);
  dump.items.push_back({"censor_seconds", batch.targets.censor_seconds_L.to(at::kFloat)});
  dump.items.push_back({"event_seconds", batch.targets.event_seconds_Z.to(at::kFloat)});
  return dump;
}

}  // namespace sequela
