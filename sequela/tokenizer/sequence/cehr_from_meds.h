#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/meds/event_store.h"
#include "sequela/tokenizer/sequence/cehr_records.h"
#include "sequela/tokenizer/sequence/visits.h"

namespace sequela {

// How MEDS events become CEHR-BERT's raw visits. Lists hold how codes begin.
struct CehrMedsOptions {
  VisitOptions visits;  // rule, encounter column, window, until; the limits do not count here
  std::vector<std::string> visit_types = {"Visit/", "NUCC/"};      // the code is the visit's type
  std::vector<std::string> admissions = {"HOSPITAL_ADMISSION//"};  // type Visit/IP
  std::vector<std::string> emergencies = {"ED_REGISTRATION//", "TRANSFER_TO//ED"};  // Visit/ER
  std::vector<std::string> discharges = {"HOSPITAL_DISCHARGE//"};  // rest of the code: where to
  std::vector<std::string> genders = {"Gender/", "GENDER/"};
  std::vector<std::string> races = {"Race/", "RACE/"};
  std::string end_column = "end";    // of a visit's type event: when the visit ended
  std::string unit_column = "unit";  // both are used where the store has them
};

// Turns subjects of a store into CEHR-BERT's raw visits. A visit's type is what its events say, the
// weightier of several (a stay before an emergency before the rest), "0" if they say nothing; its
// end is that of the type's event, else the last event's. Events that tell type, discharge, gender
// or race are not among the visit's events. numeric_value and text_value are the values. One
// converter serves one thread.
class CehrMedsConverter {
 public:
  CehrMedsConverter(const EventStore& store, CehrMedsOptions options);

  // Replaces `patient`; false if the subject has no birth, and so no ages, or no visits.
  bool convert(const Subject& subject, CehrPatient* patient);
  // What the patients' texts are numbers of; grows with convert().
  const TextTable& texts() const { return texts_; }

 private:
  enum class Role : uint8_t { event, visit_type, discharge, gender, race };
  struct CodeRole {
    Role role = Role::event;
    int8_t weight = 0;  // of a visit's type
    int32_t text = -1;  // the code, type or place itself
  };
  CodeRole role_of(const std::string& code);
  void find_demographics(const Subject& subject, CehrPatient* patient) const;
  void add_item(const Subject& subject, const VisitGrouper::Item& item, CehrVisit* visit,
                int8_t* weight, CehrPatient* patient);
  CehrEvent make_event(const Subject& subject, int64_t event, int32_t code);
  int32_t text_of(int property, int32_t text);

  const EventStore& store_;
  CehrMedsOptions options_;
  VisitGrouper grouper_;
  TextTable texts_;
  std::vector<CodeRole> roles_;  // by code
  int number_column_ = -1, text_column_ = -1, unit_column_ = -1, end_column_ = -1;
  std::vector<std::vector<int32_t>> property_texts_;  // by property and text, -1 = not yet added
  int32_t unknown_type_ = -1;
};

}  // namespace sequela
