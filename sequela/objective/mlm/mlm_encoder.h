#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sequela/objective/mlm/mlm_objective.h"

namespace sequela {

// An encoder of the BERT family over a data set's sequences. Its folder, which transformers or the
// cehrbert package load: config.json, model.safetensors, tokenizer.json, and
//
//   cehr_bert  cehrbert_lab_stats.json, concept_name_mapping.json
//   bert       vocab.json, vocab.txt
class MlmEncoder : public RecordTraining {
 public:
  MlmEncoder(MlmData data, MlmOptions options);

  const RecordData& data() const override { return facts_; }
  Trainable& start(const RecordTrainingRun& run) override;
  std::vector<std::string> write(const std::string& folder) const override;

 private:
  const MlmOptions options_;
  const MlmData data_;
  const BertConfig config_;
  RecordData facts_;
  std::optional<MlmTraining> training_;
};

}  // namespace sequela
