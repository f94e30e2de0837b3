#include "sequela/ontology/code_metadata.h"

#include "sequela/io/parquet.h"

namespace sequela {
namespace {

bool is_all_null(const std::string& type_name) {
  return type_name == "null" ||
         type_name.find(": null") != std::string::npos;  // or a list of nulls
}

// The column's place among those to read, which it is added to; none if it is absent or without a
// type of its own because all its values are null.
std::optional<size_t> add_column(const ParquetReader& reader, const std::string& name,
                                 ColumnType type, std::vector<int>& columns) {
  const std::optional<int> column = reader.find_column(name);
  if (!column || is_all_null(reader.columns()[*column].type_name)) return std::nullopt;
  columns.push_back(reader.require_column(name, {type}));
  return columns.size() - 1;
}

std::vector<std::string_view> items_at(const ColumnSlice& column, int64_t row) {
  std::vector<std::string_view> items;
  for (int64_t i = column.list_offsets[row]; i < column.list_offsets[row + 1]; ++i) {
    if (!column.text(i).empty()) items.push_back(column.text(i));
  }
  return items;
}

}  // namespace

void read_code_metadata(const std::string& path,
                        const std::function<void(const CodeMetadata&)>& visit) {
  ParquetReader reader(path);
  std::vector<int> columns = {reader.require_column("code", {ColumnType::string})};
  const auto description = add_column(reader, "description", ColumnType::string, columns);
  const auto parents = add_column(reader, "parent_codes", ColumnType::string_list, columns);
  reader.read(columns, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      if (!batch.columns[0].is_valid(i)) continue;
      CodeMetadata row{batch.columns[0].text(i)};
      if (description && batch.columns[*description].is_valid(i)) {
        row.description = batch.columns[*description].text(i);
      }
      if (parents && batch.columns[*parents].is_valid(i)) {
        row.parents = items_at(batch.columns[*parents], i);
      }
      visit(row);
    }
  });
}

}  // namespace sequela
