#include "sequela/pipeline/evaluation/methods/encoder_features.h"

#include <ATen/core/grad_mode.h>

#include <memory>

#include "sequela/core/error.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/pipeline/encode_rows.h"
#include "sequela/pipeline/encode_tokens.h"
#include "sequela/tokenizer/sequence/vocabulary_mapper.h"

namespace sequela {
namespace {

// The visits of each label's history; a "patient" is a label.
EncodeInput label_visits(const EvaluationRecords& records, std::span<const Label> labels,
                         int64_t max_codes) {
  EncodeInput input;
  input.level = EncodeLevel::patients;
  input.has_subject_ids = input.has_times = true;
  VisitOptions visits;
  visits.max_visits = kMaxEncodedVisits;
  visits.max_codes = max_codes;
  VisitGrouper grouper(records.store(), visits);
  for (const Label& label : labels) {
    Subject history = records.history(label).value_or(Subject{});
    history.id = label.subject_id;
    grouper.append(history, &input.visits);
  }
  for (const std::string& code : records.store().codes()) input.code_texts.add(code);
  return input;
}

}  // namespace

DenseFeatures encoder_features(const EvaluateMethodsOptions& options, const std::string& folder,
                               const EvaluationRecords& records, std::span<const Label> labels) {
  const at::NoGradGuard no_gradients;
  BertFolder opened = open_bert_folder(folder);
  const std::optional<CodeVocabulary> vocabulary = CodeVocabulary::find(folder);
  if (!vocabulary) {
    throw FileError(folder, "has no vocabulary of codes",
                    "give an encoder over codes, with its tokenizer.json, vocab.json or vocab.txt");
  }
  check_vocabulary_fits(opened, vocabulary->size());
  VocabularyMapper mapper(*vocabulary, {}, std::make_shared<Ontology>(records.ontology()));
  const EncodeTokens tokens = build_encode_tokens(
      label_visits(records, labels, opened.config.max_position_embeddings), &mapper);
  const VisitEncoder encoder(
      BertModel(opened.config, opened.weights, BertPrecision::float32,
                choose_ways(at::kCPU, options.kernels, options.kernel_cache)),
      {.max_tokens_per_pass = 2'048});
  const auto num = static_cast<int64_t>(labels.size());
  DenseFeatures features{.matrix = {num, opened.config.hidden_size, {}}, .is_known = {}};
  features.matrix.values.resize(num * features.matrix.num_columns);
  encode_rows(tokens, encoder, Pooling::mean, features.matrix.values.data());
  for (const int64_t codes : tokens.table.num_codes) features.is_known.push_back(codes > 0);
  return features;
}

}  // namespace sequela
