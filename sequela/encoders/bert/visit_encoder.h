#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/encoders/bert/bert_input.h"
#include "sequela/encoders/bert/bert_model.h"

namespace sequela {

// How the hidden states of a visit's codes become one vector: over unmasked positions only; cls is
// the first of them. A visit without codes gives zeros.
enum class Pooling { mean, cls, max };

Pooling parse_pooling(const std::string& name);  // ConfigError unless mean, cls or max
const char* name_of(Pooling pooling);

struct CodesInContext {
  at::Tensor hidden;                   // float32, [n, H] or [B, n, H]
  std::vector<at::Tensor> attentions;  // per layer float32, [A, n, n] or [B, A, n, n]
};

struct VisitEncoderOptions {
  Pooling pooling = Pooling::mean;
  int64_t max_tokens_per_pass = 2'048;  // bounds memory; a longer visit goes alone
};

// Embeds codes, visits and patients with a BERT-family encoder.
//
//   B = batch, V = visits, C = codes of a visit (padded), H = hidden size, A = attention heads
//
// Ids are integers; id = config.pad_token_id is padding unless a mask says otherwise. Results are
// float32 and lie where the ids do; it computes where the model is. All passes are packed: padding
// is never computed and empty visits cost nothing. When gradients are on and the model has weights
// that require them, results carry a graph.
//
// Throws DataError that names the id, or the visit and its length, for an id outside the vocabulary
// and a visit over the context window (max_position_embeddings); std::invalid_argument for wrong
// shapes or types.
class VisitEncoder {
 public:
  explicit VisitEncoder(BertModel model, VisitEncoderOptions options = {});

  // Opens a folder (see bert_folder.h).
  static VisitEncoder open(const std::string& folder,
                           BertPrecision precision = BertPrecision::float32,
                           VisitEncoderOptions options = {});

  const BertModel& model() const { return model_; }
  const BertConfig& config() const { return model_.config(); }
  const VisitEncoderOptions& options() const { return options_; }

  // The table of code embeddings without context, a copy [vocab_size, H].
  at::Tensor get_code_embeddings() const;

  // Rows of that table: [n] -> [n, H], [B, n] -> [B, n, H].
  at::Tensor encode_codes(const at::Tensor& ids) const;

  // In context: each row is a visit. Positions of padding are computed as queries (as transformers
  // does) but never attended to; a row of padding only is zero.
  CodesInContext encode_codes_with_attention(const at::Tensor& ids) const;

  // [B, C] -> [B, H]. mask_BC: 1 = a code of the visit; undefined: id is not the padding id.
  // (CEHR-BERT: age and date 0, one visit of segment 1; encode_batch takes them all.)
  at::Tensor encode_visit(const at::Tensor& ids_BC, const at::Tensor& mask_BC = {}) const;

  // [B, V, C] -> [B, V, H], one packed pass over the visits that have codes.
  at::Tensor encode_patient(const at::Tensor& ids_BVC, const at::Tensor& mask_BVC = {}) const;

  // Packed sequences with everything CEHR-BERT knows of them -> [S, H].
  at::Tensor encode_sequences(const BertInput& input) const;

 private:
  BertModel model_;
  VisitEncoderOptions options_;
};

}  // namespace sequela
