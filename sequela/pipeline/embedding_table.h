#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sequela {

// Embeddings and what their rows stand for: n rows, width d. A column that is empty is not there.
struct EmbeddingTable {
  std::vector<int64_t> subject_ids;
  std::vector<int64_t> visit_indices;    // of the subject, from 0
  std::vector<std::string> visit_names;  // the input's own ids of visits
  std::vector<int64_t> times_us;         // start of the visit; kNoTime = unknown
  std::vector<std::string> codes;        // one a row
  std::vector<int64_t> ids;              // in the vocabulary
  std::vector<int64_t> num_codes;        // that the row was made of
  const float* embeddings_nd = nullptr;
  int64_t num_rows = 0;
  int64_t width = 0;
  bool is_code_table = false;  // row i belongs to id i of a vocabulary
};

// Writes `<folder>/<stem>.parquet` (the columns, and embedding fixed_size_list<float>[d]),
// `<stem>.npz` (the columns, and embeddings float32 [n, d]) and `<stem>.pt`: torch.load(path,
// weights_only=True) gives {"embeddings": float32 [n, d], "sample_ids": list[str]}, or the tensor
// alone for a table of codes. Each file is atomic.
void write_embedding_table(const std::string& folder, const std::string& stem,
                           const EmbeddingTable& table);
std::vector<std::string> embedding_table_files(const std::string& stem);  // their names

}  // namespace sequela
