#include "sequela/train/motor_training.h"

#include <ATen/ATen.h>

#include "sequela/model/encoder_config.h"

namespace sequela {
namespace {

class MotorPass : public BatchPass {
 public:
  MotorPass(Motor& model, const BatchFolder& folder, std::vector<int64_t> batches)
      : model_(model), loader_(folder, std::move(batches)) {}

  std::optional<BatchLoss> next(std::optional<double> gradient_scale) override {
    if (!loader_.next(batch_)) return std::nullopt;
    return BatchLoss{model_.loss(batch_, gradient_scale), batch_.inputs.ages_days_T.size(0)};
  }

 private:
  Motor& model_;
  BatchLoader loader_;
  MotorBatch batch_;
};

}  // namespace

int64_t MotorTraining::num_batches(TrainPart part) const {
  return folder(part) == nullptr ? 0 : folder(part)->num_batches();
}

std::unique_ptr<BatchPass> MotorTraining::start_pass(PassPlan plan) {
  return std::make_unique<MotorPass>(model_, *folder(plan.part), std::move(plan.batches));
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
