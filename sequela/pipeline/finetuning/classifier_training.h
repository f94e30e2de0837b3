#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sequela/model/classifier.h"
#include "sequela/model/low_rank.h"
#include "sequela/model/motor.h"
#include "sequela/pipeline/finetuning/label_states.h"
#include "sequela/pipeline/record_batches.h"
#include "sequela/train/trainable.h"

namespace sequela {

// What learns: the backbone and the classifier; the classifier with low-rank changes of the
// backbone's projections (low_rank.h); or the classifier alone.
enum class Tuning { all, lora, head };
Tuning to_tuning(const std::string& text);  // ConfigError
const char* to_text(Tuning tuning);

// Binary classification of records at their labels' prediction times, by a linear classifier of the
// backbone's hidden states, in the training loop of all models (train/trainer.h).
//
// A batch's loss is the summed log loss of its labels, in nats, times batches / labels: the mean
// over batches is the mean over labels, however many of them a batch has. Figure of an evaluation:
//
//   eval/auroc   of the validation labels; NaN if one outcome is missing there
class ClassifierTraining : public Trainable {
 public:
  // Refers to all. Labels have the value 0 or 1; those without a history take no part. With
  // Tuning::head the states of all labels are computed here and kept: 4 H bytes a label.
  // `low_rank`, of the same model, is there with Tuning::lora, else nullptr.
  ClassifierTraining(Motor& model, Classifier& classifier, Tuning tuning, LowRank* low_rank,
                     const RecordBatches& train, const RecordBatches& validation);
  ~ClassifierTraining() override;

  int64_t num_labels(TrainPart part) const;
  // The states of the training labels, batch by batch, before training: 4 H bytes a label.
  std::vector<LabelStates> train_states();

  Parameters& parameters() override { return trained_; }
  void refresh_weights() override;
  std::vector<ParameterPart> parts() const override;
  int64_t num_batches(TrainPart part) const override;
  std::unique_ptr<BatchPass> start_pass(PassPlan plan) override;
  Figures validation_figures() override;
  std::string config_json() const override;
  Precision precision() const override { return model_.precision(); }
  double flops_per_token() const override;
  Parameters dump_batch(int64_t batch) const override;

 private:
  class Pass;
  struct Part {
    const RecordBatches& records;
    int64_t num_labels = 0;           // in batches
    std::vector<LabelStates> states;  // of each batch, with Tuning::head
    double weight() const;            // of a label's log loss in its batch's loss
  };
  struct Scored {
    std::vector<double> logits;
    std::vector<uint8_t> outcomes;
  };

  const Part& part(TrainPart which) const {
    return which == TrainPart::train ? train_ : validation_;
  }

  Motor& model_;
  Classifier& classifier_;
  const Tuning tuning_;
  LowRank* const low_rank_;
  Part train_, validation_;
  Parameters trained_;  // shared with the model or the factors, and the classifier
  Scored scored_;       // in the last pass through the validation batches
};

}  // namespace sequela
