#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sequela/core/random.h"
#include "sequela/synth/diseases.h"

namespace sequela {

// A made-up concept in the shape of an OHDSI vocabulary's. No code is taken from a real vocabulary.
struct SynthConcept {
  std::string vocabulary;  // SNOMED, ICD10CM, RxNorm, ATC, SPL, HemOnc, LOINC, CPT4, Visit, ...
  std::string code;
  std::string name;
  std::string domain;
  std::string concept_class;
  char standard = 0;             // 'S' standard, 'C' classification, 0 neither
  std::vector<int32_t> parents;  // indices of the concepts one level up
  int32_t maps_to = -1;          // of a concept that is not standard: its standard one
};

// Draws from a list of codes with a Zipf-like law: few are common, most are rare.
class CodePool {
 public:
  CodePool() = default;
  // `key` decides which codes are common.
  CodePool(std::vector<int32_t> codes, uint64_t key);
  int32_t draw(Random& random) const;
  const std::vector<int32_t>& codes() const { return codes_; }

 private:
  std::vector<int32_t> codes_;
  std::vector<double> cumulative_;
};

// What a planted disease leaves in the record, as event codes.
struct DiseaseCodes {
  std::vector<int32_t> diagnoses;  // SNOMED variants of the disease
  std::vector<int32_t> drugs;
  std::vector<int32_t> procedures;
  std::vector<int32_t> symptoms;  // unspecific: other diseases and chance give them too
  int32_t regimen = -1;           // HemOnc, cancers only
};

// All codes that records are made of. An event code is an index into `codes`, whose first
// concepts.size() entries are the concepts and whose rest are codes that Athena does not know.
//
// The vocabulary is the same for every seed, so that models and tokenizers carry over between
// generated data sets.
struct SynthVocabulary {
  std::vector<SynthConcept> concepts;
  std::vector<std::string> codes;         // "SNOMED/700001009", "LOCAL/lab-03", "MEDS_BIRTH"
  std::vector<std::string> descriptions;  // parallel to codes
  std::vector<int32_t> local_parents;     // by code: concept of a local code, else -1
  std::vector<std::string> units;         // by code, empty = none
  std::vector<uint8_t> is_event_code;     // by code: may occur in data

  int32_t birth, death, tobacco_status;
  int32_t flare;  // an event only where flares are asked for (flares.h)
  int32_t outpatient, inpatient, emergency, discharge;
  std::array<int32_t, 2> genders;  // male, female
  std::vector<int32_t> races;
  std::vector<int32_t> ethnicities;
  std::array<int32_t, kNumLabs> labs;        // LOINC
  std::array<int32_t, kNumLabs> local_labs;  // the same measurements at a site without LOINC
  std::vector<int32_t> icd_of;               // by code: ICD10CM code of a SNOMED finding, else -1
  std::array<DiseaseCodes, kNumDiseases> diseases;
  CodePool conditions, symptoms, drugs, procedures, other_labs;
};

enum class Flares : uint8_t { no, yes };
SynthVocabulary build_vocabulary(Flares flares = Flares::no);

}  // namespace sequela
