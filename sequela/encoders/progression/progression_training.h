#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sequela/encoders/progression/named_tensors.h"
#include "sequela/encoders/progression/progression_config.h"
#include "sequela/encoders/progression/visit_batch.h"
#include "sequela/tokenizer/sequence/visits.h"
#include "sequela/train/trainable.h"

namespace sequela {

inline constexpr int64_t kNoStage = -100;  // a visit without a label

// Patients with stages to learn. `visits.codes` are ids of the model's vocabulary; 0 is left out.
struct ProgressionData {
  PatientVisits visits;
  std::vector<int64_t> stages;  // [V] of each visit, or kNoStage

  int64_t num_patients() const { return visits.num_patients(); }
};

// The given patients as a padded batch, time features included; at least one visit and one code
// wide, so that a patient without visits has a place (whose output is the heads' bias).
VisitBatch build_visit_batch(const PatientVisits& visits, std::span<const int64_t> patients);

struct ProgressionTrainingOptions {
  int64_t batch_size = 32;  // patients
  bool use_bf16 = false;
  bool use_checkpoint = false;
  std::vector<std::string> frozen;  // parameters whose names hold one of these are not trained
};

// The progression model, trained on stages by cross entropy in the training loop of all models
// (train/trainer.h). The embeddings' own learning rate is a ParameterGroup "code_embeddings".
class ProgressionTraining : public Trainable {
 public:
  // Takes the parameters over, and computes on their device; refers to the data (nullptr: none).
  // ConfigError if `frozen` leaves nothing to train.
  ProgressionTraining(const ProgressionConfig& config, Parameters parameters,
                      const ProgressionData* train_data, const ProgressionData* valid_data,
                      const ProgressionTrainingOptions& options);

  Parameters& parameters() override { return trained_; }
  int64_t num_batches(TrainPart part) const override;
  std::unique_ptr<BatchPass> start_pass(PassPlan plan) override;
  std::string config_json() const override { return config_.to_json(); }

  // All weights, trained and frozen: what a model's folder holds.
  Parameters all_parameters() const;
  const NamedTensors& weights() const { return weights_; }
  const ProgressionConfig& config() const { return config_; }

  // P(stage) after each patient's last visit, float32 [patients, S], on the CPU.
  at::Tensor predict(const PatientVisits& visits) const;

 private:
  class Pass;

  at::Device device() const { return weights_.begin()->second.device(); }
  const ProgressionData* data(TrainPart part) const {
    return part == TrainPart::train ? train_data_ : valid_data_;
  }

  ProgressionConfig config_;
  ProgressionTrainingOptions options_;
  Parameters trained_, frozen_;
  NamedTensors weights_;  // leaves that share values and gradients with `trained_`, and the frozen
  const ProgressionData* train_data_;
  const ProgressionData* valid_data_;
};

}  // namespace sequela
