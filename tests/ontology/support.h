#pragma once

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "sequela/core/log.h"
#include "sequela/io/parquet.h"
#include "sequela/ontology/ontology.h"
#include "tests/support/test_folder.h"

namespace sequela {

// Keeps the warnings that are logged while it lives.
class WarningCatcher {
 public:
  WarningCatcher() {
    set_log_sink([this](LogLevel level, const std::string& message) {
      if (level == LogLevel::warning) warnings.push_back(message);
    });
  }
  ~WarningCatcher() { set_log_sink(nullptr); }
  WarningCatcher(const WarningCatcher&) = delete;

  std::vector<std::string> warnings;
};

inline void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

struct DataCodes {
  std::vector<std::string> codes;
  std::vector<int64_t> counts;
};

// The codes of the MEDS data below a folder with the number of their events.
inline DataCodes read_data_codes(const std::string& folder) {
  std::map<std::string, int64_t, std::less<>> counts;
  for (const auto& path : list_parquet_files(folder)) {
    ParquetReader reader(path);
    const int column = reader.require_column("code", {ColumnType::string});
    reader.read({column}, [&](const RowBatch& batch) {
      for (int64_t i = 0; i < batch.num_rows; ++i) {
        ++counts[std::string(batch.columns[0].text(i))];
      }
    });
  }
  DataCodes result;
  for (const auto& [code, count] : counts) {
    result.codes.push_back(code);
    result.counts.push_back(count);
  }
  return result;
}

using CodeMap = std::map<std::string, std::vector<std::string>>;

inline std::vector<std::string> codes_of(const Ontology& ontology, std::span<const int32_t> nodes) {
  std::vector<std::string> codes;
  for (const int32_t node : nodes) codes.push_back(ontology.code(node));
  return codes;
}

inline CodeMap parents_of(const Ontology& ontology) {
  CodeMap map;
  for (int32_t i = 0; i < ontology.num_nodes(); ++i) {
    map[ontology.code(i)] = codes_of(ontology, ontology.parents(i));
  }
  return map;
}

inline CodeMap all_parents_of(const Ontology& ontology) {
  CodeMap map;
  for (int32_t i = 0; i < ontology.num_nodes(); ++i) {
    map[ontology.code(i)] = codes_of(ontology, ontology.all_parents(i));
  }
  return map;
}

inline std::map<std::string, std::string> descriptions_of(const Ontology& ontology) {
  std::map<std::string, std::string> map;
  for (int32_t i = 0; i < ontology.num_nodes(); ++i) {
    map[ontology.code(i)] = ontology.description(i);
  }
  return map;
}

}  // namespace sequela
