#pragma once

// Tasks of made-up records, and what is known of each label: for bench/learning.cc.

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "sequela/core/random.h"
#include "sequela/evaluation/baseline.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/labels.h"
#include "sequela/ontology/ontology.h"
#include "sequela/synth/outbreak_truth.h"

namespace sequela {

constexpr std::array<double, 3> kPeriodDays = {30, 365, 1e9};  // of the counts

// A task, and the code whose next event within so many days answers it.
struct TaskSpec {
  std::string name;
  std::string code;
  double days = 0;
};

inline std::vector<TaskSpec> task_specs() {
  return {{"in_hospital_mortality", "MEDS_DEATH", 30},
          {"readmission_30d", "Visit/IP", 30},
          {"chronic_onset_1y", code_of_disease(kOnsetTaskDisease), 365},
          {"flare_30d", "LOCAL/flare", 30}};
}

struct Task {
  std::string name;
  std::vector<Label> labels;
  std::vector<double> truth;  // the generator's own probability
  std::vector<uint8_t> outcomes, is_fitted;
};

enum class LabelSide : uint8_t { fit, test, none };

// At most so many labels of a side, positives up to half of them, which leaves AUROC's expectation
// as it is. A label's place in the draw depends on the label alone.
struct TaskSides {
  std::function<LabelSide(int64_t subject)> side_of;
  std::array<int64_t, 2> max_labels;
};

inline Task read_task(const std::string& records, const std::string& name, const TaskSides& sides) {
  struct Row {
    Label label;
    double truth;
  };
  std::array<std::vector<Row>, 4> rows;  // by 2 * side + outcome
  ParquetReader reader(records + "/truth/label_probabilities.parquet");
  const std::vector<int> columns = {
      reader.require_column("subject_id", {ColumnType::int64}),
      reader.require_column("prediction_time", {ColumnType::timestamp}),
      reader.require_column("boolean_value", {ColumnType::boolean}),
      reader.require_column("probability", {ColumnType::float32}),
      reader.require_column("task", {ColumnType::string})};
  reader.read(columns, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      if (batch.columns[4].text(i) != name) continue;
      const int64_t subject = batch.columns[0].int64s[i];
      const LabelSide side = sides.side_of(subject);
      if (side == LabelSide::none) continue;
      const bool outcome = batch.columns[2].booleans[i] != 0;
      rows[2 * static_cast<int>(side) + outcome].push_back(
          {{subject, batch.columns[1].int64s[i], outcome ? 1.0 : 0.0}, batch.columns[3].floats[i]});
    }
  });
  Task task{.name = name};
  for (const int side : {0, 1}) {
    const int64_t most = sides.max_labels[side];
    const auto positives = std::min<int64_t>(rows[2 * side + 1].size(), most / 2);
    for (const int outcome : {0, 1}) {
      std::vector<Row>& own = rows[2 * side + outcome];
      const auto hash = [](const Row& row) {
        return hash_key(7, row.label.subject_id, row.label.prediction_time_us);
      };
      std::sort(own.begin(), own.end(),
                [&](const Row& a, const Row& b) { return hash(a) < hash(b); });
      own.resize(std::min<size_t>(own.size(), outcome ? positives : most - positives));
      for (const Row& row : own) {
        task.labels.push_back(row.label);
        task.truth.push_back(row.truth);
        task.outcomes.push_back(outcome);
        task.is_fitted.push_back(side == 0);
      }
    }
  }
  return task;
}

// Counts of codes and their ancestors in three periods before each label; age and sex beside.
struct History {
  SparseMatrix counts;
  DenseMatrix age_and_sex;
};

inline History history_of(const EventStore& store, const Ontology& ontology, const Task& task) {
  const int32_t nodes = ontology.num_nodes();
  CountFeatures counts(nodes * static_cast<int32_t>(kPeriodDays.size()));
  const std::vector<int32_t> node_of = ontology.nodes_of(store.codes());
  std::vector<AgeAndSex> people;
  for (const Label& label : task.labels) {
    const Subject subject = store.subject(*store.find_subject(label.subject_id));
    AgeAndSex person{.age_days = static_cast<double>(label.prediction_time_us - subject.birth_us) /
                                 kMicrosPerDay};
    std::vector<int32_t> ids;
    for (int64_t i = 0; i < subject.num_events; ++i) {
      const bool is_static = subject.time_us(i) == kNoTime;
      if (!is_static && subject.time_us(i) > label.prediction_time_us) break;
      const std::string& code = store.codes()[subject.code(i)];
      if (sex_of_code(code) != AgeAndSex::Sex::unknown) person.sex = sex_of_code(code);
      const double days =
          is_static
              ? 1e8
              : static_cast<double>(label.prediction_time_us - subject.time_us(i)) / kMicrosPerDay;
      for (const int32_t node : ontology.all_parents(node_of[subject.code(i)])) {
        for (size_t p = 0; p < kPeriodDays.size(); ++p) {
          if (days <= kPeriodDays[p]) ids.push_back(node + static_cast<int32_t>(p) * nodes);
        }
      }
    }
    const std::array<float, 2> extra = {static_cast<float>(person.age_days / 365.25),
                                        person.sex == AgeAndSex::Sex::female ? 1.0F : 0.0F};
    counts.add_row(ids, extra);
    people.push_back(person);
  }
  return {counts.build(), build_age_and_sex_features(people)};
}

}  // namespace sequela
