#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "sequela/core/random.h"
#include "sequela/core/time.h"
#include "sequela/synth/diseases.h"

namespace sequela {

// Times of the simulation are days since 1970-01-01, as double. Records hold whole minutes.
int64_t to_time_us(double days);

enum class Stage : uint8_t { healthy, prodrome, broken_out };

// A person's latent state: what is true of them, recorded or not.
struct Person {
  int64_t id = 0;
  double birth = 0;     // day
  double enrolled = 0;  // start of the record
  double end = 0;       // the record ends here unless death or a stay in hospital decides otherwise
  double death = std::numeric_limits<double>::infinity();  // infinite = none on record
  bool is_female = false;
  bool is_smoker = false;
  bool has_local_labs = false;  // their site records core measurements under codes of its own
  int race = 0;
  int ethnicity = 0;
  double metabolic = 0;  // standard normal
  double frailty = 0;    // standard normal
  std::array<Stage, kNumDiseases> stages = {};
  std::array<double, kNumDiseases> prodrome_start = {};  // valid from Stage::prodrome on
  std::array<double, kNumDiseases> outbreak = {};        // valid from Stage::broken_out on

  bool is_dead() const { return std::isfinite(death); }
  double age_years(double day) const { return (day - birth) / kDaysPerYear; }
  bool has(DiseaseId disease) const { return stages[disease] == Stage::broken_out; }
};

// A person not yet followed: everything but the stages and the death.
Person draw_person(int64_t id, Random& random);

// The competing hazards of one person: each disease's next stage, and death out of hospital.
// Hazards are constant between birthdays and changes of stage, so the times at which they strike
// are exact.
class Hazards {
 public:
  static constexpr int kDeath = kNumDiseases;

  // At birth. Keeps a reference to the person, whose stages it changes.
  Hazards(Person& person, Random& random);

  // Days until the first hazard strikes, if that is before `limit`; else `limit`, and which = -1.
  double next_strike(double limit, int& which) const;
  // Lets time pass; in hospital, death out of hospital is no risk.
  enum class Place { outside, hospital };
  void pass(double days, Place place = Place::outside);
  void have_birthday();
  // Moves a disease to its next stage, at `day`.
  void progress(int disease, double day);
  // Lives through the time before the record: no death, until day `until`.
  void live_unseen(double until);

  double per_day(int which) const { return rates_[which]; }
  // Probability that a disease that has not broken out does so within `days`, and before a death
  // out of hospital, if all hazards stay as they are now.
  double outbreak_probability(int disease, double days) const;

 private:
  Person& person_;
  Random& random_;
  std::array<double, kNumDiseases + 1> rates_ = {};  // per day
  std::array<double, kNumDiseases + 1> left_ = {};   // of an Exp(1) draw; strikes at 0
};

}  // namespace sequela
