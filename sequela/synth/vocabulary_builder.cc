#include "sequela/synth/vocabulary_builder.h"

#include <array>
#include <cstdio>

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr std::array kSystems = {"circulatory", "respiratory",     "endocrine", "digestive",
                                 "urinary",     "nervous",         "mental",    "musculoskeletal",
                                 "blood",       "skin and tissue", "sensory",   "reproductive"};
constexpr std::array kShapes = {"Inflammatory", "Degenerative", "Infectious", "Neoplastic",
                                "Traumatic",    "Vascular",     "Congenital", "Functional"};
constexpr std::array kRegions = {"anterior", "posterior", "lateral", "medial"};
constexpr std::array kCourses = {"Acute", "Chronic", "Recurrent", "Mild", "Severe", "Unspecified"};
constexpr std::array kVariants = {"mild",   "moderate",  "severe",      "with complication",
                                  "stable", "worsening", "unspecified", "under treatment"};
constexpr std::array kSymptomWords = {"pain",      "weakness",  "swelling", "discomfort",
                                      "numbness",  "pressure",  "spasm",    "fatigue",
                                      "stiffness", "tenderness"};
constexpr int kShapesPerDisease = 8;

}  // namespace

std::string padded(const char* format, int value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

int32_t VocabularyBuilder::add_code(const std::string& code, const std::string& description) {
  v_.codes.push_back(code);
  v_.descriptions.push_back(description);
  v_.local_parents.push_back(-1);
  v_.units.emplace_back();
  v_.is_event_code.push_back(0);
  v_.icd_of.push_back(-1);
  return static_cast<int32_t>(v_.codes.size()) - 1;
}

int32_t VocabularyBuilder::add(const Kind& kind, const std::string& code, const std::string& name,
                               std::vector<int32_t> parents) {
  SynthConcept added;
  added.vocabulary = kind.vocabulary;
  added.code = code;
  added.name = name;
  added.domain = kind.domain;
  added.concept_class = kind.concept_class;
  added.standard = kind.standard;
  added.parents = std::move(parents);
  v_.concepts.push_back(std::move(added));
  return add_code(std::string(kind.vocabulary) + "/" + code, name);
}

void VocabularyBuilder::add_people_and_visits() {
  const Kind gender{"Gender", "Gender", "Gender", 'S'}, race{"Race", "Race", "Race", 'S'};
  const Kind ethnicity{"Ethnicity", "Ethnicity", "Ethnicity", 'S'},
      visit{"Visit", "Visit", "Visit", 'S'};
  v_.genders = {add(gender, "M", "MALE"), add(gender, "F", "FEMALE")};
  for (int i = 1; i <= 5; ++i) v_.races.push_back(add(race, str(i), str("Race group ", i)));
  v_.ethnicities = {add(ethnicity, "Hispanic", "Hispanic or Latino"),
                    add(ethnicity, "Not Hispanic", "Not Hispanic or Latino")};
  v_.outpatient = add(visit, "OP", "Outpatient Visit");
  v_.inpatient = add(visit, "IP", "Inpatient Visit");
  v_.emergency = add(visit, "ER", "Emergency Room Visit");
  for (size_t i = 0; i < v_.codes.size(); ++i) v_.is_event_code[i] = 1;
}

int32_t VocabularyBuilder::add_finding(const std::string& name, std::vector<int32_t> parents) {
  const Kind kind{"SNOMED", "Clinical Finding", "Condition", 'S'};
  return add(kind, str(700'000'000 + 1009 * ++num_findings_), name, std::move(parents));
}

void VocabularyBuilder::add_icd(int32_t finding, int body_system) {
  const int number = num_icd_[body_system]++;
  const std::string code =
      str(static_cast<char>('A' + body_system), padded("%02d", number / 10), ".", number % 10);
  const Kind kind{"ICD10CM", "4-char billing code", "Condition", 0};
  const std::string name = v_.concepts[finding].name;
  const int32_t icd = add(kind, code, name);
  v_.concepts[icd].maps_to = finding;
  v_.is_event_code[icd] = 1;
  v_.icd_of[finding] = icd;
}

void VocabularyBuilder::add_findings() {
  const int32_t finding_root = add_finding("Clinical finding", {});
  const int32_t disease_root = add_finding("Disease", {finding_root});
  std::vector<int32_t> shapes;
  for (const char* shape : kShapes)
    shapes.push_back(add_finding(str(shape, " disorder"), {disease_root}));
  num_icd_.assign(kSystems.size(), 0);
  for (size_t system = 0; system < kSystems.size(); ++system) {
    add_disorders_of(static_cast<int>(system), disease_root, shapes);
  }
  add_symptoms(finding_root);
  add_disease_findings();
  v_.conditions = CodePool(disorders_, kVocabularyKey);
  v_.symptoms = CodePool(symptoms_, kVocabularyKey);
}

void VocabularyBuilder::add_disorders_of(int body_system, int32_t disease_root,
                                         const std::vector<int32_t>& shapes) {
  const std::string system_name = str(kSystems[body_system], " system");
  const int32_t system = add_finding("Disorder of " + system_name, {disease_root});
  groups_.emplace_back();
  for (size_t shape = 0; shape < kShapes.size(); ++shape) {
    const std::string group_name = str(kShapes[shape], " disorder of ", system_name);
    const int32_t group = add_finding(group_name, {system, shapes[shape]});
    groups_.back().push_back(group);
    for (const char* region : kRegions) {
      const int32_t subgroup = add_finding(str(group_name, ", ", region), {group});
      for (const char* course : kCourses) {
        const int32_t leaf = add_finding(str(course, " ", group_name, ", ", region), {subgroup});
        v_.is_event_code[leaf] = 1;
        disorders_.push_back(leaf);
        if (hash_key(kVocabularyKey, 1, leaf) % 10 < 6) add_icd(leaf, body_system);
      }
    }
  }
}

void VocabularyBuilder::add_symptoms(int32_t finding_root) {
  const int32_t root = add_finding("Symptom", {finding_root});
  for (const char* system : kSystems) {
    const int32_t group = add_finding(str("Symptom of ", system, " system"), {root});
    system_symptoms_.emplace_back();
    for (const char* word : kSymptomWords) {
      const int32_t symptom = add_finding(str("Symptom, ", system, ": ", word), {group});
      v_.is_event_code[symptom] = 1;
      symptoms_.push_back(symptom);
      system_symptoms_.back().push_back(symptom);
    }
  }
}

void VocabularyBuilder::add_disease_findings() {
  for (int disease = 0; disease < kNumDiseases; ++disease) {
    const DiseaseSpec& spec = kDiseases[disease];
    const int32_t group = groups_[spec.body_system][disease % kShapesPerDisease];
    const int32_t node = add_finding(spec.name, {group});
    for (const char* variant : kVariants) {
      const int32_t finding = add_finding(str(spec.name, ", ", variant), {node});
      v_.is_event_code[finding] = 1;
      v_.diseases[disease].diagnoses.push_back(finding);
      add_icd(finding, spec.body_system);
    }
  }
}

void VocabularyBuilder::add_measurements() {
  constexpr int kNumClasses = 25, kGroupsPerClass = 4, kPerGroup = 4;
  const Kind hierarchy{"LOINC", "LOINC Hierarchy", "Measurement", 'C'};
  const Kind lab{"LOINC", "Lab Test", "Measurement", 'S'};
  const int32_t root = add(hierarchy, "LP900000-0", "Laboratory and clinical");
  int number = 0;
  std::vector<int32_t> groups;
  for (int i = 0; i < kNumClasses; ++i) {
    const int32_t group = add(hierarchy, str("LP90", 1000 + i, "-1"), str("Class ", i + 1), {root});
    for (int k = 0; k < kGroupsPerClass; ++k) {
      const std::string code = str("LP91", 1000 + kGroupsPerClass * i + k, "-2");
      groups.push_back(add(hierarchy, code, str("Class ", i + 1, ", group ", k + 1), {group}));
    }
  }
  const auto add_lab = [&](const std::string& name, int32_t group) {
    const int32_t added = add(lab, str(900'000 + 7 * number, "-", number % 10), name, {group});
    ++number;
    v_.is_event_code[added] = 1;
    return added;
  };
  for (int i = 0; i < kNumLabs; ++i) {
    const int panel = static_cast<int>(kLabs[i].panel);
    v_.labs[i] = add_lab(kLabs[i].name, groups[kGroupsPerClass * panel + i % kGroupsPerClass]);
    v_.units[v_.labs[i]] = kLabs[i].unit;
  }
  constexpr std::array kUnits = {"mg/dL", "U/L", "ng/mL", "mmol/L", "%", "10*3/uL"};
  for (size_t i = 0; i < groups.size() * kPerGroup; ++i) {
    other_labs_.push_back(add_lab(str("Analyte ", i + 1, " in serum"), groups[i / kPerGroup]));
    v_.units[other_labs_.back()] = kUnits[i % kUnits.size()];
  }
  v_.tobacco_status = add_lab("Tobacco smoking status", groups.back());
  v_.other_labs = CodePool(other_labs_, kVocabularyKey);
}

void VocabularyBuilder::add_procedures() {
  const Kind hierarchy{"CPT4", "CPT4 Hierarchy", "Procedure", 'C'},
      kind{"CPT4", "CPT4", "Procedure", 'S'};
  const int32_t root = add(hierarchy, "H000", "Procedures");
  int number = 0;
  for (size_t system = 0; system < kSystems.size(); ++system) {
    const std::string name = str("Procedures on the ", kSystems[system], " system");
    const int32_t section =
        add(hierarchy, padded("H1%02d", static_cast<int>(system)), name, {root});
    system_procedures_.emplace_back();
    for (int i = 0; i < 5; ++i) {
      const std::string part = str(name, ", part ", i + 1);
      const int32_t subsection = add(hierarchy, padded("H2%03d", number), part, {section});
      for (int k = 0; k < 3; ++k) {
        const std::string heading = str(part, ".", k + 1);
        const int32_t parent = add(hierarchy, padded("H3%03d", number), heading, {subsection});
        for (int n = 0; n < 5; ++n) {
          const int32_t added =
              add(kind, padded("X%04d", number++), str(heading, ".", n + 1), {parent});
          v_.is_event_code[added] = 1;
          procedures_.push_back(added);
          system_procedures_.back().push_back(added);
        }
      }
    }
  }
  v_.procedures = CodePool(procedures_, kVocabularyKey);
}

void VocabularyBuilder::add_local_codes() {
  for (int i = 0; i < kNumLabs; ++i) {
    const std::string name = str(kLabs[i].name, " (local)");
    v_.local_labs[i] = add_code(padded("LOCAL/lab-%02d", i), name);
    v_.local_parents.back() = v_.labs[i];
    v_.units.back() = kLabs[i].unit;
    v_.is_event_code.back() = 1;
  }
  v_.discharge = add_code("LOCAL/discharge", "Discharge from hospital");
  v_.local_parents.back() = v_.inpatient;
  v_.is_event_code.back() = 1;
  v_.birth = add_code("MEDS_BIRTH", "Birth");
  v_.death = add_code("MEDS_DEATH", "Death");
  v_.is_event_code[v_.birth] = v_.is_event_code[v_.death] = 1;
}

void VocabularyBuilder::add_flare(Flares flares) {
  v_.flare = add_code("LOCAL/flare", "Flare");
  v_.is_event_code.back() = flares == Flares::yes;
}

void VocabularyBuilder::fill_diseases() {
  const size_t antineoplastic_group = 7 * 27;  // first ATC 4th group of letter L
  for (int disease = 0; disease < kNumDiseases; ++disease) {
    DiseaseCodes& codes = v_.diseases[disease];
    const DiseaseSpec& spec = kDiseases[disease];
    const bool is_cancer = disease >= kLungCancer && disease <= kProstateCancer;
    const size_t group = is_cancer ? antineoplastic_group + disease % 27
                                   : hash_key(kVocabularyKey, 2, disease) % antineoplastic_group;
    codes.drugs = drugs_of_group_[group];
    const auto& symptoms = system_symptoms_[spec.body_system];
    const auto& procedures = system_procedures_[spec.body_system];
    for (int i = 0; i < 4; ++i) {
      codes.symptoms.push_back(symptoms[(3 * disease + i) % symptoms.size()]);
      codes.procedures.push_back(procedures[(7 * disease + i) % procedures.size()]);
    }
    if (is_cancer) codes.regimen = regimens_[disease % regimens_.size()];
  }
}

}  // namespace sequela
