#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sequela/core/text_table.h"
#include "sequela/core/time.h"

namespace sequela {

// How a gap in days becomes an artificial time token.
enum class TimeTokens { cehr_bert, day, week, month, mix, none };

// "cehr_bert", "day", ...; ConfigError on another name (`key` names the setting).
TimeTokens parse_time_tokens(const std::string& name, const std::string& key);
const char* name_of(TimeTokens scheme);

// "W1", "M3", "D12", "LT"; empty for TimeTokens::none. Negative gaps are let in.
std::string time_token(TimeTokens scheme, int64_t days);

struct CehrRecordOptions {
  TimeTokens time_tokens = TimeTokens::cehr_bert;       // between visits
  TimeTokens inpatient_time_tokens = TimeTokens::none;  // between the events of one stay, with "i-"
  bool with_visit_type = false;    // visit type after [VS], discharge facility before [VE]
  bool with_demographics = false;  // year, age, gender, race first
  // Visits whose events keep their own days.
  std::vector<std::string> stay_types = {
      "9201",     "262",        "8971",     "8920",     "38004311",
      "Visit/IP", "Visit/ERIP", "Visit/51", "Visit/61", "NUCC/315D00000X",
      "Visit/ER"};
};

// An event; texts are numbers in the patient's TextTable, -1 = none.
struct CehrEvent {
  int64_t time_us = kNoTime;  // kNoTime = left out
  int32_t code = -1;
  int32_t text = -1;  // text value
  int32_t unit = -1;
  bool has_number = false;
  double number = 0;
};

struct CehrVisit {
  int64_t start_us = 0;
  int64_t end_us = kNoTime;
  int32_t type = -1;
  int32_t discharge = -1;
  int64_t first_event = 0;
  int64_t num_events = 0;
};

// A patient's raw visits, in any order.
struct CehrPatient {
  int64_t id = 0;
  int64_t birth_us = 0;
  int32_t gender = -1;
  int32_t race = -1;
  std::vector<CehrVisit> visits;
  std::vector<CehrEvent> events;
};

// Records of many patients in a row; that of patient i goes from offsets[i] to offsets[i + 1].
// Concepts, units and visit types are numbers in `texts`; unit -1 = "N/A", visit type -1 = "0".
struct CehrRecords {
  TextTable texts;
  std::vector<int64_t> person_ids;
  std::vector<int64_t> num_visits;  // empty ones counted
  std::vector<int64_t> offsets = {0};
  std::vector<int32_t> concepts;
  std::vector<int32_t> ages;          // years, -1 for time tokens
  std::vector<int32_t> weeks;         // since 1970, 0 for time tokens ("dates")
  std::vector<int32_t> visit_orders;  // from 1, 0 for demographics
  std::vector<uint8_t> segments;      // 1, 2; 0 outside of visits
  std::vector<uint8_t> value_masks;   // 1 = values[i] is one (mlm_skip_values is the same)
  std::vector<double> values;         // -1 without one
  std::vector<int32_t> units;
  std::vector<int32_t> visit_types;
  std::vector<int64_t> times_us;

  int64_t num_records() const { return static_cast<int64_t>(person_ids.size()); }
  int64_t size() const { return static_cast<int64_t>(concepts.size()); }
  void clear_rows();  // all but the texts
};

// Turns raw visits into CEHR-BERT's records: [VS], visit type, events, discharge, [VE], time tokens
// between visits. One builder serves many patients; it keeps what it learnt about each code. Not
// for use by two threads at a time.
//
// Source: cehrbert 1.5.0, MedToCehrBertDatasetMapping, and cehrbert_data 0.2.3's time tokens.
class CehrRecordBuilder {
 public:
  // `texts` names the patients' codes and may grow between patients; `records` is appended to. Both
  // must outlive the builder. Rows may be taken out of `records` (clear_rows), its texts not.
  CehrRecordBuilder(const TextTable& texts, CehrRecordOptions options, CehrRecords* records);

  void append(const CehrPatient& patient);

 private:
  // What the present token gets besides its concept.
  struct Place {
    int32_t age = -1;
    int32_t week = 0;
    int32_t order = 0;
    uint8_t segment = 0;
    uint8_t has_value = 0;
    double value = -1;
    int32_t unit = -1;
    int32_t visit_type = -1;
  };
  void append_demographics(const CehrPatient& patient, int64_t start_us);
  void append_visit(const CehrPatient& patient, const CehrVisit& visit, Place place);
  void append_stay_event(const CehrEvent& event, int64_t birth_us, Place* place);
  void append_event(const CehrEvent& event, bool is_stay, const Place& place);
  void push(int32_t concept_id, const Place& place);
  int32_t concept_of(int32_t text);
  int32_t concept_of_event(const CehrEvent& event);
  int32_t time_concept(bool is_stay, int64_t days);
  bool is_stay_type(int32_t text);
  bool is_repeated(int32_t concept_id, double value);

  const TextTable& texts_;
  const CehrRecordOptions options_;
  CehrRecords* const records_;
  int64_t cursor_us_ = kNoTime;  // how far the patient's time has come

  std::vector<int32_t> concepts_;   // by text: its concept, -1 = not yet known
  std::vector<int8_t> stay_types_;  // by text, -1 = not yet known
  std::unordered_map<uint64_t, int32_t> options_of_codes_;  // by code and text value
  std::unordered_map<int64_t, int32_t> time_concepts_[2];   // by days, of visits and of stays
  int32_t visit_start_, visit_end_, unknown_discharge_;

  // Events of the present outpatient visit, as lists by concept.
  struct Seen {
    double value;
    int32_t next;
  };
  std::vector<Seen> seen_;
  std::vector<int64_t> seen_visit_;  // by concept: the visit that its list is of
  std::vector<int32_t> seen_first_;
  int64_t visit_number_ = 0;
};

// Whole years from birth to a time, as dateutil.relativedelta counts them.
int32_t age_years(int64_t birth_us, int64_t time_us);

// Reads patients as cehrbert's raw JSON has them (a list of objects with patient_id,
// birth_datetime, gender, race, visits). Times are ISO 8601. Untrusted; FileError.
struct CehrPatients {
  TextTable texts;
  std::vector<CehrPatient> patients;
};
CehrPatients read_cehr_patients(const std::string& path);

}  // namespace sequela
