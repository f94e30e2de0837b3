#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sequela/batch/builder.h"
#include "sequela/batch/check.h"
#include "sequela/batch/target_rule.h"
#include "sequela/io/arrow_stream.h"

namespace sequela {

// Batches on disk: Arrow IPC stream files that Hugging Face `datasets` opens, a row a batch.
//
// The femr form has exactly the columns that femr 0.2.4 writes: num_subjects, num_indices,
// subject_ids (one a token), offsets, transformer.*, task.*, needs_exact.
//
// The compact form has these columns:
//   num_subjects, num_tokens, num_indices   int64
//   payload                                 list<uint8>: the bytes of compact_batch.h

// What all batches of a folder have in common.
struct BatchLayout {
  int32_t vocab_size = 0;  // femr's form has 16-bit token ids up to 32,768, else 32-bit
  int32_t num_tasks = 0;   // of MOTOR
  std::vector<LeafField> target_fields;  // TargetRule::femr_fields
};

// Writes one file of batches; it appears only when finish() returns.
class BatchFileWriter {
 public:
  BatchFileWriter(const std::string& path, BatchForm form, const BatchLayout& layout);
  ~BatchFileWriter();
  // A batch with at least one label; MOTOR's targets as `changes` (compact) or `rows` (femr).
  void write(const BatchArrays& batch);
  StreamFile finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Reads a file of either form by memory map. Thread-safe. Untrusted: throws FileError.
class BatchFileReader {
 public:
  explicit BatchFileReader(const std::string& path);
  BatchFileReader(BatchFileReader&&) noexcept;
  ~BatchFileReader();

  int64_t num_batches() const;
  int64_t num_tokens(int64_t batch) const;
  // Fills `batch` with its targets as rows, checked.
  void read(int64_t index, const BatchLimits& limits, BatchArrays& batch) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Writes what makes a folder of such files one that `datasets.load_from_disk` opens.
void write_batch_folder_info(const std::string& folder, BatchForm form, const BatchLayout& layout,
                             const std::vector<StreamFile>& files);

// "data-00003-of-00017.arrow"
std::string batch_file_name(int64_t index, int64_t num_files);

}  // namespace sequela
