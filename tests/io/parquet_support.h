#pragma once

#include <functional>
#include <string>

#include "sequela/io/parquet.h"
#include "tests/support/arrow_tables.h"
#include "tests/support/files.h"

namespace sequela {

// A file of one column, x.
struct WriteOptions {
  int64_t row_group_rows = 1 << 20;
  bool use_dictionary = true;
  int64_t dictionary_page_bytes = 1 << 20;
};

inline std::string write_column(const std::shared_ptr<arrow::Array>& array,
                                const WriteOptions& options = {}) {
  const std::string path = temporary_path("column.parquet");
  parquet::WriterProperties::Builder properties;
  if (!options.use_dictionary) properties.disable_dictionary();
  properties.dictionary_pagesize_limit(options.dictionary_page_bytes)
      ->data_pagesize(4096)
      ->max_row_group_length(1 << 30);
  write_arrow(path, {{"x", array}}, properties.build(), options.row_group_rows);
  return path;
}

// Reads the only column; calls take(slice, i) for each row.
inline void each_row(const std::string& path, ColumnType type,
                     const std::function<void(const ColumnSlice&, int64_t)>& take) {
  ParquetReader reader(path);
  reader.read({reader.require_column("x", {type})}, [&](const RowBatch& batch) {
    const ColumnSlice slice = batch.columns[0];
    ASSERT_EQ(slice.size, batch.num_rows);
    for (int64_t i = 0; i < slice.size; ++i) take(slice, i);
  });
}

}  // namespace sequela
