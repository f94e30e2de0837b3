#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sequela {

// How a Parquet column's values are handed out.
enum class ColumnType {
  int64,  // every integer type; a date as days since 1970
  float32,
  float64,  // and decimal
  boolean,
  timestamp,  // int64 microseconds, whatever the file's unit; rounded towards the past
  string,     // string, large_string, string_view, binary of any kind, or a dictionary of them
  string_list,
  int64_list,  // of every integer type
  float_list,  // list or fixed_size_list of float16, float32, float64
  other,       // not readable here
};

struct ColumnInfo {
  std::string name;
  ColumnType type = ColumnType::other;
  std::string type_name;  // as Arrow prints it, for messages
  bool is_date = false;   // int64s are days since 1970
  bool is_empty = false;  // of Arrow's null type: no row has a value
  std::string zone;       // of a timestamp; empty = it has none
};

// Consecutive values of one column, typed as its ColumnInfo says. Only the fields of that type are
// set. Values at null places are unspecified, but an index is always inside the dictionary.
// Pointers live as long as `owner`.
struct ColumnSlice {
  int64_t size = 0;
  const uint8_t* validity = nullptr;  // bit bit_offset + i; nullptr = no nulls
  int64_t bit_offset = 0;

  const int64_t* int64s = nullptr;  // int64, timestamp, and the items of int64_list
  const float* floats = nullptr;    // float32, and the items of float_list
  const double* doubles = nullptr;
  const uint8_t* booleans = nullptr;  // one byte each
  // string: the value at i is dictionary[indices[i]]
  const int32_t* indices = nullptr;
  const std::string_view* dictionary = nullptr;
  int64_t dictionary_size = 0;
  // string_list: the items at i are indices[list_offsets[i]] .. indices[list_offsets[i + 1]) of
  // dictionary; float_list: floats[list_offsets[i]] .. floats[list_offsets[i + 1]), int64_list the
  // same of int64s. A null row is an empty list; a null item is an empty string, NaN or the least
  // int64.
  const int64_t* list_offsets = nullptr;

  std::shared_ptr<const void> owner;

  bool is_valid(int64_t i) const {
    if (validity == nullptr) return true;
    const int64_t bit = bit_offset + i;
    return (validity[bit >> 3] >> (bit & 7)) & 1;
  }
  bool has_nulls() const { return validity != nullptr; }
  std::string_view text(int64_t i) const { return dictionary[indices[i]]; }
  // The value at i of a column of numbers or booleans (0, 1).
  double number(int64_t i) const {
    if (floats != nullptr) return floats[i];
    if (doubles != nullptr) return doubles[i];
    return booleans != nullptr ? booleans[i] : static_cast<double>(int64s[i]);
  }
};

// Rows [first_row, first_row + num_rows) of a file; one ColumnSlice per column asked for.
struct RowBatch {
  int row_group = 0;
  int64_t first_row = 0;
  int64_t num_rows = 0;
  std::vector<ColumnSlice> columns;
};

// Reads a Parquet file, local or any URI that Arrow opens (s3://...). Not for use by two threads at
// a time. All faults are DataError with path, row group and column.
class ParquetReader {
 public:
  explicit ParquetReader(const std::string& path_or_uri);
  ~ParquetReader();

  const std::string& path() const;                 // without user name and password, if it is a URI
  const std::vector<ColumnInfo>& columns() const;  // top-level columns
  // A name that two columns have is a DataError: which of them is meant cannot be known.
  std::optional<int> find_column(const std::string& name) const;
  // find_column, but a column that is_empty counts as none.
  std::optional<int> find_filled_column(const std::string& name) const;
  // find_column, but a missing column or another type than one of `allowed` is a DataError that
  // names the column, the type found and the type wanted.
  int require_column(const std::string& name, const std::vector<ColumnType>& allowed) const;
  int64_t num_rows() const;
  int num_row_groups() const;
  int64_t row_group_rows(int row_group) const;

  // Decodes the columns (indices into columns()) of one row group, in order, and calls `visit` with
  // runs of rows. Strings come as dictionaries (one per run; entries may repeat and may be unused).
  void read_row_group(int row_group, const std::vector<int>& columns,
                      const std::function<void(const RowBatch&)>& visit);
  // All row groups in order.
  void read(const std::vector<int>& columns, const std::function<void(const RowBatch&)>& visit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The paths of the data files under a folder or URI prefix, sorted: every "*.parquet" below it.
// Entries whose name begins with '.' or '_' are passed over. Throws DataError if there is none.
std::vector<std::string> list_parquet_files(const std::string& folder_or_uri);

// A column to write. `valid` empty = no nulls, else one byte a row.
struct TableColumn {
  std::string name;
  std::variant<std::vector<int64_t>, std::vector<int32_t>, std::vector<float>, std::vector<double>,
               std::vector<uint8_t> /* boolean */, std::vector<std::string>,
               std::vector<std::vector<std::string>>>
      values;
  std::vector<uint8_t> valid;
  bool is_timestamp = false;    // int64 microseconds
  bool is_large_text = false;   // texts: large_string, as MEDS wants text_value
  int32_t fixed_list_size = 0;  // float only: values hold rows * size entries, type fixed_size_list
};
using Table = std::vector<TableColumn>;

// Writes a Parquet file (zstd, dictionary strings) that appears only when finish() returns. All
// tables must have the same columns; each becomes a row group.
class ParquetWriter {
 public:
  explicit ParquetWriter(const std::string& path);
  ~ParquetWriter();
  void write(const Table& table);
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The common case: one table, one file.
void write_parquet(const std::string& path, const Table& table);

}  // namespace sequela
