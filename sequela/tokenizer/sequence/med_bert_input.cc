#include "sequela/tokenizer/sequence/med_bert_input.h"

#include <algorithm>
#include <stdexcept>

#include "sequela/core/error.h"

namespace sequela {

CodeVocabulary empty_med_bert_vocabulary() {
  return CodeVocabulary::from_codes({"empty_pad"});
}

MedBertBatch build_med_bert_batch(const MedBertRows& rows, std::span<const int64_t> patients,
                                  int64_t max_length, int64_t type_vocab_size) {
  if (max_length < 1) throw ConfigError("max_length", std::to_string(max_length), "1 or more");
  MedBertBatch batch;
  for (const int64_t patient : patients) {
    if (patient < 0 || patient >= rows.num_patients()) {
      throw std::invalid_argument("no such patient");
    }
    const int64_t last = rows.offsets[patient + 1];
    const int64_t first = std::max(rows.offsets[patient], last - max_length);
    batch.ids.insert(batch.ids.end(), rows.ids.begin() + first, rows.ids.begin() + last);
    for (int64_t i = first; i < last; ++i) {
      if (rows.segments[i] >= type_vocab_size) {
        throw ConfigError(str("visit ", rows.segments[i], " of patient ", rows.patient_ids[patient],
                              " is beyond the model's type_vocab_size ", type_vocab_size,
                              ". Fix: keep the last visits only, or use a larger model"));
      }
      batch.token_types.push_back(rows.segments[i]);
    }
    batch.offsets.push_back(static_cast<int64_t>(batch.ids.size()));
  }
  return batch;
}

PaddedMedBertBatch to_padded(const MedBertBatch& batch, int64_t length, int32_t pad_id) {
  for (int64_t row = 0; row < batch.num_sequences(); ++row) {
    length = std::max(length, batch.offsets[row + 1] - batch.offsets[row]);
  }
  PaddedMedBertBatch out;
  out.num_rows = batch.num_sequences();
  out.length = length;
  const auto size = static_cast<size_t>(out.num_rows * length);
  out.ids.assign(size, pad_id);
  out.token_types.assign(size, 0);
  out.attention_mask.assign(size, 0);
  for (int64_t row = 0; row < out.num_rows; ++row) {
    const int64_t first = batch.offsets[row];
    const int64_t last = batch.offsets[row + 1];
    const int64_t at = row * length;
    std::copy(batch.ids.begin() + first, batch.ids.begin() + last, out.ids.begin() + at);
    std::copy(batch.token_types.begin() + first, batch.token_types.begin() + last,
              out.token_types.begin() + at);
    std::fill_n(out.attention_mask.begin() + at, last - first, 1);
  }
  return out;
}

}  // namespace sequela
