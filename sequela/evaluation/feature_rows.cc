#include "sequela/evaluation/feature_rows.h"

#include "sequela/core/error.h"
#include "sequela/io/parquet.h"

namespace sequela {
namespace {

void add_batch(const RowBatch& batch, const std::string& path, FeatureRows& rows) {
  const ColumnSlice &ids = batch.columns[0], &times = batch.columns[1], &lists = batch.columns[2];
  DenseMatrix& matrix = rows.embeddings;
  for (int64_t i = 0; i < batch.num_rows; ++i) {
    const Where where{.path = path, .row_group = batch.row_group, .row = batch.first_row + i};
    for (const ColumnSlice& column : batch.columns) {
      if (!column.is_valid(i)) throw DataError(where, "a value is null", "write the features anew");
    }
    const int64_t first = lists.list_offsets[i], length = lists.list_offsets[i + 1] - first;
    if (matrix.num_rows == 0) matrix.num_columns = length;
    if (length != matrix.num_columns || length == 0) {
      throw DataError(
          where, str("an embedding of ", length, " numbers among ones of ", matrix.num_columns),
          "write the features anew");
    }
    rows.subject_ids.push_back(ids.int64s[i]);
    rows.prediction_times_us.push_back(times.int64s[i]);
    matrix.values.insert(matrix.values.end(), lists.floats + first, lists.floats + first + length);
    ++matrix.num_rows;
  }
}

}  // namespace

FeatureRows read_feature_rows(const std::string& path) {
  ParquetReader reader(path);
  const std::vector<int> columns = {
      reader.require_column("subject_id", {ColumnType::int64}),
      reader.require_column("prediction_time", {ColumnType::timestamp}),
      reader.require_column("embedding", {ColumnType::float_list})};
  FeatureRows rows;
  reader.read(columns, [&](const RowBatch& batch) { add_batch(batch, path, rows); });
  return rows;
}

}  // namespace sequela
