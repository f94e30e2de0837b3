#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sequela/etl/duckdb.h"

namespace sequela {

// A column of a raw table. Of CSV every column is VARCHAR.
struct SourceColumn {
  std::string name;  // as the file has it; SQL finds it in any case
  std::string type;  // DuckDB's: "VARCHAR", "BIGINT", "DATE", "TIMESTAMP", ...
};

// A raw table: one file or several of the same columns.
struct SourceTable {
  std::string name;
  std::vector<std::string> files;
  std::vector<SourceColumn> columns;
  std::string scan;       // SQL for behind FROM
  bool is_typed = false;  // Parquet: a column that is text is meant as text

  const SourceColumn* find(const std::string& column) const;  // in any case; nullptr = none
  bool has(const std::string& column) const { return find(column) != nullptr; }
  // The first that is there; empty if none.
  std::string first_of(const std::vector<std::string>& names) const;
  std::vector<std::string> column_names() const;
};

// The files of a table below a folder: NAME.csv, .tsv, .csv.gz, .tsv.gz, .parquet, .par, in any
// case of letters, or a folder NAME of such files; "hosp/patients" lies in the folder hosp. Sorted;
// empty if there is none. DataError if the table lies there in two forms.
std::vector<std::string> find_table_files(const std::string& folder, const std::string& name);

// Opens a table: the header of each file is read. CSV is separated by the one of , ; tab | that
// the header has most of, and quoted by "; a tab separated one is not quoted. DataError for a
// header with a name twice or none.
SourceTable open_table(DuckDb& db, const std::string& name, const std::vector<std::string>& files);

// Both; nothing if there is no such table.
std::optional<SourceTable> find_table(DuckDb& db, const std::string& folder,
                                      const std::string& name);

}  // namespace sequela
