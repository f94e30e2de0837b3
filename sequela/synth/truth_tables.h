#pragma once

#include <string>
#include <vector>

#include "sequela/io/parquet.h"
#include "sequela/synth/course.h"

namespace sequela {

// What is kept of each subject once their events are written.
struct SubjectTruth {
  Person person;
  int64_t num_events = 0;
};

// One row a subject: the latent traits, birth, start and end of the record, death, number of
// events.
Table to_subject_table(const std::vector<SubjectTruth>& subjects);
// One row for each disease that a subject got, in or before the record: subject_id, disease,
// prodrome_time, outbreak_time (null = never broke out).
Table to_disease_table(const std::vector<SubjectTruth>& subjects);
// The MEDS label schema's subject_id, prediction_time, boolean_value, which allows no other column;
// of one task, or of all if `task` is SynthTask::count.
Table to_label_table(const std::vector<TaskLabel>& labels, SynthTask task);
// The same of all tasks, with their name as `task`, and `probability`.
Table to_probability_table(const std::vector<TaskLabel>& labels);

}  // namespace sequela
