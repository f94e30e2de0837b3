#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/core/text_table.h"
#include "sequela/io/time_column.h"
#include "sequela/tokenizer/sequence/visits.h"

namespace sequela {

// What one line of the output stands for.
enum class EncodeLevel { codes, visits, patients, texts };

// "codes", "visits", "patients" or "texts"; ConfigError on another name.
EncodeLevel parse_encode_level(const std::string& name);

// Input of `sequela encode --input FILE`.
struct EncodeInput {
  EncodeLevel level = EncodeLevel::codes;
  // visits.codes are vocabulary ids (the input has numbers), or else numbers in `code_texts`.
  bool has_ids = false;
  TextTable code_texts;
  // Level patients: as they are. Visits: one patient without an id holds all. Codes: the same with
  // one visit. Texts: empty.
  PatientVisits visits;
  bool has_subject_ids = false;          // else subject_ids are 0, 1, ...
  bool has_times = false;                // else visit times are kNoTime
  std::vector<std::string> visit_names;  // [V] visit_id as text; empty if the input has none
  std::vector<std::string> texts;        // level texts
  int64_t num_visits_dropped = 0;        // beyond max_visits
  int64_t num_codes_cut = 0;             // beyond max_codes
};

struct EncodeInputOptions {
  // "" = by the file's name: parquet, csv, tsv, jsonl (.jsonl, .ndjson, .json), txt.
  std::string format;
  // "" = by the columns: patients where there is a subject, else visits where there is a visit, a
  // time or a list of codes, else codes; texts where there is a text and no code.
  std::string level;
  // Are codes "ids" or "codes"? "" = by their type: numbers are ids, texts (and so all of CSV)
  // codes.
  std::string code_kind;
  // Names of columns and keys; "" = the usual ones that are there.
  std::string code_column;             // code, codes
  std::string subject_column;          // subject_id, patient_id, person_id
  std::string visit_column;            // visit_id, encounter_id, hadm_id, visit_occurrence_id
  std::string time_column;             // time
  std::string text_column;             // text
  ZoneRule zone_rule = ZoneRule::utc;  // of times that have a zone
  int64_t max_visits = 0;              // most recent kept; 0 = all
  int64_t max_codes = 0;               // first ones of a visit kept; 0 = all

  void validate() const;  // ConfigError
};

// Reads codes, visits or patients.
//
// Text may be packed by gzip. Names of columns count in any case; CSV's delimiter is the header's.
//
// Tables (Parquet, CSV, TSV): a row is an event (column code), or a visit or part of one (column
// codes: a list of strings or integers in Parquet, in CSV texts with spaces, ; or | between). Rows
// of one subject need not stand together. Subjects come out in the order of their first row, their
// visits by time, without times by their first row. Rows of one subject and visit_id are one visit;
// without a visit_id events of one calendar day are, without a time all events of a subject, and
// each row of `codes` is one of its own. A column `text` makes texts, a row each.
//
// JSON lines: a line is an object with the same keys, or with "visits": a list of lists of codes or
// of objects {"visit_id":, "time":, "codes": [...]}; or it is a list of such lists (a patient), a
// list of codes (a visit), or a code. All lines are of one kind. Text: a line is a text.
//
// A missing code, a bad time or id, or codes of two kinds are a DataError with path, row, column.
EncodeInput read_encode_input(const std::string& path, const EncodeInputOptions& options = {});

}  // namespace sequela
