#include "sequela/label/labeler.h"

#include <algorithm>
#include <cmath>

#include "sequela/core/time.h"
#include "sequela/meds/event_store.h"

namespace sequela {
namespace {

using Kind = PlanPoint::Kind;

bool is_within(const PlanCount& rule, int64_t count) {
  return (!rule.min || count >= *rule.min) && (!rule.max || count <= *rule.max);
}

}  // namespace

Labeler::Labeler(const Plan& plan, const CodeMatcher& matcher)
    : plan_(plan), matcher_(matcher), times_us_(plan.points.size()), at_rows_(plan.points.size()) {}

int32_t Labeler::first_at(int point) const {
  return at_rows_[point] >= 0 ? at_rows_[point] : rows_->first_at(times_us_[point]);
}

int32_t Labeler::first_after(int point) const {
  return at_rows_[point] >= 0 ? at_rows_[point] + 1 : rows_->first_after(times_us_[point]);
}

bool Labeler::find_event(const PlanPoint& point, int number) {
  const int32_t num_rows = rows_->num_rows();
  int32_t row = -1;
  if (point.kind == Kind::next || point.kind == Kind::record_end) {
    const int32_t from = point.may_be_base ? first_at(point.base) : first_after(point.base);
    row = point.kind == Kind::next ? rows_->next(point.predicate, from)
          : from <= num_rows - 1   ? num_rows - 1
                                   : num_rows;
    if (row == num_rows) return false;
  } else {
    const int32_t before = point.may_be_base ? first_after(point.base) : first_at(point.base);
    row = point.kind == Kind::previous ? rows_->previous(point.predicate, before)
          : before > 0                 ? 0
                                       : -1;
    if (row < 0) return false;
  }
  at_rows_[number] = row;
  times_us_[number] = rows_->time_us(row);
  return true;
}

bool Labeler::find_point(int number) {
  const PlanPoint& point = plan_.points[number];
  if (point.kind != Kind::offset) return find_event(point, number);
  times_us_[number] = times_us_[point.base] + point.offset_us;
  at_rows_[number] = -1;
  return true;
}

Labeler::Span Labeler::span_of(const PlanWindow& window) const {
  return {window.is_start_inclusive ? first_at(window.start) : first_after(window.start),
          window.is_end_inclusive ? first_after(window.end) : first_at(window.end)};
}

// ACES's row of nulls stands for triggers whose last point is not found, if a window without events
// would do.
void Labeler::note_null_row(int number) {
  if (number != plan_.null_row_point) return;
  const bool is_enough =
      plan_.null_row_window < 0 ||
      std::ranges::all_of(plan_.windows[plan_.null_row_window].has,
                          [](const PlanCount& rule) { return is_within(rule, 0); });
  if (is_enough) has_null_row_ = true;
}

bool Labeler::pass_windows(int32_t trigger_row, CohortCounts* counts) {
  times_us_[0] = rows_->time_us(trigger_row);
  at_rows_[0] = trigger_row;
  for (size_t w = 0; w < plan_.windows.size(); ++w) {
    const PlanWindow& window = plan_.windows[w];
    size_t reason = 0;
    for (const int point : window.own_points) {
      if (!find_point(point)) {
        ++counts->lost[w][reason];
        note_null_row(point);
        return false;
      }
      ++reason;
    }
    if (window.has.empty()) continue;
    const Span span = span_of(window);
    for (const PlanCount& rule : window.has) {
      if (!is_within(rule, rows_->count(rule.predicate, span.begin, span.end))) {
        ++counts->lost[w][reason];
        return false;
      }
      ++reason;
    }
  }
  return true;
}

std::optional<LabelLoss> Labeler::label_time(Span span, LabelRow* row) const {
  const int64_t from_us = row->prediction_time_us.value_or(times_us_[0]);
  const int32_t event = rows_->next(plan_.label.predicate, span.begin);
  const int32_t other = plan_.label.competing < 0 ? rows_->num_rows()
                                                  : rows_->next(plan_.label.competing, span.begin);
  const int32_t first = std::min(event, other);
  int64_t end_us = 0;
  if (first < span.end) {
    end_us = rows_->time_us(first);
    row->category = first == event ? "event" : "competing";
    if (end_us < from_us) return LabelLoss::event_before_prediction;
  } else {
    end_us = std::min(times_us_[plan_.windows[plan_.label.window].end],
                      rows_->time_us(rows_->num_rows() - 1));
    row->category = "censored";
    if (end_us < from_us) return LabelLoss::record_ends_before_prediction;
  }
  row->boolean = row->category == "event";
  row->number = static_cast<float>(static_cast<double>(end_us - from_us) / kMicrosPerDay);
  return std::nullopt;
}

std::optional<LabelLoss> Labeler::label_values(Span span, LabelRow* row) const {
  const auto& events = rows_->events(plan_.predicates[plan_.label.predicate].plain);
  auto event = std::ranges::lower_bound(events, span.begin, {}, &SubjectRows::Event::row);
  int64_t count = 0;
  double sum = 0;
  float result = 0;
  for (; event != events.end() && event->row < span.end; ++event) {
    if (plan_.label.as == LabelAs::code) {
      row->category = matcher_.code_of(event->code);
      return std::nullopt;
    }
    const float value = event->value;
    if (std::isnan(value)) continue;  // a null float is a NaN, too
    const bool is_better = count == 0 || plan_.label.as == LabelAs::last ||
                           (plan_.label.as == LabelAs::min && value < result) ||
                           (plan_.label.as == LabelAs::max && value > result);
    if (is_better) result = value;
    sum += value;
    ++count;
  }
  if (count == 0) return LabelLoss::no_value;
  row->number = plan_.label.as == LabelAs::mean
                    ? static_cast<float>(sum / static_cast<double>(count))
                    : result;
  return std::nullopt;
}

std::optional<LabelLoss> Labeler::make_label(LabelRow* row) const {
  if (plan_.label.window < 0) return std::nullopt;
  const Span span = span_of(plan_.windows[plan_.label.window]);
  if (plan_.label.as == LabelAs::time_to_event) return label_time(span, row);
  if (plan_.label.as >= LabelAs::first) return label_values(span, row);
  const int64_t count = rows_->count(plan_.label.predicate, span.begin, span.end);
  if (plan_.label.as == LabelAs::count) {
    row->integer = count;
  } else {
    row->boolean = (count > 0) == (plan_.label.as == LabelAs::present);
  }
  return std::nullopt;
}

bool Labeler::has_criteria(CohortCounts* counts) const {
  for (size_t i = 0; i < plan_.criteria.size(); ++i) {
    if (rows_->has_static(plan_.criteria[i])) continue;
    ++counts->without_criterion[i];
    return false;
  }
  return true;
}

void Labeler::label(const SubjectRows& rows, std::vector<LabelRow>* labels, CohortCounts* counts) {
  rows_ = &rows;
  has_null_row_ = false;
  ++counts->num_subjects;
  if (!has_criteria(counts)) return;
  const size_t num_before = labels->size();
  const int64_t num_triggers_before = counts->num_triggers;
  for (int32_t row = rows.next(plan_.trigger, 0); row < rows.num_rows();
       row = rows.next(plan_.trigger, row + 1)) {
    ++counts->num_triggers;
    if (!pass_windows(row, counts)) continue;
    LabelRow label{.subject_id = rows.id()};
    if (plan_.index_point >= 0) label.prediction_time_us = times_us_[plan_.index_point];
    if (const auto loss = make_label(&label)) {
      ++counts->lost_labels[static_cast<size_t>(*loss)];
      continue;
    }
    if (label.boolean) ++(*label.boolean ? counts->num_true : counts->num_false);
    labels->push_back(std::move(label));
  }
  counts->num_trigger_subjects += counts->num_triggers > num_triggers_before;
  counts->num_labels += static_cast<int64_t>(labels->size() - num_before);
  counts->num_label_subjects += labels->size() > num_before;
  if (has_null_row_) {
    labels->push_back({.subject_id = rows.id()});
    ++counts->num_null_rows;
  }
}

}  // namespace sequela
