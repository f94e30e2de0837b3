#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sequela/encoders/bert/bert_config.h"
#include "sequela/encoders/bert/bert_input.h"
#include "sequela/encoders/progression/named_tensors.h"
#include "sequela/tokenizer/sequence/cehr_batch.h"
#include "sequela/tokenizer/sequence/cehr_tokens.h"
#include "sequela/train/trainable.h"

namespace sequela {

// What an encoder of this kind sees of a batch. CEHR-BERT: all, positions as pack_bert_batch gives
// them, cut to the table. BERT: the codes alone, counted from 0.
BertInput to_bert_input(const BertConfig& config, const CehrBatch& batch);

struct MlmTrainingOptions {
  int64_t max_length = 512;     // tokens of a sequence, [CLS] counted
  int64_t batch_tokens = 4096;  // at the most
  MaskOptions mask;
  uint64_t seed = 42;  // of which sequences share a batch
  Precision precision = Precision::fp32;
  at::Device device = at::kCPU;

  void validate() const;  // ConfigError
};

// Masked language modelling with BERT and CEHR-BERT in the training loop of all models
// (train/trainer.h). A batch is sequences in a row, without padding. The same sequences share a
// batch in every epoch. Each (pass, person) draws anew what to cut from a long sequence and what to
// mask; each (pass, batch) draws its dropout.
//
// The loss is mlm_loss (bert_heads.h) with the batch's tokens as the places of the value loss. A
// batch with nothing to predict has loss 0.
class MlmTraining : public Trainable {
 public:
  // Copies the weights (all of a model's, as random_bert_weights makes them); refers to the rest
  // (train or validation nullptr: no batches). The pooler is no part of the loss and stays as it
  // is.
  MlmTraining(const BertConfig& config, const NamedTensors& weights, const CehrTokenizer& tokenizer,
              const CehrTokens* train, const CehrTokens* validation,
              const MlmTrainingOptions& options);

  Parameters& parameters() override { return trained_; }
  int64_t num_batches(TrainPart part) const override;
  std::unique_ptr<BatchPass> start_pass(PassPlan plan) override;
  std::string config_json() const override { return config_.to_json(); }
  Precision precision() const override { return options_.precision; }
  double flops_per_token() const override;

  // All weights of a model's folder.
  const NamedTensors& weights() const { return weights_; }

 private:
  class Pass;
  struct Part {
    const CehrTokens* tokens = nullptr;
    std::vector<std::vector<int64_t>> batches;  // sequences of each
  };

  const Part& part(TrainPart part) const { return part == TrainPart::train ? train_ : validation_; }

  BertConfig config_;
  MlmTrainingOptions options_;
  const CehrTokenizer& tokenizer_;
  Part train_, validation_;
  Parameters trained_;
  NamedTensors weights_;  // leaves that share values and gradients with `trained_`, and the fixed
};

}  // namespace sequela
