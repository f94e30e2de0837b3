#include "sequela/synth/truth_tables.h"

namespace sequela {
namespace {

// One value a row, by a function of the row.
template <class T, class Row, class Get>
std::vector<T> gather(const std::vector<Row>& rows, Get get) {
  std::vector<T> values;
  values.reserve(rows.size());
  for (const Row& row : rows) values.push_back(get(row));
  return values;
}

template <class Row, class Get>
TableColumn time_column(const char* name, const std::vector<Row>& rows, Get day_of_row) {
  return {
      .name = name,
      .values = gather<int64_t>(rows, [&](const Row& row) { return to_time_us(day_of_row(row)); }),
      .is_timestamp = true};
}

struct DiseaseRow {
  const Person* person;
  int disease;
};

}  // namespace

Table to_subject_table(const std::vector<SubjectTruth>& subjects) {
  using Row = SubjectTruth;
  Table table;
  const auto add = [&](const char* name, auto values) {
    table.push_back({.name = name, .values = std::move(values)});
  };
  add("subject_id", gather<int64_t>(subjects, [](const Row& s) { return s.person.id; }));
  add("is_female", gather<uint8_t>(subjects, [](const Row& s) { return s.person.is_female; }));
  add("is_smoker", gather<uint8_t>(subjects, [](const Row& s) { return s.person.is_smoker; }));
  add("has_local_labs",
      gather<uint8_t>(subjects, [](const Row& s) { return s.person.has_local_labs; }));
  add("metabolic", gather<double>(subjects, [](const Row& s) { return s.person.metabolic; }));
  add("frailty", gather<double>(subjects, [](const Row& s) { return s.person.frailty; }));
  add("num_events", gather<int64_t>(subjects, [](const Row& s) { return s.num_events; }));
  table.push_back(time_column("birth_time", subjects, [](const Row& s) { return s.person.birth; }));
  table.push_back(
      time_column("start_time", subjects, [](const Row& s) { return s.person.enrolled; }));
  table.push_back(time_column("end_time", subjects, [](const Row& s) { return s.person.end; }));
  table.push_back(time_column("death_time", subjects, [](const Row& s) {
    return s.person.is_dead() ? s.person.death : 0;
  }));
  table.back().valid = gather<uint8_t>(subjects, [](const Row& s) { return s.person.is_dead(); });
  return table;
}

Table to_disease_table(const std::vector<SubjectTruth>& subjects) {
  std::vector<DiseaseRow> rows;
  for (const SubjectTruth& subject : subjects) {
    for (int disease = 0; disease < kNumDiseases; ++disease) {
      if (subject.person.stages[disease] != Stage::healthy)
        rows.push_back({&subject.person, disease});
    }
  }
  using Row = DiseaseRow;
  Table table;
  table.push_back({.name = "subject_id",
                   .values = gather<int64_t>(rows, [](const Row& row) { return row.person->id; })});
  table.push_back({.name = "disease", .values = gather<std::string>(rows, [](const Row& row) {
                                        return kDiseases[row.disease].key;
                                      })});
  table.push_back(time_column("prodrome_time", rows, [](const Row& row) {
    return row.person->prodrome_start[row.disease];
  }));
  table.push_back(time_column("outbreak_time", rows,
                              [](const Row& row) { return row.person->outbreak[row.disease]; }));
  table.back().valid = gather<uint8_t>(
      rows, [](const Row& row) { return row.person->stages[row.disease] == Stage::broken_out; });
  return table;
}

Table to_label_table(const std::vector<TaskLabel>& labels, SynthTask task) {
  std::vector<TaskLabel> rows;
  for (const TaskLabel& label : labels) {
    if (task == SynthTask::count || label.task == task) rows.push_back(label);
  }
  using Row = TaskLabel;
  Table table;
  table.push_back({.name = "subject_id",
                   .values = gather<int64_t>(rows, [](const Row& row) { return row.subject_id; })});
  table.push_back(
      {.name = "prediction_time",
       .values = gather<int64_t>(rows, [](const Row& row) { return row.prediction_time_us; }),
       .is_timestamp = true});
  table.push_back({.name = "boolean_value",
                   .values = gather<uint8_t>(rows, [](const Row& row) { return row.value; })});
  return table;
}

Table to_probability_table(const std::vector<TaskLabel>& labels) {
  Table table = to_label_table(labels, SynthTask::count);
  table.push_back({.name = "task", .values = gather<std::string>(labels, [](const TaskLabel& row) {
                                     return std::string(task_name(row.task));
                                   })});
  table.push_back(
      {.name = "probability",
       .values = gather<float>(labels, [](const TaskLabel& label) { return label.probability; })});
  return table;
}

}  // namespace sequela
