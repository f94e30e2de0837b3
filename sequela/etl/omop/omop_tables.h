#pragma once

#include <string>
#include <vector>

namespace sequela {

// What is taken from one table: the words of the CDM that its columns are made of.
struct OmopTable {
  const char* table;           // "condition_occurrence"
  const char* label;           // "condition"
  const char* concept_prefix;  // of <prefix>_concept_id, <prefix>_source_value
  std::vector<std::string> times;
  std::vector<std::string> ends;
  const char* number = "";
  const char* text = "";
  const char* fallback = "";  // the code of a row without a concept; empty = its source value
};

// The tables of events, in the order in which they are planned; person, death and the vocabulary
// are read otherwise.
const std::vector<OmopTable>& omop_clinical_tables();

}  // namespace sequela
