#include "sequela/train/motor_training.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/model/encoder_config.h"
#include "sequela/train/motor_feed.h"
#include "sequela/train/parameter_kinds.h"

namespace sequela {
namespace {

at::Device device_of(Motor& model) {
  return model.parameters().items[0].value.device();
}

// What the mean loss is divided by.
double num_cells(const Motor& model, int64_t num_labels) {
  const MotorHeadConfig& head = *model.config().motor;
  return static_cast<double>(num_labels) * static_cast<double>(head.num_bins()) *
         static_cast<double>(head.num_tasks());
}

// Of a batch's labels.
double share_of(const MotorFeed::Part& part, const MotorFeed::Fed& fed) {
  return static_cast<double>(part.num_labels) /
         static_cast<double>(std::max<int64_t>(1, fed.num_labels));
}

class MotorPass : public BatchPass {
 public:
  MotorPass(Motor& model, const MotorBatches& source, PassPlan plan, int64_t num_parts,
            int64_t& parts_of_batch)
      : model_(model),
        loss_scale_(plan.loss_scale),
        parts_of_batch_(parts_of_batch),
        feed_(source, std::move(plan.batches), *model.config().motor, device_of(model), num_parts) {
  }

  std::optional<BatchLoss> next(std::optional<double> gradient_scale) override {
    const std::optional<MotorFeed::Fed> fed = feed_.next();
    if (!fed) return std::nullopt;
    parts_of_batch_ = static_cast<int64_t>(fed->parts.size());
    if (gradient_scale && loss_scale_ == LossScale::events) {
      *gradient_scale *= num_cells(model_, fed->num_labels);
    }
    const BatchLoss loss{loss_of(*fed, gradient_scale), fed->num_tokens, fed->num_events};
    feed_.read_ahead();
    return loss;
  }

 private:
  // Of the whole batch: that of its parts, by their labels.
  at::Tensor loss_of(const MotorFeed::Fed& fed, std::optional<double> gradient_scale) {
    if (fed.parts.size() == 1) return model_.loss(fed.parts[0].batch, gradient_scale);
    at::Tensor sum;
    for (const MotorFeed::Part& part : fed.parts) {
      const double share = share_of(part, fed);
      std::optional<double> own_scale;
      if (gradient_scale) own_scale = *gradient_scale * share;
      const at::Tensor loss = model_.loss(part.batch, own_scale) * share;
      sum = sum.defined() ? sum + loss : loss;
    }
    return sum;
  }

  Motor& model_;
  const LossScale loss_scale_;
  int64_t& parts_of_batch_;
  MotorFeed feed_;
};

// A pass through the validation batches that the yardsticks see. Their tasks lie side by side.
class WatchedPass : public BatchPass {
 public:
  WatchedPass(Motor& model, const MotorBatches& source, std::vector<int64_t> batches,
              const std::vector<ValidationYardstick*>& yardsticks, int64_t num_parts,
              int64_t& parts_of_batch)
      : model_(model),
        yardsticks_(yardsticks),
        parts_of_batch_(parts_of_batch),
        feed_(source, std::move(batches), *model.config().motor, device_of(model), num_parts) {
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
    const std::optional<MotorFeed::Fed> fed = feed_.next();
    if (!fed) return std::nullopt;
    parts_of_batch_ = static_cast<int64_t>(fed->parts.size());
    at::Tensor loss;
    for (const MotorFeed::Part& part : fed->parts) {
      const Motor::Evaluation evaluation = model_.evaluate(part.batch, tasks_S_);
      if (&part == &fed->parts.back()) feed_.read_ahead();
      show(part.on_host, evaluation);
      const at::Tensor own =
          fed->parts.size() == 1 ? evaluation.loss : evaluation.loss * share_of(part, *fed);
      loss = loss.defined() ? loss + own : own;
    }
    return BatchLoss{loss, fed->num_tokens, fed->num_events};
  }

 private:
  void show(const MotorBatch& batch, const Motor::Evaluation& evaluation) {
    const at::Tensor cost_C = evaluation.cost_C.cpu();
    at::Tensor rates_LKS;
    if (tasks_S_.defined()) rates_LKS = evaluation.log2_rates_LKS.cpu();
    int64_t first = 0;
    for (size_t i = 0; i < yardsticks_.size(); ++i) {
      at::Tensor own_LKS;
      if (num_tasks_[i] > 0) own_LKS = rates_LKS.narrow(2, first, num_tasks_[i]);
      yardsticks_[i]->add(batch, cost_C, own_LKS);
      first += num_tasks_[i];
    }
  }

  Motor& model_;
  const std::vector<ValidationYardstick*>& yardsticks_;
  int64_t& parts_of_batch_;
  std::vector<int64_t> num_tasks_;
  at::Tensor tasks_S_;
  MotorFeed feed_;
};

}  // namespace

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

MotorTraining::MotorTraining(Motor& model, const MotorBatches* train_batches,
                             const MotorBatches* valid_batches,
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
  return batches(part) == nullptr ? 0 : batches(part)->num_batches();
}

std::unique_ptr<BatchPass> MotorTraining::start_pass(PassPlan plan) {
  if (plan.part == TrainPart::validation && !yardsticks_.empty()) {
    return std::make_unique<WatchedPass>(model_, *batches(plan.part), std::move(plan.batches),
                                         yardsticks_, num_parts_, parts_of_batch_);
  }
  return std::make_unique<MotorPass>(model_, *batches(plan.part), std::move(plan), num_parts_,
                                     parts_of_batch_);
}

void MotorTraining::set_tokens_per_pass(int64_t tokens) {
  int64_t most = 1;
  for (const MotorBatches* source : {train_batches_, valid_batches_}) {
    if (source == nullptr) continue;
    for (int64_t i = 0; i < source->num_batches(); ++i)
      most = std::max(most, source->num_tokens(i));
  }
  num_parts_ = parts_of_batch_ = (most + tokens - 1) / tokens;
}

// By halves as far as the sequences allow it, then without kept activations.
std::string MotorTraining::take_less_memory() {
  model_.release_memory();
  if (parts_of_batch_ == num_parts_) {
    num_parts_ *= 2;
    return str("from now on each batch is computed in ", num_parts_,
               " parts, with the same result");
  }
  if (model_.activations() == Activations::recomputed) return "";
  model_.set_activations(Activations::recomputed);
  return "from now on activations are not kept but computed once more, as --gradient-checkpointing "
         "does, with the same result";
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
