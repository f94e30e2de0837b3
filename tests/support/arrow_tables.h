#pragma once

// Parquet files of the kinds that other programs write, made with Arrow itself.

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sequela {

template <class Builder, class T>
std::shared_ptr<arrow::Array> build(Builder&& builder,
                                    const std::vector<std::optional<T>>& values) {
  for (const auto& value : values) {
    EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  }
  return builder.Finish().ValueOrDie();
}

inline std::shared_ptr<arrow::Array> times(arrow::TimeUnit::type unit, const std::string& zone,
                                           const std::vector<std::optional<int64_t>>& values) {
  return build(arrow::TimestampBuilder(arrow::timestamp(unit, zone), arrow::default_memory_pool()),
               values);
}

inline std::shared_ptr<arrow::Array> texts(const std::vector<std::optional<std::string>>& values) {
  return build(arrow::StringBuilder(), values);
}

struct ArrowColumn {
  std::string name;
  std::shared_ptr<arrow::Array> array;
};

// Writes a table; names may come twice.
inline void write_arrow(const std::string& path, const std::vector<ArrowColumn>& columns,
                        const std::shared_ptr<parquet::WriterProperties>& properties =
                            parquet::default_writer_properties(),
                        int64_t row_group_rows = 1 << 20,
                        const std::shared_ptr<parquet::ArrowWriterProperties>& arrow_properties =
                            parquet::ArrowWriterProperties::Builder().store_schema()->build()) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const ArrowColumn& column : columns) {
    fields.push_back(arrow::field(column.name, column.array->type()));
    arrays.push_back(column.array);
  }
  const auto table = arrow::Table::Make(arrow::schema(fields), arrays);
  const auto sink = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, row_group_rows,
                                         properties, arrow_properties)
                  .ok());
  EXPECT_TRUE(sink->Close().ok());
}

}  // namespace sequela
