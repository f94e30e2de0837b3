#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/etl/duckdb_api.h"

namespace sequela {

struct DuckDbOptions {
  int64_t memory_bytes = int64_t{1} << 30;  // of its buffers; what is more is spilled
  int num_threads = 1;
  std::string temp_folder;  // for what is spilled; made when needed, and emptied at the end
};

// Some rows of a result. The values at null places are unspecified. Lives until the visitor
// returns.
class DuckChunk {
 public:
  DuckChunk(const DuckDbApi& api, DuckDbApi::Handle chunk, size_t num_columns);

  int64_t num_rows() const { return num_rows_; }
  bool is_valid(size_t column, int64_t row) const {
    const uint64_t* bits = columns_[column].validity;
    return bits == nullptr || ((bits[row >> 6] >> (row & 63)) & 1) != 0;
  }
  // The value as its column is in SQL: BIGINT or TIMESTAMP, DOUBLE, FLOAT, BOOLEAN, VARCHAR.
  int64_t integer(size_t column, int64_t row) const { return at<int64_t>(column, row); }
  double real(size_t column, int64_t row) const { return at<double>(column, row); }
  float real32(size_t column, int64_t row) const { return at<float>(column, row); }
  bool boolean(size_t column, int64_t row) const { return at<uint8_t>(column, row) != 0; }
  std::string_view text(size_t column, int64_t row) const;

 private:
  struct Column {
    const void* data;
    const uint64_t* validity;
  };
  template <class T>
  const T& at(size_t column, int64_t row) const {
    return static_cast<const T*>(columns_[column].data)[row];
  }

  std::vector<Column> columns_;
  int64_t num_rows_;
};

// A database in memory, and one connection to it: not for use by two threads at a time. What
// DuckDB says of a failed query becomes an error of ours without any value of the data in it:
// DataError (a file's content), FileError, ResourceError (memory, disk), Interrupted, else Error.
class DuckDb {
 public:
  explicit DuckDb(const DuckDbOptions& options);
  ~DuckDb();
  DuckDb(const DuckDb&) = delete;
  DuckDb& operator=(const DuckDb&) = delete;

  void run(const std::string& sql);
  // The rows as they are made, in order; stops between chunks if a stop was asked for.
  void stream(const std::string& sql, const std::function<void(const DuckChunk&)>& visit);

  // All values of a small result, which must be VARCHAR, by row.
  std::vector<std::vector<std::optional<std::string>>> texts(const std::string& sql);
  // The one BIGINT of a result; 0 if it is null.
  int64_t integer(const std::string& sql);

 private:
  class Query;

  const DuckDbApi& api_;
  DuckDbApi::Handle database_ = nullptr, connection_ = nullptr;
};

// 'text' and "name" as SQL writes them.
std::string sql_text(std::string_view text);
std::string sql_name(std::string_view name);

}  // namespace sequela
