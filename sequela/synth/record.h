#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "sequela/synth/person.h"
#include "sequela/synth/vocabulary.h"

namespace sequela {

// One row of a record.
struct SynthEvent {
  int64_t time_us = 0;                                    // kNoTime = static
  int32_t code = 0;                                       // index into SynthVocabulary::codes
  int32_t text = -1;                                      // index into tobacco_texts(), -1 = none
  float value = std::numeric_limits<float>::quiet_NaN();  // NaN = none
};

// What text_value may hold.
const std::array<const char*, 3>& tobacco_texts();

// Writes down what happens to one person: visits and what is found, ordered and done in them. What
// is written depends on the person's stages at the time of the call, through noise.
class RecordWriter {
 public:
  RecordWriter(const SynthVocabulary& vocabulary, const Person& person, Random& random,
               std::vector<SynthEvent>& events);

  void write_demographics();
  void write_death(double day);
  // Call after each change of a disease's stage.
  void update_shifts();

  void write_outpatient_visit(double day);
  void write_emergency_visit(double day);
  void write_diagnosis(double day, int disease);
  // A stay in hospital from `admitted` to `discharged`; the outcome shows only in its later days.
  struct Stay {
    double admitted = 0;
    double discharged = 0;  // or died
    double severity = 0;    // standard normal
    bool is_fatal = false;
  };
  void write_stay(const Stay& stay);

 private:
  void add(double day, int32_t code);
  void add_finding(double day, int32_t code);  // as SNOMED or, often, ICD10CM
  void add_lab(double day, int lab, double severity);
  void add_other_labs(double day, double mean_count);
  void add_panel(double day, Panel panel, double probability, double severity);
  void add_drawn(double day, const CodePool& pool, double mean_count);
  void add_findings(double day, const CodePool& pool, double mean_count);
  void add_chronic_care(double day);
  void add_disease_labs(double day, int disease);
  void add_routine_labs(double day);
  void add_tobacco_status(double day);
  void write_hospital_day(const Stay& stay, int day_number);
  bool chance(double probability) { return random_.uniform() < probability; }
  int poisson(double mean);

  const SynthVocabulary& vocabulary_;
  const Person& person_;
  Random& random_;
  std::vector<SynthEvent>& events_;
  std::array<float, kNumLabs> own_level_;   // z of the person when healthy
  std::array<float, kNumLabs> shift_ = {};  // z added by diseases
};

}  // namespace sequela
