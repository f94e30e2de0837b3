#include "sequela/synth/diseases.h"

#include <nlohmann/json.hpp>

namespace sequela {

// Body systems: 0 circulatory, 1 respiratory, 2 endocrine, 3 digestive, 4 genitourinary, 5 nervous,
// 6 mental, 7 musculoskeletal, 8 blood, 9 skin, 10 eye and ear, 11 reproductive.
const std::array<DiseaseSpec, kNumDiseases> kDiseases = {{
    // key, name, system, base, age, female, smoker, metabolic, frailty, outbreak, death, admission,
    // hospital_death, admitted_at_outbreak
    {"hypertension", "Hypertension", 0, .018, .35, 0, .1, .5, .1, .7, .1, .05, 0, .01},
    {"diabetes", "Diabetes mellitus type 2", 2, .005, .3, -.1, .1, .9, .1, .5, .3, .2, .1, .05},
    {"hyperlipidemia", "Hyperlipidemia", 2, .014, .3, -.05, .1, .6, 0, .8, 0, 0, 0, 0},
    {"obesity", "Obesity", 2, .009, .05, .1, 0, 1, .1, .6, .1, .05, 0, 0},
    {"coronary", "Coronary artery disease", 0, .0035, .55, -.5, .6, .4, .2, .4, .4, .35, .2, .3},
    {"heart_failure", "Heart failure", 0, .004, .6, -.2, .3, .4, .5, .3, .8, .6, .4, .4},
    {"atrial_fibrillation", "Atrial fibrillation", 0, .0025, .65, -.3, .1, .2, .3, .5, .3, .3, .2,
     .2},
    {"stroke", "Cerebrovascular disease", 5, .002, .6, -.1, .4, .3, .3, .6, .5, .4, .4, .9},
    {"kidney_disease", "Chronic kidney disease", 4, .0035, .55, 0, .2, .4, .3, .3, .5, .35, .3, .1},
    {"lung_disease", "Chronic obstructive lung disease", 1, .003, .45, -.1, 1.5, 0, .3, .4, .5, .5,
     .3, .15},
    {"asthma", "Asthma", 1, .004, -.05, .2, .2, .1, 0, .8, .05, .15, 0, .05},
    {"depression", "Depressive disorder", 6, .006, .02, .5, .3, .1, .4, .8, .1, .15, 0, .03},
    {"anxiety", "Anxiety disorder", 6, .005, -.05, .5, .2, 0, .3, .8, .05, .05, 0, .01},
    {"dementia", "Dementia", 5, .0006, 1.1, .1, .1, .1, .3, .4, .8, .4, .5, .1},
    {"parkinson", "Parkinson disease", 5, .0008, .8, -.3, -.2, 0, .2, .4, .4, .3, .2, .05},
    {"epilepsy", "Epilepsy", 5, .001, .1, 0, 0, 0, .2, .8, .4, .3, .1, .4},
    {"lung_cancer", "Malignant tumor of lung", 1, .0005, .7, -.2, 1.9, 0, .1, 1.2, 1.7, .9, .9, .2},
    {"breast_cancer", "Malignant tumor of breast", 11, .00015, .4, 3, .1, .1, .1, 1, .7, .4, .5,
     .1},
    {"colorectal_cancer", "Malignant tumor of colon", 3, .0007, .65, -.2, .3, .2, .1, 1, 1, .6, .6,
     .2},
    {"prostate_cancer", "Malignant tumor of prostate", 11, .0012, .8, -9, .1, 0, 0, .7, .4, .3, .4,
     .1},
    {"rheumatoid_arthritis", "Rheumatoid arthritis", 7, .0008, .25, .8, .4, 0, .2, .6, .2, .2, .1,
     .02},
    {"osteoarthritis", "Osteoarthritis", 7, .007, .45, .3, 0, .5, .2, .6, 0, .05, 0, .02},
    {"osteoporosis", "Osteoporosis", 7, .0025, .65, 1.2, .3, -.1, .3, .5, .1, .1, 0, .02},
    {"hypothyroidism", "Hypothyroidism", 2, .0025, .25, 1.2, 0, .1, .1, .7, 0, .02, 0, 0},
    {"cirrhosis", "Cirrhosis of liver", 3, .0008, .3, -.5, .4, .5, .2, .5, 1.1, .8, .8, .3},
    {"anemia", "Anemia", 8, .004, .3, .5, 0, 0, .4, 1, .2, .15, .1, .05},
}};

namespace {

constexpr DiseaseLink kLinks[] = {
    {kHypertension, kCoronaryDisease, .5},
    {kHypertension, kStroke, .6},
    {kHypertension, kHeartFailure, .6},
    {kHypertension, kKidneyDisease, .5},
    {kHypertension, kAtrialFibrillation, .3},
    {kDiabetes, kCoronaryDisease, .5},
    {kDiabetes, kKidneyDisease, .8},
    {kDiabetes, kHeartFailure, .5},
    {kDiabetes, kStroke, .3},
    {kObesity, kDiabetes, .9},
    {kObesity, kHypertension, .5},
    {kObesity, kOsteoarthritis, .5},
    {kHyperlipidemia, kCoronaryDisease, .5},
    {kCoronaryDisease, kHeartFailure, 1.2},
    {kCoronaryDisease, kAtrialFibrillation, .5},
    {kAtrialFibrillation, kStroke, .9},
    {kAtrialFibrillation, kHeartFailure, .8},
    {kKidneyDisease, kAnemia, 1},
    {kKidneyDisease, kHeartFailure, .6},
    {kLungDisease, kLungCancer, .6},
    {kLungDisease, kHeartFailure, .4},
    {kDepression, kDementia, .3},
    {kAnxiety, kDepression, .8},
    {kRheumatoidArthritis, kOsteoporosis, .6},
    {kCirrhosis, kAnemia, .6},
    {kHeartFailure, kKidneyDisease, .6},
    {kStroke, kDementia, .7},
    {kStroke, kEpilepsy, 1.2},
    {kColorectalCancer, kAnemia, 1},
    {kHypothyroidism, kHyperlipidemia, .4},
};

constexpr LabShift kShifts[] = {
    {kHypertension, kSystolic, 1.8},
    {kHypertension, kDiastolic, 1.4},
    {kDiabetes, kGlucose, 2.6},
    {kDiabetes, kHba1c, 2.8},
    {kDiabetes, kTriglycerides, .6},
    {kHyperlipidemia, kLdl, 1.6},
    {kHyperlipidemia, kTotalCholesterol, 1.6},
    {kHyperlipidemia, kTriglycerides, 1},
    {kHyperlipidemia, kHdl, -.6},
    {kObesity, kBodyMassIndex, 2.2},
    {kObesity, kUricAcid, .6},
    {kCoronaryDisease, kTroponin, 1},
    {kCoronaryDisease, kEjectionFraction, -.8},
    {kHeartFailure, kBnp, 3.2},
    {kHeartFailure, kEjectionFraction, -2.4},
    {kHeartFailure, kSodium, -.6},
    {kHeartFailure, kHeartRate, .6},
    {kAtrialFibrillation, kHeartRate, 1.4},
    {kAtrialFibrillation, kInr, 3},
    {kAtrialFibrillation, kBnp, .8},
    {kStroke, kSystolic, .6},
    {kKidneyDisease, kCreatinine, 3},
    {kKidneyDisease, kUreaNitrogen, 2.4},
    {kKidneyDisease, kEgfr, -2.6},
    {kKidneyDisease, kPotassium, .9},
    {kLungDisease, kFev1, -3},
    {kLungDisease, kOxygenSaturation, -1.6},
    {kLungDisease, kCarbonDioxideTension, 1.4},
    {kLungDisease, kBicarbonate, .8},
    {kAsthma, kFev1, -1.4},
    {kDepression, kDepressionScore, 2.2},
    {kAnxiety, kHeartRate, .6},
    {kAnxiety, kDepressionScore, .8},
    {kDementia, kCognitionScore, -4},
    {kParkinson, kCognitionScore, -1},
    {kParkinson, kSystolic, -.6},
    {kEpilepsy, kSodium, -.3},
    {kLungCancer, kCyfra, 3},
    {kLungCancer, kCea, 1.4},
    {kLungCancer, kAlbumin, -1},
    {kBreastCancer, kCa153, 2.6},
    {kBreastCancer, kAlkalinePhosphatase, .6},
    {kColorectalCancer, kCea, 2.8},
    {kColorectalCancer, kHemoglobin, -1.4},
    {kProstateCancer, kPsa, 3.2},
    {kRheumatoidArthritis, kRheumatoidFactor, 3},
    {kRheumatoidArthritis, kCrp, 1.6},
    {kRheumatoidArthritis, kEsr, 1.6},
    {kOsteoarthritis, kCrp, .3},
    {kOsteoporosis, kBoneDensity, -2.4},
    {kOsteoporosis, kVitaminD, -.8},
    {kHypothyroidism, kTsh, 2.8},
    {kHypothyroidism, kFreeT4, -1.4},
    {kCirrhosis, kBilirubin, 2.6},
    {kCirrhosis, kAlbumin, -1.8},
    {kCirrhosis, kPlatelets, -1.8},
    {kCirrhosis, kInr, 1.8},
    {kCirrhosis, kAst, 1.6},
    {kAnemia, kHemoglobin, -2.4},
    {kAnemia, kFerritin, -1.4},
};

Json course_to_json() {
  const CourseSpec& c = kCourse;
  return {{"death_base", c.death_base},
          {"death_age_slope", c.death_age_slope},
          {"death_smoker", c.death_smoker},
          {"death_frailty", c.death_frailty},
          {"outpatient_base", c.outpatient_base},
          {"outpatient_per_disease", c.outpatient_per_disease},
          {"outpatient_frailty", c.outpatient_frailty},
          {"emergency_base", c.emergency_base},
          {"emergency_frailty", c.emergency_frailty},
          {"admission_base", c.admission_base},
          {"admission_age_slope", c.admission_age_slope},
          {"admission_frailty", c.admission_frailty},
          {"hospital_death_intercept", c.hospital_death_intercept},
          {"hospital_death_age_slope", c.hospital_death_age_slope},
          {"hospital_death_severity", c.hospital_death_severity},
          {"hospital_death_frailty", c.hospital_death_frailty},
          {"readmission_intercept", c.readmission_intercept},
          {"readmission_admission", c.readmission_admission},
          {"readmission_frailty", c.readmission_frailty},
          {"readmission_severity", c.readmission_severity},
          {"readmission_recent", c.readmission_recent}};
}

Json disease_to_json(const DiseaseSpec& d) {
  return {{"name", d.name},
          {"base", d.base},
          {"age_slope", d.age_slope},
          {"female", d.female},
          {"smoker", d.smoker},
          {"metabolic", d.metabolic},
          {"frailty", d.frailty},
          {"outbreak", d.outbreak},
          {"death", d.death},
          {"admission", d.admission},
          {"hospital_death", d.hospital_death},
          {"admitted_at_outbreak", d.admitted_at_outbreak}};
}

}  // namespace

std::span<const DiseaseLink> disease_links() {
  return kLinks;
}
std::span<const LabShift> lab_shifts() {
  return kShifts;
}

Json hazards_to_json() {
  Json diseases = Json::object();
  for (const DiseaseSpec& disease : kDiseases) diseases[disease.key] = disease_to_json(disease);
  Json links = Json::array();
  for (const DiseaseLink& link : kLinks) {
    links.push_back({{"cause", kDiseases[link.cause].key},
                     {"effect", kDiseases[link.effect].key},
                     {"log_ratio", link.log_ratio}});
  }
  Json shifts = Json::array();
  for (const LabShift& shift : kShifts) {
    shifts.push_back({{"disease", kDiseases[shift.disease].key},
                      {"measurement", kLabs[shift.lab].name},
                      {"shift", shift.shift}});
  }
  return {{"onset_task_disease", kDiseases[kOnsetTaskDisease].key},
          {"course", course_to_json()},
          {"diseases", diseases},
          {"links", links},
          {"measurement_shifts", shifts}};
}

}  // namespace sequela
