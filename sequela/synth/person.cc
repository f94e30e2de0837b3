#include "sequela/synth/person.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sequela/core/time.h"

namespace sequela {
namespace {

constexpr double kFirstDay = 12784;  // 2005-01-01
constexpr double kLastDay = 20088;   // 2024-12-31

double initial_rate(const DiseaseSpec& disease, const Person& person) {
  const double log_ratio = disease.age_slope * -5 + (person.is_female ? disease.female : 0) +
                           (person.is_smoker ? disease.smoker : 0) +
                           disease.metabolic * person.metabolic + disease.frailty * person.frailty;
  return disease.base * std::exp(log_ratio) / kDaysPerYear;
}

double initial_death_rate(const Person& person) {
  const double log_ratio = kCourse.death_age_slope * -5 +
                           (person.is_smoker ? kCourse.death_smoker : 0) +
                           kCourse.death_frailty * person.frailty;
  return kCourse.death_base * std::exp(log_ratio) / kDaysPerYear;
}

// Factor of each hazard from one birthday to the next.
std::array<double, kNumDiseases + 1> yearly_factors() {
  std::array<double, kNumDiseases + 1> factors;
  for (int i = 0; i < kNumDiseases; ++i) factors[i] = std::exp(kDiseases[i].age_slope / 10);
  factors[Hazards::kDeath] = std::exp(kCourse.death_age_slope / 10);
  return factors;
}

}  // namespace

int64_t to_time_us(double days) {
  return std::llround(days * 1440) * 60 * kMicrosPerSecond;
}

Person draw_person(int64_t id, Random& random) {
  Person person;
  person.id = id;
  const bool is_newborn = random.uniform() < 0.06;
  const double age = is_newborn ? 0 : std::clamp(49 + 20 * random.normal(), 1.0, 92.0);
  person.enrolled = kFirstDay + random.uniform() * (kLastDay - 3 * kDaysPerYear - kFirstDay);
  person.birth = std::floor(person.enrolled - age * kDaysPerYear);
  const double followed_years = 1 + 6 * random.exponential();
  person.end = std::min(kLastDay, person.enrolled + followed_years * kDaysPerYear);
  person.is_female = random.uniform() < 0.53;
  person.is_smoker = random.uniform() < (person.is_female ? 0.22 : 0.3);
  person.has_local_labs = random.uniform() < 0.2;
  person.race = static_cast<int>(5 * std::pow(random.uniform(), 2.2));
  person.ethnicity = random.uniform() < 0.15 ? 0 : 1;
  person.metabolic = random.normal();
  person.frailty = random.normal();
  return person;
}

Hazards::Hazards(Person& person, Random& random) : person_(person), random_(random) {
  for (int i = 0; i < kNumDiseases; ++i) rates_[i] = initial_rate(kDiseases[i], person);
  rates_[kDeath] = initial_death_rate(person);
  for (double& left : left_) left = random.exponential();
}

double Hazards::next_strike(double limit, int& which) const {
  which = -1;
  bool is_any = false;
  for (size_t i = 0; i < rates_.size(); ++i) is_any |= left_[i] < rates_[i] * limit;
  if (!is_any) return limit;
  for (size_t i = 0; i < rates_.size(); ++i) {
    if (left_[i] < rates_[i] * limit) {
      limit = std::max(0.0, left_[i] / rates_[i]);
      which = static_cast<int>(i);
    }
  }
  return limit;
}

void Hazards::pass(double days, Place place) {
  for (int i = 0; i < kNumDiseases; ++i) left_[i] -= rates_[i] * days;
  if (place == Place::outside) left_[kDeath] -= rates_[kDeath] * days;
}

void Hazards::have_birthday() {
  static const auto factors = yearly_factors();
  for (int i = 0; i < kNumDiseases; ++i) {
    if (person_.stages[i] == Stage::healthy) rates_[i] *= factors[i];
  }
  rates_[kDeath] *= factors[kDeath];
}

void Hazards::progress(int disease, double day) {
  if (person_.stages[disease] == Stage::healthy) {
    person_.stages[disease] = Stage::prodrome;
    person_.prodrome_start[disease] = day;
    rates_[disease] = kDiseases[disease].outbreak / kDaysPerYear;
    left_[disease] = random_.exponential();
    return;
  }
  person_.stages[disease] = Stage::broken_out;
  person_.outbreak[disease] = day;
  rates_[disease] = 0;
  left_[disease] = std::numeric_limits<double>::infinity();
  rates_[kDeath] *= std::exp(kDiseases[disease].death);
  for (const DiseaseLink& link : disease_links()) {
    if (link.cause == disease && person_.stages[link.effect] == Stage::healthy) {
      rates_[link.effect] *= std::exp(link.log_ratio);
    }
  }
}

void Hazards::live_unseen(double until) {
  double day = person_.birth;
  while (day < until) {
    const double birthday = std::min(day + kDaysPerYear, until);
    const bool is_whole_year = birthday < until;
    while (day < birthday) {
      int which = -1;
      const double days = next_strike(birthday - day, which);
      pass(days, Place::hospital);
      day = which < 0 ? birthday : day + days;
      if (which == kDeath) left_[kDeath] = random_.exponential();  // they did live
      if (which >= 0 && which != kDeath) progress(which, day);
    }
    if (is_whole_year) have_birthday();
  }
}

double Hazards::outbreak_probability(int disease, double days) const {
  const auto mean_exp = [days](double rate) { return (1 - std::exp(-rate * days)) / rate; };
  const double death = rates_[kDeath];
  const double outbreak = kDiseases[disease].outbreak / kDaysPerYear;
  if (person_.stages[disease] == Stage::prodrome) return outbreak * mean_exp(outbreak + death);
  const double onset = rates_[disease];
  return onset * outbreak / (outbreak - onset) *
         (mean_exp(onset + death) - mean_exp(outbreak + death));
}

}  // namespace sequela
