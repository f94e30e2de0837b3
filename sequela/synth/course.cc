#include "sequela/synth/course.h"

#include <algorithm>
#include <cmath>

#include "sequela/core/time.h"
#include "sequela/synth/flares.h"

namespace sequela {
namespace {

constexpr double kMinStayDays = 1.25;
constexpr double kMaxStayDays = 60;

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

struct PastStay {
  double admitted, discharged;
  bool is_fatal;
  double death_probability, readmission_probability;
};

struct OnsetPoint {
  double day;
  double probability;
};

// Lives one record through: the next of a strike of a hazard, a visit, a birthday, an anniversary
// of the record and its end is found, time passes up to it, it is acted on.
class Course {
 public:
  Course(const SynthVocabulary& vocabulary, Random& random, SynthRecord& record)
      : random_(random),
        record_(record),
        person_(record.person),
        hazards_(person_, random),
        writer_(vocabulary, person_, random, record.events) {}

  void run();

 private:
  enum class VisitKind { outpatient, emergency, admission };
  void enter();
  void step();
  void update_rates();
  void act_on_strike(int which);
  void visit();
  void admit();
  void mark_onset_point();
  void die(double day);
  double stay_death_logit(double severity) const;
  double readmission_logit(double severity) const;
  void add_label(SynthTask task, double day, bool value, double probability);
  void make_labels();

  Random& random_;
  SynthRecord& record_;
  Person& person_;
  Hazards hazards_;
  RecordWriter writer_;
  double now_ = 0;
  double next_birthday_ = 0;
  double next_anniversary_ = 0;
  double readmission_ = kNever;             // drawn at the last discharge
  std::array<double, 3> visit_rates_ = {};  // per day, by VisitKind
  double sum_admission_ = 0;                // log hazard ratios of the diseases that broke out
  double sum_hospital_death_ = 0;
  int num_chronic_ = 0;
  std::vector<PastStay> stays_;
  std::vector<OnsetPoint> onset_points_;
};

void Course::run() {
  writer_.write_demographics();
  enter();
  while (now_ < person_.end && !person_.is_dead()) step();
  make_labels();
}

void Course::enter() {
  hazards_.live_unseen(person_.enrolled);
  now_ = person_.enrolled;
  next_birthday_ =
      person_.birth + kDaysPerYear * (1 + std::floor((now_ - person_.birth) / kDaysPerYear));
  next_anniversary_ = person_.enrolled + kDaysPerYear;
  writer_.update_shifts();
  update_rates();
  writer_.write_outpatient_visit(now_);
  for (int disease = 0; disease < kNumDiseases; ++disease) {
    if (person_.stages[disease] == Stage::broken_out) writer_.write_diagnosis(now_, disease);
  }
}

void Course::update_rates() {
  sum_admission_ = sum_hospital_death_ = 0;
  num_chronic_ = 0;
  for (int disease = 0; disease < kNumDiseases; ++disease) {
    if (person_.stages[disease] != Stage::broken_out) continue;
    ++num_chronic_;
    sum_admission_ += kDiseases[disease].admission;
    sum_hospital_death_ += kDiseases[disease].hospital_death;
  }
  const double age = person_.age_years(now_);
  const double child_visits = age < 3 ? 1.5 : 1;
  const std::array<double, 3> per_year = {
      kCourse.outpatient_base * child_visits *
          std::exp(kCourse.outpatient_frailty * person_.frailty +
                   kCourse.outpatient_per_disease * std::min(num_chronic_, 8)),
      kCourse.emergency_base *
          std::exp(kCourse.emergency_frailty * person_.frailty + 0.5 * sum_admission_),
      kCourse.admission_base *
          std::exp(kCourse.admission_age_slope * (age - 50) / 10 +
                   kCourse.admission_frailty * person_.frailty + std::min(sum_admission_, 3.0))};
  for (size_t i = 0; i < per_year.size(); ++i) visit_rates_[i] = per_year[i] / kDaysPerYear;
}

void Course::step() {
  const double visits_per_day = visit_rates_[0] + visit_rates_[1] + visit_rates_[2];
  const double next_visit = now_ + random_.exponential() / visits_per_day;
  const double next =
      std::min({next_visit, readmission_, next_birthday_, next_anniversary_, person_.end});
  int strike = -1;
  const double days = hazards_.next_strike(std::max(0.0, next - now_), strike);
  hazards_.pass(days);
  now_ = strike >= 0 ? now_ + days : std::max(now_, next);
  if (strike >= 0) {
    act_on_strike(strike);
  } else if (next == next_birthday_) {
    hazards_.have_birthday();
    next_birthday_ += kDaysPerYear;
    update_rates();
  } else if (next == next_anniversary_) {
    mark_onset_point();
    next_anniversary_ += kDaysPerYear;
  } else if (next == readmission_) {
    admit();
  } else if (next == next_visit) {
    visit();
  }
}

void Course::act_on_strike(int which) {
  if (which == Hazards::kDeath) return die(now_);
  hazards_.progress(which, now_);
  writer_.update_shifts();
  if (person_.stages[which] != Stage::broken_out) return;
  update_rates();
  writer_.write_diagnosis(now_, which);
  if (random_.uniform() < kDiseases[which].admitted_at_outbreak) {
    admit();
  } else {
    writer_.write_outpatient_visit(now_);
  }
}

void Course::visit() {
  double target = random_.uniform() * (visit_rates_[0] + visit_rates_[1] + visit_rates_[2]);
  if ((target -= visit_rates_[0]) < 0) return writer_.write_outpatient_visit(now_);
  if (target - visit_rates_[1] < 0) return writer_.write_emergency_visit(now_);
  admit();
}

double Course::stay_death_logit(double severity) const {
  return kCourse.hospital_death_intercept +
         kCourse.hospital_death_age_slope * (person_.age_years(now_) - 60) / 10 +
         kCourse.hospital_death_severity * severity +
         kCourse.hospital_death_frailty * person_.frailty + sum_hospital_death_;
}

double Course::readmission_logit(double severity) const {
  int num_recent = 0;
  for (const PastStay& stay : stays_) num_recent += stay.admitted > now_ - kDaysPerYear;
  return kCourse.readmission_intercept +
         kCourse.readmission_admission * std::min(sum_admission_, 3.0) +
         kCourse.readmission_frailty * person_.frailty + kCourse.readmission_severity * severity +
         kCourse.readmission_recent * std::min(num_recent, 3);
}

void Course::admit() {
  readmission_ = kNever;
  const double severity = random_.normal();
  const double length =
      kMinStayDays + 2.2 * std::exp(0.8 * random_.normal() + 0.25 * std::max(0.0, severity));
  PastStay stay{now_, now_ + std::min(length, kMaxStayDays)};
  stay.death_probability = logistic(stay_death_logit(severity));
  stay.is_fatal = random_.uniform() < stay.death_probability;
  writer_.write_stay({stay.admitted, stay.discharged, severity, stay.is_fatal});
  hazards_.pass(stay.discharged - stay.admitted, Hazards::Place::hospital);
  now_ = stay.discharged;
  if (stay.is_fatal) {
    die(now_);
  } else {
    const double early = logistic(readmission_logit(severity));
    const double any_other =
        -std::expm1(-30 * visit_rates_[static_cast<int>(VisitKind::admission)]);
    stay.readmission_probability = 1 - (1 - early) * (1 - any_other);
    if (random_.uniform() < early)
      readmission_ = now_ + 0.5 + 29 * std::pow(random_.uniform(), 1.5);
  }
  stays_.push_back(stay);
}

void Course::mark_onset_point() {
  if (person_.has(kOnsetTaskDisease) || person_.age_years(now_) < kOnsetTaskMinAge) return;
  onset_points_.push_back({now_, hazards_.outbreak_probability(kOnsetTaskDisease, 365)});
}

void Course::die(double day) {
  person_.death = day;
  const int64_t death_us = to_time_us(day);
  std::erase_if(record_.events, [&](const SynthEvent& event) { return event.time_us > death_us; });
  writer_.write_death(day);
}

void Course::add_label(SynthTask task, double day, bool value, double probability) {
  record_.labels.push_back(
      {person_.id, to_time_us(day), task, value, static_cast<float>(probability)});
}

void Course::make_labels() {
  for (const PastStay& stay : stays_) {
    add_label(SynthTask::in_hospital_mortality, stay.admitted + 1, stay.is_fatal,
              stay.death_probability);
  }
  for (size_t i = 0; i < stays_.size(); ++i) {
    const double horizon = stays_[i].discharged + 30;
    if (stays_[i].is_fatal || horizon > person_.end) continue;
    const bool value =
        i + 1 < stays_.size() && to_time_us(stays_[i + 1].admitted) <= to_time_us(horizon);
    add_label(SynthTask::readmission_30d, stays_[i].discharged, value,
              stays_[i].readmission_probability);
  }
  for (const OnsetPoint& point : onset_points_) {
    const double horizon = point.day + 365;
    if (horizon > person_.end) continue;
    const bool value = person_.has(kOnsetTaskDisease) &&
                       to_time_us(person_.outbreak[kOnsetTaskDisease]) <= to_time_us(horizon);
    add_label(SynthTask::chronic_onset_1y, point.day, value, point.probability);
  }
}

}  // namespace

const char* task_name(SynthTask task) {
  constexpr std::array names = {"in_hospital_mortality", "readmission_30d", "chronic_onset_1y",
                                "flare_30d"};
  return names[static_cast<size_t>(task)];
}

void generate_subject(const SynthVocabulary& vocabulary, uint64_t seed, int64_t id,
                      SynthRecord& record) {
  Random random(hash_key(seed, id));
  record.person = draw_person(id, random);
  record.events.clear();
  record.labels.clear();
  Course(vocabulary, random, record).run();
  const auto sort_events = [&] {
    std::ranges::stable_sort(record.events, {}, &SynthEvent::time_us);
  };
  sort_events();
  if (vocabulary.is_event_code[vocabulary.flare]) {
    add_flares(vocabulary, hash_key(seed, id, 1), record);
    sort_events();
  }
}

}  // namespace sequela
