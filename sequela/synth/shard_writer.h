#pragma once

#include <cstdint>
#include <string>

#include "sequela/io/parquet.h"
#include "sequela/synth/course.h"

namespace sequela {

// Writes one MEDS shard: subject_id, time, code, numeric_value float32, text_value, unit; a row
// group each 131,072 rows. The buffers are kept from one row group to the next.
class ShardWriter {
 public:
  ShardWriter(const SynthVocabulary& vocabulary, const std::string& path);

  void write(const SynthRecord& record);
  void finish();

 private:
  void write_rows();

  const SynthVocabulary& vocabulary_;
  ParquetWriter writer_;
  Table table_;
  int64_t num_rows_ = 0;
};

}  // namespace sequela
