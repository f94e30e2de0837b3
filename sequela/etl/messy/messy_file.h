#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sequela/etl/messy/expression.h"

namespace sequela {

// An expression and the line of the file where it stands.
struct MessyValue {
  std::string name;  // of the column that it makes
  MessyExpression expression;
  int line = 0;
};

// Metadata of a code: a table of its own, or the event's own rows ("_self").
struct MessyMetadata {
  std::string table;
  std::vector<MessyValue> outputs;
  int line = 0;
};

struct MessyEvent {
  std::string name;
  int line = 0;
  MessyValue code;
  std::optional<MessyValue> time;   // nothing = static
  std::vector<MessyValue> columns;  // numeric_value, text_value and others
  std::vector<MessyMetadata> metadata;
};

struct MessyJoin {
  std::string table;
  int line = 0;
  std::vector<std::string> left_keys, right_keys;
  struct Column {
    std::string name;
    std::string aggregation;  // min, max, sum, mean, count; empty = each row as it is
  };
  std::vector<Column> columns;
};

struct MessyTable {
  std::string name;  // "hosp/admissions"
  int line = 0;
  MessyValue subject_id;
  std::vector<MessyValue> columns;  // derived ones, in order
  std::vector<MessyJoin> joins;
  std::vector<MessyEvent> events;
};

// A MESSY file of MEDS-Extract 0.7 (PyPI: MEDS-extract), "event_configs.yaml". `sources:` is passed
// over, of `etl:` the data set's name and version and do_dedup_text_and_numeric are taken.
struct MessyFile {
  std::string path;
  std::string dataset_name, dataset_version;
  bool dedups_text = false;  // a text_value that is the numeric_value is null
  std::vector<MessyTable> tables;
};

// Throws ConfigError "path: line 7: ...".
MessyFile parse_messy(const std::string& text, const std::string& path);

}  // namespace sequela
