#pragma once

#include <array>
#include <limits>
#include <span>

#include "sequela/core/json.h"
#include "sequela/synth/labs.h"

namespace sequela {

// The planted diseases, in the order of kDiseases.
enum DiseaseId : int {
  kHypertension,
  kDiabetes,
  kHyperlipidemia,
  kObesity,
  kCoronaryDisease,
  kHeartFailure,
  kAtrialFibrillation,
  kStroke,
  kKidneyDisease,
  kLungDisease,
  kAsthma,
  kDepression,
  kAnxiety,
  kDementia,
  kParkinson,
  kEpilepsy,
  kLungCancer,
  kBreastCancer,
  kColorectalCancer,
  kProstateCancer,
  kRheumatoidArthritis,
  kOsteoarthritis,
  kOsteoporosis,
  kHypothyroidism,
  kCirrhosis,
  kAnemia,
  kNumDiseases
};

inline constexpr double kNever = std::numeric_limits<double>::infinity();  // days

// The disease of the third prediction task, chronic_onset_1y.
inline constexpr DiseaseId kOnsetTaskDisease = kHeartFailure;
inline constexpr double kOnsetTaskMinAge = 45;  // years

// A disease begins silently (its prodrome: drifting values, unspecific symptoms) and then breaks
// out.
//
//   prodrome hazard per year = base * exp(age_slope * (age - 50) / 10 + female + smoker
//                              + metabolic * z_metabolic + frailty * z_frailty + sum of links)
//   outbreak hazard per year = outbreak, once the prodrome began
struct DiseaseSpec {
  const char* key;   // in truth files
  const char* name;  // in the vocabulary
  int body_system;   // 0 .. kNumBodySystems - 1, see vocabulary.cc
  double base;       // per year, at age 50
  double age_slope;  // log hazard ratio per ten years
  double female;     // log hazard ratios
  double smoker;
  double metabolic;
  double frailty;
  double outbreak;              // per year
  double death;                 // log hazard ratio of death out of hospital
  double admission;             // log hazard ratio of admission
  double hospital_death;        // added to the logit of death in hospital
  double admitted_at_outbreak;  // probability that it comes to light by an admission
};

extern const std::array<DiseaseSpec, kNumDiseases> kDiseases;

// A disease that, once broken out, multiplies another's prodrome hazard by exp(log_ratio).
struct DiseaseLink {
  DiseaseId cause;
  DiseaseId effect;
  double log_ratio;
};
std::span<const DiseaseLink> disease_links();

// A disease that shifts a measurement's z: by `shift` once broken out, by half of it in the
// prodrome.
struct LabShift {
  DiseaseId disease;
  LabId lab;
  double shift;
};
std::span<const LabShift> lab_shifts();

// Hazards of the rest of the course; see course.h for their use.
struct CourseSpec {
  double death_base = 0.002;  // per year at age 50, out of hospital
  double death_age_slope = 0.85;
  double death_smoker = 0.5;
  double death_frailty = 0.45;
  double outpatient_base = 1.8;  // visits a year
  double outpatient_per_disease = 0.22;
  double outpatient_frailty = 0.35;
  double emergency_base = 0.16;  // visits a year
  double emergency_frailty = 0.6;
  double admission_base = 0.035;  // a year, at age 50
  double admission_age_slope = 0.2;
  double admission_frailty = 0.5;
  // Logit of death in a stay: intercept + age_slope * (age - 60) / 10 + severity * s + frailty * z
  // + sum of hospital_death, where s is the stay's severity (standard normal).
  double hospital_death_intercept = -4.6;
  double hospital_death_age_slope = 0.3;
  double hospital_death_severity = 1.35;
  double hospital_death_frailty = 0.3;
  // Logit of an early readmission, drawn at discharge; it then falls within 30 days.
  double readmission_intercept = -2.75;
  double readmission_admission = 0.45;  // times the sum of the diseases' `admission`
  double readmission_frailty = 0.55;
  double readmission_severity = 0.4;
  double readmission_recent = 0.5;  // per stay in the year before, at most 3
};
inline constexpr CourseSpec kCourse;

// All of the above as JSON, for truth/hazards.json.
Json hazards_to_json();

}  // namespace sequela
