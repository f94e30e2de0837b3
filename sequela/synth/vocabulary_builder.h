#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/synth/vocabulary.h"

namespace sequela {

// Of everything random in the vocabulary.
inline constexpr uint64_t kVocabularyKey = 0x5E0E1A;

// printf of one int, for codes of a fixed width.
std::string padded(const char* format, int value);

// Fills a SynthVocabulary, one family of codes after the other. Call its functions in this order,
// once.
class VocabularyBuilder {
 public:
  explicit VocabularyBuilder(SynthVocabulary& vocabulary) : v_(vocabulary) {}

  void add_people_and_visits();  // Gender, Race, Ethnicity, Visit
  // SNOMED: finding > disease > system > group > region > disorder, a group also below its
  // morphology; ICD10CM: codes that are not standard and map to most of the disorders.
  void add_findings();
  // ATC 1st to 5th > RxNorm ingredient > form > clinical drug; each drug also below its SPL label,
  // each antineoplastic ingredient also below HemOnc regimens.
  void add_drugs();
  void add_measurements();  // LOINC: class > group > measurement
  void add_procedures();    // CPT4: root > section > subsection > heading > procedure
  void add_local_codes();   // after all concepts
  void fill_diseases();
  void add_flare(Flares flares);  // last, so that the others keep their places

 private:
  struct Kind {
    const char* vocabulary;
    const char* concept_class;
    const char* domain;
    char standard;
  };
  int32_t add(const Kind& kind, const std::string& code, const std::string& name,
              std::vector<int32_t> parents = {});
  int32_t add_finding(const std::string& name, std::vector<int32_t> parents);
  void add_icd(int32_t finding, int body_system);
  void add_disorders_of(int body_system, int32_t disease_root, const std::vector<int32_t>& shapes);
  void add_disease_findings();
  void add_symptoms(int32_t finding_root);
  void add_atc_group(int32_t parent, const std::string& parent_code, int level);
  void add_ingredient(int32_t atc, const std::string& atc_code);
  int32_t add_code(const std::string& code, const std::string& description);

  SynthVocabulary& v_;
  int32_t num_findings_ = 0;
  std::vector<int32_t> num_icd_;                       // by body system
  std::vector<std::vector<int32_t>> groups_;           // by body system, by morphology
  std::vector<std::vector<int32_t>> system_symptoms_;  // by body system
  std::vector<std::vector<int32_t>> system_procedures_;
  std::vector<std::vector<int32_t>> drugs_of_group_;  // by ATC 4th group
  std::vector<int32_t> regimens_;
  std::vector<int32_t> disorders_, procedures_, drugs_, other_labs_, symptoms_;
  int32_t num_ingredients_ = 0;
};

}  // namespace sequela
