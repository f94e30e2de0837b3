#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sequela {

// Folders that Hugging Face's datasets.load_from_disk opens: rows of nested structs of lists in
// Arrow IPC stream files, uncompressed so that they can be memory-mapped, with dataset_info.json
// and state.json.

enum class LeafType { boolean, uint8, int16, uint16, int32, uint32, int64, float16, float32 };

int64_t leaf_size(LeafType type);  // bytes of one value in a row's bytes; a boolean takes one

// One column of numbers inside the nested row. In a row, its values are consecutive bytes.
struct LeafField {
  std::string path;  // struct members joined by dots: "task.time_sparse.data"
  LeafType type = LeafType::int32;
  bool is_list = true;     // else one value a row
  int64_t inner_size = 0;  // > 0: a list of lists of this size, row-major
};

using LeafBytes = std::span<const std::byte>;

// A finished stream file.
struct StreamFile {
  std::string name;  // without folder
  int64_t num_rows = 0;
  int64_t num_bytes = 0;
  std::string digest;  // of the rows
};

// Writes one stream file, which appears when finish() returns. Members of a struct must be
// neighbours among the fields; they keep the order of `fields`. Throws ResourceError (disk) and
// std::invalid_argument.
class ArrowStreamWriter {
 public:
  ArrowStreamWriter(const std::string& path, std::vector<LeafField> fields,
                    int rows_per_record_batch = 8);
  ~ArrowStreamWriter();
  // One span for each field, in order. Fewer rows share a record batch if a list would pass 2^31
  // values.
  void write_row(std::span<const LeafBytes> leaves);
  StreamFile finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Writes dataset_info.json and state.json (format torch, split train) for the stream files that lie
// in `folder`. Same content, same bytes. Source: datasets 4.0, Dataset.save_to_disk.
void write_dataset_info(const std::string& folder, const std::vector<LeafField>& fields,
                        const std::vector<StreamFile>& files);

// The stream files that state.json of such a folder names, with their paths. Throws FileError.
std::vector<std::string> list_stream_files(const std::string& folder);

// The features as datasets writes them: {"transformer": {"ages": {"feature": {"dtype": "float32",
// ...
std::string features_json(const std::vector<LeafField>& fields);

// A row as read: one span per wanted field, in their order. Reused from row to row.
struct StreamRow {
  std::vector<LeafBytes> leaves;
  std::vector<std::vector<std::byte>> booleans;  // unpacked, one byte each
};

// A memory-mapped stream file. Untrusted: what a row's spans point to is checked before they are
// handed out. Throws FileError, also if a wanted field is missing, of another type, or holds nulls.
class ArrowStreamReader {
 public:
  ArrowStreamReader(const std::string& path, std::vector<LeafField> wanted);
  ~ArrowStreamReader();
  ArrowStreamReader(ArrowStreamReader&&) noexcept;

  int64_t num_rows() const;
  // May be called from many threads. Spans live as long as the reader and `row`.
  void read_row(int64_t row_index, StreamRow* row) const;

  // The leaf paths that a stream file holds, for telling one kind of batch from another.
  static std::vector<std::string> leaf_paths(const std::string& path);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sequela
