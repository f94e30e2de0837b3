#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sequela/encoders/bert/bert_config.h"
#include "sequela/objective/mlm/mlm_data.h"
#include "sequela/objective/mlm/mlm_training.h"
#include "sequela/objective/record_objective.h"

namespace sequela {

// Defaults of the model: the cehrbert package's runner; of the optimizer: BERT's
// (arXiv:1810.04805).
struct MlmOptions {
  MlmOptions();

  ZoneRule zone_rule = ZoneRule::utc;  // of times that have a zone
  // Kind and sizes. vocab_size is taken from the data, max_position_embeddings from `mlm`,
  // include_value_prediction from `data`.
  BertConfig encoder;
  MlmDataOptions data;
  MlmTrainingOptions mlm;  // its seed, precision and device are the run's

  void validate() const;  // ConfigError
};

// Masked codes, with an encoder of the BERT family.
class MlmLearner : public RecordLearner {
 public:
  explicit MlmLearner(MlmOptions options = {}) : options_(std::move(options)) {}

  std::vector<RecordOption> options() override;
  const char* group() const override { return "Masked language modelling (--objective mlm)"; }
  std::vector<RecordOption> shared_options() override;
  void set_defaults(TrainOptions& train) const override;
  void validate() const override { options_.validate(); }
  ZoneRule zone_rule() const override { return options_.zone_rule; }
  std::vector<std::string> text_properties() const override;
  Json parameters() const override;
  std::unique_ptr<RecordTraining> read(const EventStore& store) const override;

 private:
  MlmOptions options_;
};

class MlmObjective : public RecordObjective {
 public:
  static constexpr const char* kName = "mlm";
  const char* name() const override { return kName; }
  const char* about() const override { return "masked codes, BERT family, from --meds"; }
  std::unique_ptr<RecordLearner> learner() const override { return std::make_unique<MlmLearner>(); }
};

}  // namespace sequela
