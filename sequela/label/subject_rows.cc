#include "sequela/label/subject_rows.h"

#include <algorithm>
#include <cmath>

#include "sequela/meds/event_store.h"

namespace sequela {
namespace {

using Source = PlanPredicate::Source;

// ACES's program takes NaN for larger than every number.
bool is_in_range(const ValueRange& range, float value, bool is_aces_exact) {
  if (is_aces_exact && std::isnan(value)) return !range.max;
  return range.contains(value);
}

}  // namespace

void SubjectRows::Occurrences::clear() {
  is_everywhere = false;
  constant = -1;
  rows.clear();
  counts.clear();
}

void SubjectRows::Occurrences::add(int32_t row, int64_t count) {
  if (!rows.empty() && rows.back() == row) {
    counts.back() += count;
    return;
  }
  counts.push_back((counts.empty() ? 0 : counts.back()) + count);
  rows.push_back(row);
}

SubjectRows::SubjectRows(const Plan& plan, const ColumnRules& rules, const CodeMatcher& matcher)
    : plan_(plan),
      rules_(rules),
      matcher_(matcher),
      events_(plan.plains.size()),
      static_counts_(plan.plains.size()),
      last_values_(plan.plains.size()),
      occurrences_(plan.predicates.size()) {}

bool SubjectRows::fits(int plain, const MatchedEvent& event, float* last_value) const {
  const Predicate& predicate = plan_.plains[plain];
  const uint32_t mask = rules_.mask_of(plain);
  if ((event.columns & mask) != mask) return false;
  const bool has_value = !is_null_float(event.value);
  bool is_change = true;
  if (predicate.change.is_set()) {
    is_change = has_value && !is_null_float(*last_value) &&
                predicate.change.contains(event.value - *last_value);
    if (has_value && !std::isnan(event.value)) *last_value = event.value;
  }
  if (!is_change) return false;
  return !predicate.value.is_set() ||
         (has_value && is_in_range(predicate.value, event.value, plan_.is_aces_exact));
}

void SubjectRows::load_events() {
  int32_t row = 0;
  for (const MatchedEvent& event : record_->events) {
    while (record_->times_us[row] < event.time_us) ++row;
    for (const int plain : matcher_.plains_of(event.code)) {
      if (plan_.plains[plain].is_static || !fits(plain, event, &last_values_[plain])) continue;
      events_[plain].push_back({row, event.value, event.code});
    }
  }
  for (const MatchedEvent& event : record_->statics) {
    for (const int plain : matcher_.plains_of(event.code)) {
      float last_value = kNullFloat;
      if (fits(plain, event, &last_value)) ++static_counts_[plain];
    }
  }
}

// Leaves the events of the n-th row alone.
void SubjectRows::keep_occurrence(int plain) {
  const int wanted = plan_.plains[plain].occurrence;
  if (wanted == 0) return;
  int seen = 0;
  int32_t last_row = -1;
  std::erase_if(events_[plain], [&](const Event& event) {
    if (event.row != last_row) ++seen;
    last_row = event.row;
    return seen != wanted;
  });
}

void SubjectRows::load(const SubjectRecord& record) {
  record_ = &record;
  for (auto& events : events_) events.clear();
  std::ranges::fill(static_counts_, 0);
  std::ranges::fill(last_values_, kNullFloat);
  load_events();
  for (size_t p = 0; p < events_.size(); ++p) keep_occurrence(static_cast<int>(p));
  for (size_t p = 0; p < occurrences_.size(); ++p) build(static_cast<int>(p));
}

void SubjectRows::build(int number) {
  const PlanPredicate& predicate = plan_.predicates[number];
  Occurrences& out = occurrences_[number];
  out.clear();
  switch (predicate.source) {
    case Source::any_event:
      out.is_everywhere = true;
      break;
    case Source::record_start:
      if (num_rows() > 0) out.add(0, 1);
      break;
    case Source::record_end:
      if (num_rows() > 0) out.add(num_rows() - 1, 1);
      break;
    case Source::plain:
      for (const Event& event : events_[predicate.plain]) out.add(event.row, 1);
      break;
    case Source::constant:
      out.constant = static_counts_[predicate.plain];
      break;
    case Source::all:
      build_all(predicate, &out);
      break;
    case Source::any:
      build_any(predicate, &out);
      break;
  }
}

bool SubjectRows::occurs(const Occurrences& input, int32_t row) const {
  if (input.constant >= 0) return input.constant > 0;
  return input.is_everywhere || std::ranges::binary_search(input.rows, row);
}

void SubjectRows::build_all(const PlanPredicate& predicate, Occurrences* out) const {
  // The rows of the input that has fewest are tried with the others.
  const Occurrences* fewest = nullptr;
  for (const int input : predicate.inputs) {
    const Occurrences& candidate = occurrences_[input];
    if (candidate.constant == 0) return;
    if (candidate.constant > 0 || candidate.is_everywhere) continue;
    if (fewest == nullptr || candidate.rows.size() < fewest->rows.size()) fewest = &candidate;
  }
  if (fewest == nullptr) {
    out->is_everywhere = true;
    return;
  }
  for (const int32_t row : fewest->rows) {
    const bool is_all = std::ranges::all_of(
        predicate.inputs, [&](int input) { return occurs(occurrences_[input], row); });
    if (is_all) out->add(row, 1);
  }
}

void SubjectRows::build_any(const PlanPredicate& predicate, Occurrences* out) const {
  std::vector<int32_t> rows;
  for (const int input : predicate.inputs) {
    const Occurrences& other = occurrences_[input];
    if (other.constant > 0 || other.is_everywhere) out->is_everywhere = true;
    rows.insert(rows.end(), other.rows.begin(), other.rows.end());
  }
  if (out->is_everywhere) return;
  std::ranges::sort(rows);
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  for (const int32_t row : rows) out->add(row, 1);
}

int32_t SubjectRows::first_at(int64_t time_us) const {
  const auto& times = record_->times_us;
  return static_cast<int32_t>(std::ranges::lower_bound(times, time_us) - times.begin());
}

int32_t SubjectRows::first_after(int64_t time_us) const {
  const auto& times = record_->times_us;
  return static_cast<int32_t>(std::ranges::upper_bound(times, time_us) - times.begin());
}

int64_t SubjectRows::count(int predicate, int32_t begin, int32_t end) const {
  const Occurrences& all = occurrences_[predicate];
  if (all.constant >= 0) return all.constant;
  if (begin >= end) return 0;
  if (all.is_everywhere) return end - begin;
  const auto upto = [&](int32_t row) {
    const size_t i = std::ranges::lower_bound(all.rows, row) - all.rows.begin();
    return i == 0 ? 0 : all.counts[i - 1];
  };
  return upto(end) - upto(begin);
}

int32_t SubjectRows::next(int predicate, int32_t row) const {
  const Occurrences& all = occurrences_[predicate];
  if (all.is_everywhere || all.constant > 0) return std::min(row, num_rows());
  const auto found = std::ranges::lower_bound(all.rows, row);
  return found == all.rows.end() ? num_rows() : *found;
}

int32_t SubjectRows::previous(int predicate, int32_t row) const {
  const Occurrences& all = occurrences_[predicate];
  if (all.is_everywhere || all.constant > 0) return row - 1;
  const auto found = std::ranges::lower_bound(all.rows, row);
  return found == all.rows.begin() ? -1 : *(found - 1);
}

}  // namespace sequela
