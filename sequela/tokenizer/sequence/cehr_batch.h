#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sequela/tokenizer/sequence/cehr_tokens.h"

namespace sequela {

// What to keep of a sequence that is too long.
enum class Truncation {
  tail,             // the last tokens, from the first [VS] among them (fine-tuning)
  random_visit,     // from a random [VS] to the length (pretraining)
  random_complete,  // the same, back to the last [VE], which goes too
  random,           // any window
};

struct CehrBatchOptions {
  int64_t max_length = 512;  // tokens of a sequence, [CLS] counted
  Truncation truncation = Truncation::tail;
  uint64_t seed = 0;  // of random truncation and masking; the key is (seed, epoch, person)
  int64_t epoch = 0;
};

// Sequences that begin with [CLS], without padding: B sequences, T tokens in all. Sequence i goes
// from offsets[i] to offsets[i + 1]; this is what a packed encoder takes. labels is empty until
// mask_tokens() makes it: -100 where nothing is to be predicted. With a model that predicts no
// values, its loss must also leave out positions with value_masks 1.
struct CehrBatch {
  std::vector<int64_t> person_ids;     // [B]
  std::vector<int64_t> offsets = {0};  // [B + 1]
  std::vector<int32_t> ids;            // [T], and so all below
  std::vector<int32_t> ages;
  std::vector<int32_t> weeks;
  std::vector<int32_t> visit_orders;
  std::vector<uint8_t> segments;
  std::vector<uint8_t> value_masks;
  std::vector<float> values;
  std::vector<int32_t> labels;

  int64_t num_sequences() const { return static_cast<int64_t>(person_ids.size()); }
  int64_t length(int64_t i) const { return offsets[i + 1] - offsets[i]; }
  int64_t max_length() const;
};

// The sequences `rows` of `tokens`, cut to the length, with [CLS] (age and week of the first token,
// order one less but not below 0, value -1). Source: cehrbert 1.5.0, CehrBertDataCollator.
CehrBatch build_cehr_batch(const CehrTokenizer& tokenizer, const CehrTokens& tokens,
                           std::span<const int64_t> rows, const CehrBatchOptions& options);

struct MaskOptions {
  double probability = 0.15;
  double replace_with_mask = 0.8;  // of the chosen ones
  double replace_at_random = 0.1;  // the rest stay as they are
};

// Chooses tokens to predict, all but [CLS] and [PAD], writes their ids to `labels` and changes
// `ids`. Depends on the seed, epoch and person alone.
void mask_tokens(const CehrTokenizer& tokenizer, const MaskOptions& mask,
                 const CehrBatchOptions& options, CehrBatch* batch);

// A batch as a matrix, row-major [B, L], L the longest sequence's length (or `length`, if larger).
struct PaddedCehrBatch {
  int64_t num_rows = 0;
  int64_t length = 0;
  std::vector<int64_t> ids, ages, weeks, visit_orders, segments;
  std::vector<float> attention_mask, values, value_masks;
  std::vector<int64_t> labels;  // empty without masking
};

// Pads: pad id, order max_length - 1 (the collator's, not L), the rest 0, label -100.
PaddedCehrBatch to_padded(const CehrBatch& batch, int32_t pad_id, int64_t max_length,
                          int64_t length = 0);

// All sequences in one row [1, T + B], each followed by one [PAD] with attention 0. Sequences for
// it are cut to max_position_embeddings + 1 tokens, as cehrbert's packing collator does. Source:
// SamplePackingCehrBertDataCollator.
PaddedCehrBatch to_packed_row(const CehrBatch& batch, int32_t pad_id);

// Which sequences share a packed row of at most `max_tokens`: in a shuffled order, filled one after
// the other; a sequence takes min(length, max_length) + 2. Each inner list is a row.
std::vector<std::vector<int64_t>> plan_packed_rows(std::span<const int64_t> lengths,
                                                   int64_t max_tokens, int64_t max_length,
                                                   uint64_t seed, int64_t epoch);

}  // namespace sequela
