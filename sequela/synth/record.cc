#include "sequela/synth/record.h"

#include <algorithm>
#include <cmath>

#include "sequela/core/time.h"

namespace sequela {
namespace {

constexpr double kMinute = 1.0 / 1440;
constexpr double kOwnShare = 0.7;    // of a healthy z: the person's own level ...
constexpr double kNoiseShare = 0.7;  // ... and the noise of one measurement

// The labs of each panel, and the shifts of each disease, as index lists.
struct LabIndex {
  std::array<std::vector<int>, static_cast<size_t>(Panel::count)> of_panel;
  std::array<std::vector<int>, kNumDiseases> of_disease;

  LabIndex() {
    for (int lab = 0; lab < kNumLabs; ++lab)
      of_panel[static_cast<size_t>(kLabs[lab].panel)].push_back(lab);
    for (const LabShift& shift : lab_shifts()) of_disease[shift.disease].push_back(shift.lab);
  }
};

const LabIndex& lab_index() {
  static const LabIndex index;
  return index;
}

}  // namespace

const std::array<const char*, 3>& tobacco_texts() {
  static constexpr std::array<const char*, 3> texts = {"Never smoker", "Former smoker",
                                                       "Current smoker"};
  return texts;
}

RecordWriter::RecordWriter(const SynthVocabulary& vocabulary, const Person& person, Random& random,
                           std::vector<SynthEvent>& events)
    : vocabulary_(vocabulary), person_(person), random_(random), events_(events) {
  for (float& level : own_level_) level = static_cast<float>(kOwnShare * random.normal());
  own_level_[kBodyMassIndex] += static_cast<float>(0.5 * person.metabolic);
  own_level_[kGlucose] += static_cast<float>(0.3 * person.metabolic);
  own_level_[kTriglycerides] += static_cast<float>(0.4 * person.metabolic);
  own_level_[kAlbumin] -= static_cast<float>(0.5 * person.frailty);
  own_level_[kCrp] += static_cast<float>(0.4 * person.frailty);
  update_shifts();
}

int RecordWriter::poisson(double mean) {
  const double limit = std::exp(-mean);
  int count = 0;
  for (double product = random_.uniform(); product > limit; product *= random_.uniform()) ++count;
  return count;
}

void RecordWriter::add(double day, int32_t code) {
  events_.push_back({to_time_us(day), code});
}

void RecordWriter::add_finding(double day, int32_t code) {
  const int32_t icd = vocabulary_.icd_of[code];
  add(day, icd >= 0 && chance(0.65) ? icd : code);
}

void RecordWriter::add_lab(double day, int lab, double severity) {
  const LabSpec& spec = kLabs[lab];
  const double z = own_level_[lab] + shift_[lab] + spec.severity_shift * severity +
                   kNoiseShare * random_.normal();
  double value =
      spec.is_skewed ? spec.mean * std::exp(spec.sd / spec.mean * z) : spec.mean + spec.sd * z;
  static constexpr double kScales[] = {1, 10, 100, 1000};
  const double scale = kScales[spec.decimals];
  value = std::round(value * scale) / scale;
  if (lab != kBoneDensity) value = std::max(value, 1 / scale);
  if (lab == kOxygenSaturation) value = std::min(value, 100.0);
  if (lab == kCognitionScore) value = std::min(value, 30.0);
  const int32_t code = person_.has_local_labs ? vocabulary_.local_labs[lab] : vocabulary_.labs[lab];
  events_.push_back({to_time_us(day), code, -1, static_cast<float>(value)});
}

void RecordWriter::add_other_labs(double day, double mean_count) {
  for (int i = poisson(mean_count); i > 0; --i) {
    const int32_t code = vocabulary_.other_labs.draw(random_);
    const double level = 2.0 * std::pow(2.0, static_cast<double>(hash_key(7, code) % 8));
    const double value = std::round(10 * level * std::exp(0.25 * random_.normal())) / 10;
    events_.push_back({to_time_us(day), code, -1, static_cast<float>(value)});
  }
}

void RecordWriter::add_panel(double day, Panel panel, double probability, double severity) {
  if (!chance(probability)) return;
  for (const int lab : lab_index().of_panel[static_cast<size_t>(panel)]) {
    if (chance(0.93)) add_lab(day, lab, severity);
  }
}

void RecordWriter::add_drawn(double day, const CodePool& pool, double mean_count) {
  for (int i = poisson(mean_count); i > 0; --i) add(day, pool.draw(random_));
}

void RecordWriter::add_findings(double day, const CodePool& pool, double mean_count) {
  for (int i = poisson(mean_count); i > 0; --i) add_finding(day, pool.draw(random_));
}

void RecordWriter::write_demographics() {
  const auto add_static = [&](int32_t code) { events_.push_back({kNoTime, code}); };
  add_static(vocabulary_.genders[person_.is_female ? 1 : 0]);
  add_static(vocabulary_.races[person_.race]);
  add_static(vocabulary_.ethnicities[person_.ethnicity]);
  add(person_.birth, vocabulary_.birth);
}

void RecordWriter::write_death(double day) {
  add(day, vocabulary_.death);
}

void RecordWriter::update_shifts() {
  shift_.fill(0);
  for (const LabShift& shift : lab_shifts()) {
    const Stage stage = person_.stages[shift.disease];
    const double share = stage == Stage::broken_out ? 1 : stage == Stage::prodrome ? 0.5 : 0;
    shift_[shift.lab] += static_cast<float>(share * shift.shift);
  }
}

void RecordWriter::write_diagnosis(double day, int disease) {
  const auto& variants = vocabulary_.diseases[disease].diagnoses;
  const uint64_t usual = hash_key(person_.id, disease) % variants.size();
  add_finding(day, variants[chance(0.75) ? usual : random_.below(variants.size())]);
}

void RecordWriter::add_disease_labs(double day, int disease) {
  for (const int lab : lab_index().of_disease[disease]) {
    if (kLabs[lab].panel != Panel::vitals) add_lab(day, lab, 0);
  }
}

void RecordWriter::add_chronic_care(double day) {
  for (int disease = 0; disease < kNumDiseases; ++disease) {
    const Stage stage = person_.stages[disease];
    if (stage == Stage::healthy) continue;
    const DiseaseCodes& codes = vocabulary_.diseases[disease];
    if (stage == Stage::prodrome) {
      if (chance(0.35)) add_finding(day, codes.symptoms[random_.below(codes.symptoms.size())]);
      if (chance(0.3)) add_disease_labs(day, disease);
      continue;
    }
    if (chance(0.5)) write_diagnosis(day, disease);
    if (chance(0.2)) add_finding(day, codes.symptoms[random_.below(codes.symptoms.size())]);
    const uint64_t usual_drug = hash_key(person_.id, disease, 1) % codes.drugs.size();
    if (chance(0.5))
      add(day, codes.drugs[chance(0.85) ? usual_drug : random_.below(codes.drugs.size())]);
    if (chance(0.3)) add_disease_labs(day, disease);
    if (chance(0.06)) add(day, codes.procedures[random_.below(codes.procedures.size())]);
    if (codes.regimen >= 0 && chance(0.25)) add(day, codes.regimen);
  }
}

void RecordWriter::add_routine_labs(double day) {
  add_panel(day, Panel::chemistry, 0.3, 0);
  add_panel(day, Panel::blood_count, 0.3, 0);
  add_panel(day, Panel::lipids, 0.18, 0);
  add_panel(day, Panel::liver, 0.12, 0);
  add_panel(day, Panel::thyroid, 0.06, 0);
  add_panel(day, Panel::cardiac, 0.04, 0);
  add_panel(day, Panel::inflammation, 0.05, 0);
  add_panel(day, Panel::markers, 0.02, 0);
  add_panel(day, Panel::clinic, 0.08, 0);
}

void RecordWriter::add_tobacco_status(double day) {
  const bool seems_smoker = person_.is_smoker != chance(0.08);
  const int text = seems_smoker ? (chance(0.4) ? 1 : 2) : 0;
  events_.push_back({to_time_us(day), vocabulary_.tobacco_status, text});
}

void RecordWriter::write_outpatient_visit(double day) {
  add(day, vocabulary_.outpatient);
  add_panel(day + 10 * kMinute, Panel::vitals, 0.7, 0);
  add_chronic_care(day + 20 * kMinute);
  const double need = std::exp(0.2 * person_.frailty);
  add_findings(day + 25 * kMinute, vocabulary_.conditions, 0.6 * need);
  add_findings(day + 25 * kMinute, vocabulary_.symptoms, 0.25 * need);
  add_drawn(day + 30 * kMinute, vocabulary_.drugs, 0.6 * need);
  add_drawn(day + 40 * kMinute, vocabulary_.procedures, 0.4);
  if (chance(0.07)) add_tobacco_status(day + 15 * kMinute);
  add_routine_labs(day + 60 * kMinute);
  add_other_labs(day + 60 * kMinute, 0.7);
}

void RecordWriter::write_emergency_visit(double day) {
  const double severity = 0.5 * random_.normal();
  add(day, vocabulary_.emergency);
  add_panel(day + 10 * kMinute, Panel::vitals, 1, severity);
  add_findings(day + 20 * kMinute, vocabulary_.symptoms, 1.3);
  add_panel(day + 60 * kMinute, Panel::chemistry, 0.7, severity);
  add_panel(day + 60 * kMinute, Panel::blood_count, 0.7, severity);
  add_panel(day + 60 * kMinute, Panel::cardiac, 0.25, severity);
  add_drawn(day + 90 * kMinute, vocabulary_.procedures, 0.8);
  add_drawn(day + 100 * kMinute, vocabulary_.drugs, 1);
  add_findings(day + 180 * kMinute, vocabulary_.conditions, 1.2);
}

void RecordWriter::write_hospital_day(const Stay& stay, int day_number) {
  const double start = stay.admitted + day_number;
  const double last = stay.discharged - kMinute;
  const auto at = [&](double hours) { return std::min(start + hours / 24, last); };
  // The first day shows the severity alone; then it falls, or rises towards death.
  const double severity = stay.severity + (stay.is_fatal ? 0.35 : -0.2) * std::min(day_number, 5);
  add_panel(at(0.5), Panel::vitals, 1, severity);
  add_panel(at(2), Panel::chemistry, 0.9, severity);
  add_panel(at(2), Panel::blood_count, 0.8, severity);
  add_panel(at(3), Panel::liver, 0.3, severity);
  add_panel(at(3), Panel::inflammation, 0.3, severity);
  add_panel(at(3), Panel::cardiac, 0.3, severity);
  add_panel(at(3.5), Panel::acute, 1 / (1 + std::exp(0.5 - severity)), severity);
  add_other_labs(at(4), 1);
  if (day_number == 0) add_chronic_care(at(4.5));
  add_drawn(at(5), vocabulary_.drugs, std::clamp(2 + 0.7 * severity, 0.5, 6.0));
  add_drawn(at(8), vocabulary_.procedures, 0.6);
  add_panel(at(13), Panel::vitals, 0.9, severity);
}

void RecordWriter::write_stay(const Stay& stay) {
  add(stay.admitted, vocabulary_.inpatient);
  for (int disease = 0; disease < kNumDiseases; ++disease) {
    if (person_.stages[disease] == Stage::broken_out && chance(0.6))
      write_diagnosis(stay.admitted, disease);
  }
  add_findings(stay.admitted + 60 * kMinute, vocabulary_.conditions, 1.8);
  for (int day = 0; stay.admitted + day < stay.discharged; ++day) write_hospital_day(stay, day);
  if (stay.is_fatal) return;
  add(stay.discharged, vocabulary_.discharge);
  add_findings(stay.discharged, vocabulary_.conditions, 1.5);
  add_drawn(stay.discharged, vocabulary_.drugs, 1.5);
}

}  // namespace sequela
