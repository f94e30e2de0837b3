#pragma once

#include <cstdint>
#include <vector>

#include "sequela/label/code_matcher.h"
#include "sequela/label/column_rules.h"
#include "sequela/label/plan.h"
#include "sequela/label/subject_record.h"

namespace sequela {

// One subject's events as a plan sees them: a row for each distinct time, and for each predicate
// how often it occurs at which rows. Filled again and again, so that it allocates little.
class SubjectRows {
 public:
  // All must outlive the object.
  SubjectRows(const Plan& plan, const ColumnRules& rules, const CodeMatcher& matcher);

  // Reads a record, which must be in order and outlive its use here.
  void load(const SubjectRecord& record);

  int64_t id() const { return record_->id; }
  int32_t num_rows() const { return static_cast<int32_t>(record_->times_us.size()); }
  int64_t time_us(int32_t row) const { return record_->times_us[row]; }
  // The first row at or after a time, or after it; num_rows() if there is none.
  int32_t first_at(int64_t time_us) const;
  int32_t first_after(int64_t time_us) const;

  // How often a predicate occurs at the rows [begin, end).
  int64_t count(int predicate, int32_t begin, int32_t end) const;
  // The first row from `row` on at which it occurs, num_rows() if there is none; the last row
  // before `row`, -1 if there is none.
  int32_t next(int predicate, int32_t row) const;
  int32_t previous(int predicate, int32_t row) const;

  // True if the subject has an event without a time that a plain predicate means.
  bool has_static(int plain) const { return static_counts_[plain] > 0; }

  // An event of a plain predicate.
  struct Event {
    int32_t row = 0;
    float value = 0;
    int32_t code = 0;
  };
  const std::vector<Event>& events(int plain) const { return events_[plain]; }

 private:
  // Rows in ascending order and how many occurrences there are up to each.
  struct Occurrences {
    bool is_everywhere = false;  // once at each row
    int64_t constant = -1;       // so many whatever the rows; -1 = it depends on them
    std::vector<int32_t> rows;
    std::vector<int64_t> counts;  // running sums, parallel to rows

    void clear();
    void add(int32_t row, int64_t count);
  };
  bool fits(int plain, const MatchedEvent& event, float* last_value) const;
  void load_events();
  void keep_occurrence(int plain);
  void build(int predicate);
  void build_all(const PlanPredicate& predicate, Occurrences* out) const;
  void build_any(const PlanPredicate& predicate, Occurrences* out) const;
  bool occurs(const Occurrences& input, int32_t row) const;

  const Plan& plan_;
  const ColumnRules& rules_;
  const CodeMatcher& matcher_;
  const SubjectRecord* record_ = nullptr;
  std::vector<std::vector<Event>> events_;  // by plain predicate
  std::vector<int64_t> static_counts_;      // by plain predicate
  std::vector<float> last_values_;          // by plain predicate, while events are read
  std::vector<Occurrences> occurrences_;    // by predicate
};

}  // namespace sequela
