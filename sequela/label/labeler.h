#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sequela/label/cohort.h"
#include "sequela/label/plan.h"
#include "sequela/label/subject_rows.h"

namespace sequela {

// A row of MEDS's label schema; what is not set is null.
struct LabelRow {
  int64_t subject_id = 0;
  std::optional<int64_t> prediction_time_us;
  std::optional<bool> boolean;
  std::optional<int64_t> integer;
  std::optional<float> number;
  std::optional<std::string> category;
};

// Tries every trigger event of a subject against a plan's windows.
class Labeler {
 public:
  // Both must outlive the labeler.
  Labeler(const Plan& plan, const CodeMatcher& matcher);

  // Appends the subject's labels in order of the trigger, and counts who fell out where.
  void label(const SubjectRows& rows, std::vector<LabelRow>* labels, CohortCounts* counts);

 private:
  // Rows [begin, end) of the subject.
  struct Span {
    int32_t begin = 0, end = 0;
  };
  bool has_criteria(CohortCounts* counts) const;
  bool pass_windows(int32_t trigger_row, CohortCounts* counts);
  bool find_point(int number);
  bool find_event(const PlanPoint& point, int number);
  void note_null_row(int number);
  Span span_of(const PlanWindow& window) const;
  int32_t first_at(int point) const;     // the first row at or after a point
  int32_t first_after(int point) const;  // or behind it
  std::optional<LabelLoss> make_label(LabelRow* row) const;
  std::optional<LabelLoss> label_values(Span span, LabelRow* row) const;
  std::optional<LabelLoss> label_time(Span span, LabelRow* row) const;

  const Plan& plan_;
  const CodeMatcher& matcher_;
  const SubjectRows* rows_ = nullptr;
  std::vector<int64_t> times_us_;  // by point
  std::vector<int32_t> at_rows_;   // by point: its row, -1 = not known
  bool has_null_row_ = false;
};

}  // namespace sequela
