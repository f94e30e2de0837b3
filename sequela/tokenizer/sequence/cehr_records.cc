#include "sequela/tokenizer/sequence/cehr_records.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/tokenizer/sequence/code_forms.h"

namespace sequela {
namespace {

int32_t week_of(int64_t time_us) {
  const int64_t day = day_of(time_us);
  return static_cast<int32_t>(day / 7 - (day % 7 < 0 ? 1 : 0));
}

}  // namespace

void CehrRecords::clear_rows() {
  TextTable kept = std::move(texts);
  *this = CehrRecords();
  texts = std::move(kept);
}

CehrRecordBuilder::CehrRecordBuilder(const TextTable& texts, CehrRecordOptions options,
                                     CehrRecords* records)
    : texts_(texts),
      options_(std::move(options)),
      records_(records),
      visit_start_(records->texts.add("[VS]")),
      visit_end_(records->texts.add("[VE]")),
      unknown_discharge_(records->texts.add("0")) {}

void CehrRecordBuilder::append(const CehrPatient& patient) {
  std::vector<int32_t> order(patient.visits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return patient.visits[a].start_us < patient.visits[b].start_us;
  });
  concepts_.resize(static_cast<size_t>(texts_.size()), -1);
  stay_types_.resize(static_cast<size_t>(texts_.size()), -1);
  cursor_us_ = kNoTime;
  if (options_.with_demographics && !order.empty()) {
    append_demographics(patient, patient.visits[order[0]].start_us);
  }
  Place place;
  place.segment = 2;
  for (size_t i = 0; i < order.size(); ++i) {
    const CehrVisit& visit = patient.visits[order[i]];
    if (visit.num_events == 0) continue;
    place.order = static_cast<int32_t>(i) + 1;
    place.segment = place.segment == 1 ? 2 : 1;
    append_visit(patient, visit, place);
  }
  records_->person_ids.push_back(patient.id);
  records_->num_visits.push_back(static_cast<int64_t>(patient.visits.size()));
  records_->offsets.push_back(records_->size());
}

void CehrRecordBuilder::append_demographics(const CehrPatient& patient, int64_t start_us) {
  using namespace std::chrono;
  const year_month_day date(sys_days(days(day_of(start_us))));
  cursor_us_ = start_us;
  const Place place;
  push(records_->texts.add(str("year:", int{date.year()})), place);
  push(records_->texts.add(str("age:", age_years(patient.birth_us, start_us))), place);
  push(concept_of(patient.gender), place);
  push(concept_of(patient.race), place);
  cursor_us_ = kNoTime;
}

void CehrRecordBuilder::append_visit(const CehrPatient& patient, const CehrVisit& visit,
                                     Place place) {
  const bool is_first = cursor_us_ == kNoTime;
  const int64_t gap_days = is_first ? 0 : day_of(visit.start_us - cursor_us_);
  cursor_us_ = visit.start_us;
  if (!is_first && options_.time_tokens != TimeTokens::none) {
    Place between;
    between.order = place.order;
    push(time_concept(false, gap_days), between);
  }
  place.age = age_years(patient.birth_us, visit.start_us);
  place.week = week_of(visit.start_us);
  place.visit_type = visit.type < 0 ? -1 : records_->texts.add(texts_.text(visit.type));
  const bool is_stay = is_stay_type(visit.type);
  push(visit_start_, place);
  if (options_.with_visit_type) push(concept_of(visit.type), place);

  ++visit_number_;
  seen_.clear();
  for (int64_t i = 0; i < visit.num_events; ++i) {
    const CehrEvent& event = patient.events[visit.first_event + i];
    if (event.time_us == kNoTime) continue;
    if (is_stay) append_stay_event(event, patient.birth_us, &place);
    append_event(event, is_stay, place);
  }
  if (is_stay) {
    if (visit.end_us != kNoTime) cursor_us_ = visit.end_us;
    if (options_.with_visit_type) {
      const bool is_known = visit.discharge >= 0 && !texts_.text(visit.discharge).empty();
      push(is_known ? concept_of(visit.discharge) : unknown_discharge_, place);
    }
  }
  push(visit_end_, place);
}

// Moves on to the event's day, which may take a time token.
void CehrRecordBuilder::append_stay_event(const CehrEvent& event, int64_t birth_us, Place* place) {
  place->age = age_years(birth_us, event.time_us);
  place->week = week_of(event.time_us);
  const int64_t gap_days = day_of(event.time_us - cursor_us_);
  if (gap_days <= 0) return;
  cursor_us_ = event.time_us;
  if (options_.inpatient_time_tokens == TimeTokens::none) return;
  Place between;
  between.order = place->order;
  between.segment = place->segment;
  between.visit_type = place->visit_type;
  push(time_concept(true, gap_days), between);
}

void CehrRecordBuilder::append_event(const CehrEvent& event, bool is_stay, const Place& place) {
  const int32_t concept_id = concept_of_event(event);
  const double value = event.has_number ? event.number : -1;
  if (!is_stay && is_repeated(concept_id, value)) return;
  Place own = place;
  own.has_value = event.has_number;
  own.value = value;
  const bool has_unit = event.unit >= 0 && !texts_.text(event.unit).empty();
  own.unit = has_unit ? records_->texts.add(texts_.text(event.unit)) : -1;
  push(concept_id, own);
}

void CehrRecordBuilder::push(int32_t concept_id, const Place& place) {
  CehrRecords& out = *records_;
  out.concepts.push_back(concept_id);
  out.ages.push_back(place.age);
  out.weeks.push_back(place.week);
  out.visit_orders.push_back(place.order);
  out.segments.push_back(place.segment);
  out.value_masks.push_back(place.has_value);
  out.values.push_back(place.value);
  out.units.push_back(place.unit);
  out.visit_types.push_back(place.visit_type);
  out.times_us.push_back(cursor_us_);
}

int32_t CehrRecordBuilder::concept_of(int32_t text) {
  if (text < 0) return unknown_discharge_;
  int32_t& concept_id = concepts_[static_cast<size_t>(text)];
  if (concept_id < 0) concept_id = records_->texts.add(join_words(texts_.text(text)));
  return concept_id;
}

// The code, with its text value as an option where it has no number.
int32_t CehrRecordBuilder::concept_of_event(const CehrEvent& event) {
  if (event.has_number || event.text < 0 || texts_.text(event.text).empty()) {
    return concept_of(event.code);
  }
  const uint64_t key =
      (static_cast<uint64_t>(event.code) << 32) | static_cast<uint32_t>(event.text);
  const auto [entry, is_new] = options_of_codes_.try_emplace(key, -1);
  if (is_new) {
    entry->second = records_->texts.add(join_words(texts_.text(event.code)) +
                                        "//option:" + join_words(texts_.text(event.text)));
  }
  return entry->second;
}

int32_t CehrRecordBuilder::time_concept(bool is_stay, int64_t days) {
  const auto [entry, is_new] = time_concepts_[is_stay].try_emplace(days, -1);
  if (is_new) {
    const TimeTokens scheme = is_stay ? options_.inpatient_time_tokens : options_.time_tokens;
    entry->second = records_->texts.add((is_stay ? "i-" : "") + time_token(scheme, days));
  }
  return entry->second;
}

bool CehrRecordBuilder::is_stay_type(int32_t text) {
  if (text < 0) return false;
  int8_t& is_stay = stay_types_[static_cast<size_t>(text)];
  if (is_stay < 0) {
    const auto& types = options_.stay_types;
    is_stay = std::find(types.begin(), types.end(), texts_.text(text)) != types.end() ? 1 : 0;
  }
  return is_stay != 0;
}

// True if the visit has this concept with this value already; else notes it down.
bool CehrRecordBuilder::is_repeated(int32_t concept_id, double value) {
  const auto at = static_cast<size_t>(concept_id);
  if (at >= seen_visit_.size()) {
    seen_visit_.resize(at + 1, -1);
    seen_first_.resize(at + 1, -1);
  }
  if (seen_visit_[at] != visit_number_) {
    seen_visit_[at] = visit_number_;
    seen_first_[at] = -1;
  }
  for (int32_t i = seen_first_[at]; i >= 0; i = seen_[i].next) {
    if (seen_[i].value == value) return true;
  }
  seen_.push_back({value, seen_first_[at]});
  seen_first_[at] = static_cast<int32_t>(seen_.size()) - 1;
  return false;
}

}  // namespace sequela
