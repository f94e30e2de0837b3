#include <nlohmann/json.hpp>
#include <string_view>

#include "sequela/core/error.h"
#include "sequela/core/iso_time.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/tokenizer/sequence/cehr_records.h"

namespace sequela {
namespace {

// Reads the members of one JSON object; faults name the member and the file.
class Member {
 public:
  Member(const Json& object, const std::string& path) : object_(object), path_(path) {
    if (!object.is_object()) throw FileError(path, "a patient, visit or event is not an object");
  }
  const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  int64_t integer(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr || !value->is_number_integer()) fail(key, "is not an integer");
    return value->get<int64_t>();
  }
  int32_t text(const char* key, TextTable* texts) const {
    const Json* value = find(key);
    if (value == nullptr) return -1;
    if (!value->is_string()) fail(key, "is not a string");
    return texts->add(value->get_ref<const std::string&>());
  }
  const Json& list(const char* key) const {
    static const Json none = Json::array();
    const Json* value = find(key);
    if (value == nullptr) return none;
    if (!value->is_array()) fail(key, "is not a list");
    return *value;
  }
  int64_t time(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) return kNoTime;
    if (!value->is_string()) fail(key, "is not an ISO 8601 time");
    const auto time = parse_iso_time(value->get_ref<const std::string&>());
    if (!time) fail(key, "is not an ISO 8601 time");
    return *time;
  }
  [[noreturn]] void fail(const char* key, const char* problem) const {
    throw FileError(path_, str("'", key, "' ", problem));
  }

 private:
  const Json& object_;
  const std::string& path_;
};

CehrEvent read_event(const Member& in, const std::string& path, TextTable* texts) {
  CehrEvent event;
  event.time_us = in.time("time");
  event.code = in.text("code", texts);
  if (event.code < 0) in.fail("code", "is missing");
  event.text = in.text("text_value", texts);
  event.unit = in.text("unit", texts);
  if (const Json* number = in.find("numeric_value")) {
    event.has_number = true;
    event.number = json_number(*number, path);
  }
  return event;
}

CehrPatient read_patient(const Member& in, const std::string& path, TextTable* texts) {
  CehrPatient patient;
  patient.id = in.integer("patient_id");
  patient.birth_us = in.time("birth_datetime");
  if (patient.birth_us == kNoTime) in.fail("birth_datetime", "is missing");
  patient.gender = in.text("gender", texts);
  patient.race = in.text("race", texts);
  for (const Json& item : in.list("visits")) {
    const Member from(item, path);
    CehrVisit visit;
    visit.start_us = from.time("visit_start_datetime");
    if (visit.start_us == kNoTime) from.fail("visit_start_datetime", "is missing");
    visit.end_us = from.time("visit_end_datetime");
    visit.type = from.text("visit_type", texts);
    visit.discharge = from.text("discharge_facility", texts);
    visit.first_event = static_cast<int64_t>(patient.events.size());
    for (const Json& event : from.list("events")) {
      patient.events.push_back(read_event(Member(event, path), path, texts));
    }
    visit.num_events = static_cast<int64_t>(patient.events.size()) - visit.first_event;
    patient.visits.push_back(visit);
  }
  return patient;
}

}  // namespace

CehrPatients read_cehr_patients(const std::string& path) {
  const Json root = parse_json(read_file(path), path);
  if (!root.is_array()) throw FileError(path, "this is not a list of patients");
  CehrPatients out;
  for (const Json& patient : root) {
    out.patients.push_back(read_patient(Member(patient, path), path, &out.texts));
  }
  return out;
}

}  // namespace sequela
