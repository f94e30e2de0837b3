#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/tokenizer/sequence/text_table.h"
#include "sequela/tokenizer/sequence/visits.h"

namespace sequela {

// What one line of the output stands for.
enum class EncodeLevel { codes, visits, patients, texts };

// Input of `sequela encode --input FILE`.
struct EncodeInput {
  EncodeLevel level = EncodeLevel::codes;
  // Codes are vocabulary ids (the input has numbers) or numbers in `code_texts`.
  bool has_ids = false;
  TextTable code_texts;
  // level patients: as they are. visits: each visit is of one patient, or of none (subject_ids
  // empty, then one "patient" holds all). codes: one visit holds all.
  PatientVisits visits;
  bool has_subject_ids = false;
  bool has_times = false;
  std::vector<std::string> visit_names;  // [V] visit_id as text; empty if there is none
  std::vector<std::string> texts;        // level texts
};

struct EncodeInputOptions {
  // "" = by the file's name: .parquet, .csv, .tsv, .jsonl/.ndjson, .txt.
  std::string format;
  // "" = by the columns: codes with visit_id or time are visits, with subject_id patients.
  std::string level;
  std::string code_column = "code";  // or "codes" (lists)
  std::string subject_column;        // "" = the first there is of subject_id, patient_id, person_id
  std::string visit_column;          // "" = visit_id, encounter_id, hadm_id, visit_occurrence_id
  std::string time_column = "time";
  std::string text_column = "text";
  int64_t max_visits = 0;  // most recent kept; 0 = all
  int64_t max_codes = 0;   // of a visit
};

// Reads codes, visits or patients.
//
// Tables (Parquet, CSV, TSV): one row an event (columns code and, as there are, subject_id,
// visit_id, time) or one row a visit (column codes: a list in Parquet, in CSV codes with spaces or
// ; or | between). Rows of one subject need not stand together; subjects come out in the order of
// their first row, visits by time, else in the order of their first row. Without visit_id the
// visits are the calendar days of time. A column `text` makes texts.
// JSON lines: an object a line with the same keys ("codes": [...], or "visits": [[...], ...] or
// [{"time":, "visit_id":, "codes": [...]}, ...]), a list of codes, a list of lists, or a string or
// number alone. Text lines: one text a line.
// Codes are strings, or all of them integers: then they are ids. DataError with path, row, column.
EncodeInput read_encode_input(const std::string& path, const EncodeInputOptions& options = {});

}  // namespace sequela
