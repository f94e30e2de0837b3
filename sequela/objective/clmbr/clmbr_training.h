#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sequela/batch/folder.h"
#include "sequela/objective/clmbr/clmbr_task.h"
#include "sequela/objective/clmbr/next_code_head.h"
#include "sequela/train/trainable.h"

namespace sequela {

// CLMBR's next-code pretraining in the training loop of all models (train/trainer.h). A batch's
// loss is the mean cross entropy of its labels. Figures of an evaluation, over all validation
// labels, each weighing the same:
//
//   eval/perplexity    exp of the mean cross entropy
//   eval/top1, top10   share of the labels whose code is the most likely one, or among ten
//   eval/gain          nats per label below the codes' own frequencies on the train side (a code
//                      that was never seen counts half a time)
//   eval/unigram_loss  cross entropy of those frequencies
//
// The last two only if the task has counts.
class ClmbrTraining : public Trainable {
 public:
  // Refers to model and batches; a part without a folder (nullptr) has no batches.
  ClmbrTraining(Motor& model, const BatchFolder* train_batches, const BatchFolder* validation,
                const ClmbrTask& task);

  Parameters& parameters() override { return model_.parameters(); }
  void refresh_weights() override { model_.refresh_weights(); }
  std::vector<ParameterPart> parts() const override;
  Figures validation_figures() override;
  int64_t num_batches(TrainPart part) const override;
  int64_t num_tokens(int64_t batch) const override { return train_batches_->num_tokens(batch); }
  bool has_events() const override { return true; }  // the labels
  std::unique_ptr<BatchPass> start_pass(PassPlan plan) override;
  std::string config_json() const override;
  Precision precision() const override { return model_.precision(); }
  double flops_per_token() const override;
  Parameters dump_batch(int64_t batch) const override;

 private:
  class Pass;
  struct Sums {
    double cost = 0, unigram_cost = 0;
    int64_t num_labels = 0, num_first = 0, num_in_ten = 0;
  };

  const BatchFolder* folder(TrainPart part) const {
    return part == TrainPart::train ? train_batches_ : validation_batches_;
  }

  Motor& model_;
  const BatchFolder* const train_batches_;
  const BatchFolder* const validation_batches_;
  const std::vector<double> unigram_costs_;  // by code; empty = not known
  NextCodeHead head_;
  Sums sums_;  // of the last pass through the validation batches
};

}  // namespace sequela
