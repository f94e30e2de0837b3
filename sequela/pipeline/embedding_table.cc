#include "sequela/pipeline/embedding_table.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "sequela/io/npz_file.h"
#include "sequela/io/parquet.h"
#include "sequela/io/torch_file.h"

namespace sequela {
namespace {

constexpr int64_t kRowsPerGroup = 16'384;

template <class T>
std::vector<T> part_of(const std::vector<T>& values, int64_t begin, int64_t count) {
  return {values.begin() + begin, values.begin() + begin + count};
}

Table rows_of(const EmbeddingTable& table, int64_t begin, int64_t count) {
  Table rows;
  const auto add = [&](const char* name, const auto& values) {
    if (!values.empty()) rows.push_back({name, part_of(values, begin, count), {}});
  };
  add("subject_id", table.subject_ids);
  add("visit_index", table.visit_indices);
  add("visit_id", table.visit_names);
  if (!table.times_us.empty()) {
    add("time", table.times_us);
    TableColumn& times = rows.back();
    times.is_timestamp = true;
    for (int64_t i = begin; i < begin + count; ++i)
      times.valid.push_back(table.times_us[i] != kNoTime);
  }
  add("code", table.codes);
  add("id", table.ids);
  add("num_codes", table.num_codes);
  const float* first = table.embeddings_nd + begin * table.width;
  TableColumn embeddings{"embedding", std::vector<float>(first, first + count * table.width), {}};
  embeddings.fixed_list_size = static_cast<int32_t>(table.width);
  rows.push_back(std::move(embeddings));
  return rows;
}

void write_parquet_file(const std::string& path, const EmbeddingTable& table) {
  ParquetWriter writer(path);
  int64_t begin = 0;
  do {  // a table without rows still has its columns
    const int64_t count = std::min(kRowsPerGroup, table.num_rows - begin);
    writer.write(rows_of(table, begin, count));
    begin += count;
  } while (begin < table.num_rows);
  writer.finish();
}

void append_rows(const EmbeddingTable& table, auto& writer) {
  for (int64_t i = 0; i < table.num_rows; ++i) {
    writer.append(std::span<const float>(table.embeddings_nd + i * table.width,
                                         static_cast<size_t>(table.width)));
  }
}

void write_npz_file(const std::string& path, const EmbeddingTable& table) {
  NpzWriter writer(path);
  const auto add = [&](const char* name, const std::vector<int64_t>& values) {
    if (values.empty()) return;
    writer.begin_array(name, NpyType::int64, {table.num_rows});
    writer.append(values);
  };
  add("subject_ids", table.subject_ids);
  add("visit_indices", table.visit_indices);
  add("times", table.times_us);
  add("ids", table.ids);
  add("num_codes", table.num_codes);
  if (!table.visit_names.empty()) writer.add_texts("visit_ids", table.visit_names);
  if (!table.codes.empty()) writer.add_texts("codes", table.codes);
  writer.begin_array("embeddings", NpyType::float32, {table.num_rows, table.width});
  append_rows(table, writer);
  writer.finish();
}

// "17", "17/3" for the fourth visit of subject 17, the visit's or the code's own name, or the row.
std::string sample_id(const EmbeddingTable& table, int64_t row) {
  if (!table.visit_names.empty()) return table.visit_names[row];
  if (!table.codes.empty()) return table.codes[row];
  if (table.subject_ids.empty()) return str(row);
  if (table.visit_indices.empty()) return str(table.subject_ids[row]);
  return str(table.subject_ids[row], "/", table.visit_indices[row]);
}

void write_torch_file(const std::string& path, const EmbeddingTable& table) {
  const std::vector<int64_t> shape = {table.num_rows, table.width};
  std::vector<TorchEntry> entries = {{table.is_code_table ? "" : "embeddings", shape}};
  if (!table.is_code_table) {
    std::vector<std::string> sample_ids;
    for (int64_t row = 0; row < table.num_rows; ++row) sample_ids.push_back(sample_id(table, row));
    entries.push_back({"sample_ids", std::move(sample_ids)});
  }
  TorchFileWriter writer(path, entries);
  append_rows(table, writer);
  writer.finish();
}

}  // namespace

std::vector<std::string> embedding_table_files(const std::string& stem) {
  return {stem + ".parquet", stem + ".npz", stem + ".pt"};
}

void write_embedding_table(const std::string& folder, const std::string& stem,
                           const EmbeddingTable& table) {
  const std::string path = folder + "/" + stem;
  write_parquet_file(path + ".parquet", table);
  write_npz_file(path + ".npz", table);
  write_torch_file(path + ".pt", table);
}

}  // namespace sequela
