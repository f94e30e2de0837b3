#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sequela/tokenizer/sequence/code_vocabulary.h"

namespace sequela {

// Med-BERT's patients (.bencs): P patients, V visits, T codes in all.
struct MedBertRows {
  std::vector<int64_t> patient_ids;          // [P]
  std::vector<int64_t> visit_offsets = {0};  // [P + 1]
  std::vector<int64_t> offsets = {0};        // [P + 1]
  std::vector<int32_t> stay_days;            // [V] length of stay
  std::vector<int32_t> next_days;            // [V] from discharge to the next visit, 0 = the last
  std::vector<int32_t> ids;                  // [T]
  std::vector<int32_t> segments;             // [T] number of the visit, from 1

  int64_t num_patients() const { return static_cast<int64_t>(patient_ids.size()); }
};

// Reads .bencs, a pickle of [patient, stays, days to next, codes, segments] a patient, or the same
// as JSON (by the name's end). Untrusted; FileError.
MedBertRows read_bencs(const std::string& path);

// A code map that grows from `codes`: unknown codes get the next id.
enum class UnknownCodes { add, leave_out };

// Med-BERT's preparation of a tab-separated file with a header: patient_id, vadate, vddate
// (YYYY-MM-DD), diag, poa, diagnosis_priority, third_party_ind. Patients ascending, visits by
// admission day, codes of a visit by (poa, third_party_ind, diagnosis_priority), each once. A
// DataError places a bad row. Source: ZhiGroup/Med-BERT, preprocess_pretrain_data.py.
MedBertRows read_med_bert_table(const std::string& path, UnknownCodes unknown,
                                CodeVocabulary* codes);

// The vocabulary of a new Med-BERT: empty_pad, id 0.
CodeVocabulary empty_med_bert_vocabulary();

// Model input: B patients, the last `max_length` codes of each; no [CLS], no [SEP].
struct MedBertBatch {
  std::vector<int64_t> offsets = {0};  // [B + 1]
  std::vector<int32_t> ids;
  std::vector<int32_t> token_types;  // number of the visit, from 1

  int64_t num_sequences() const { return static_cast<int64_t>(offsets.size()) - 1; }
};

// ConfigError if a visit's number does not fit a model of `type_vocab_size`.
MedBertBatch build_med_bert_batch(const MedBertRows& rows, std::span<const int64_t> patients,
                                  int64_t max_length, int64_t type_vocab_size);

// [B, L] row-major, padded on the right with 0 (or `pad_id`).
struct PaddedMedBertBatch {
  int64_t num_rows = 0;
  int64_t length = 0;
  std::vector<int64_t> ids, token_types, attention_mask;
};
PaddedMedBertBatch to_padded(const MedBertBatch& batch, int64_t length, int32_t pad_id = 0);

}  // namespace sequela
