#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sequela/batch/builder.h"
#include "sequela/batch/check.h"
#include "sequela/io/arrow_stream.h"

namespace sequela {

// The columns of a batch as femr 0.2.4 stores it (femr/models/processor.py,
// BatchCreator.get_batch_data). Token ids have 16 bits if the vocabulary has at most 32,768
// entries, else 32.
bool has_wide_tokens(int32_t vocab_size);
std::vector<LeafField> femr_fields(bool is_wide, const std::vector<LeafField>& targets);
std::vector<LeafField> motor_target_fields();  // of femr's MOTORTask

// Lays batches out in these columns. Holds buffers that are reused: one object a thread.
class FemrEncoder {
 public:
  explicit FemrEncoder(bool is_wide) : is_wide_(is_wide) {}

  // The row of a batch with `rows` or `targets` set, in the order of femr_fields(). Views on it and
  // on this object, valid until the next call. std::invalid_argument if the targets pass 2^31
  // entries.
  std::span<const LeafBytes> encode(const BatchArrays& batch);

 private:
  bool is_wide_;
  int64_t counts_[2] = {0, 0};
  std::vector<int64_t> subject_ids_;  // one a token
  std::vector<uint8_t> valid_tokens_;
  std::vector<int16_t> narrow_tokens_;
  std::vector<int32_t> row_offsets_;
  uint8_t needs_exact_ = 0;
  std::vector<LeafBytes> leaves_;
};

// Reads such a row, untrusted; MOTOR's targets, which femr leaves in any order, are sorted by task.
// Throws FileError that names `path`.
void decode_femr(std::span<const LeafBytes> leaves, const std::vector<LeafField>& targets,
                 const BatchLimits& limits, const std::string& path, BatchArrays& batch);

int64_t femr_num_tokens(std::span<const LeafBytes> leaves);

}  // namespace sequela
