#pragma once

#include <map>
#include <string>
#include <vector>

#include "sequela/etl/messy/expression_sql.h"
#include "sequela/etl/messy/messy.h"
#include "sequela/etl/source_table.h"

namespace sequela {

// What the expressions of a table can name: its columns with their types, those of joined tables,
// and derived ones.
class Frame {
 public:
  // `alias` names the table in SQL. Types are inferred of `wanted` alone.
  Frame(DuckDb& db, const SourceTable& table, const std::string& alias,
        const std::vector<std::string>& wanted, ColumnTyping typing);

  void add(const std::string& name, const TypedSql& sql) { columns_[name] = sql; }
  bool has(const std::string& name) const;
  // ConfigError with the nearest names.
  TypedSql find(const std::string& name) const;
  // Of an expression in a file: faults get its place.
  TypedSql compile(const MessyValue& value, const std::string& path) const;

 private:
  const SourceTable* table_;
  std::string alias_;
  std::map<std::string, TypedSql> columns_;
};

}  // namespace sequela
