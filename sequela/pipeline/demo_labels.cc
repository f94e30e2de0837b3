#include "sequela/pipeline/demo_labels.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "sequela/io/parquet.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/labels.h"
#include "sequela/pipeline/balanced_labels.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFittedLabels = 512;  // of a task
constexpr size_t kTestedLabels = 1'000;

// Subject and prediction time of labels, by task.
using LabelKeys = std::map<std::string, std::set<std::pair<int64_t, int64_t>>>;

// Subjects that have no part in pretraining, and whether they are held out.
std::unordered_map<int64_t, bool> write_parts(const std::string& folder) {
  std::unordered_map<int64_t, bool> is_held_out;
  std::vector<int64_t> subjects;
  std::vector<std::string> splits;
  for (const auto& row : read_subject_splits(*find_dataset(folder + "/records/meds").splits_path)) {
    if (row.split == "train") continue;
    is_held_out[row.subject_id] = row.split == "held_out";
    subjects.push_back(row.subject_id);
    splits.emplace_back(row.split == "held_out" ? "held_out" : "train");
  }
  write_parquet(folder + "/evaluation_split.parquet",
                {{.name = "subject_id", .values = subjects}, {.name = "split", .values = splits}});
  return is_held_out;
}

// Returns the held-out labels.
LabelKeys choose_labels(const std::string& folder) {
  const std::unordered_map<int64_t, bool> is_held_out = write_parts(folder);
  LabelKeys held_out;
  fs::remove_all(folder + "/labels");
  fs::create_directories(folder + "/labels");
  for (const auto& entry : fs::directory_iterator(folder + "/records/labels")) {
    std::array<std::vector<Label>, 2> sides;
    for (const Label& label : read_labels(entry.path().string())) {
      const auto side = is_held_out.find(label.subject_id);
      if (side != is_held_out.end()) sides[side->second].push_back(label);
    }
    std::vector<Label> taken = take_balanced_labels(std::move(sides[0]), kFittedLabels);
    const std::vector<Label> tested = take_balanced_labels(std::move(sides[1]), kTestedLabels);
    taken.insert(taken.end(), tested.begin(), tested.end());
    for (const Label& label : tested)
      held_out[entry.path().stem().string()].insert({label.subject_id, label.prediction_time_us});
    write_boolean_labels(folder + "/labels/" + entry.path().filename().string(), taken);
  }
  return held_out;
}

// By row of a table of predictions.
struct Probabilities {
  std::vector<int64_t> subjects, times;
  std::vector<double> values;
};

void write_truth(const std::string& folder, const LabelKeys& held_out) {
  ParquetReader reader(folder + "/records/truth/label_probabilities.parquet");
  const std::vector<int> columns = {
      reader.require_column("subject_id", {ColumnType::int64}),
      reader.require_column("prediction_time", {ColumnType::timestamp}),
      reader.require_column("task", {ColumnType::string}),
      reader.require_column("probability", {ColumnType::float32})};
  std::map<std::string, Probabilities> by_task;
  reader.read(columns, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      const std::string task(batch.columns[2].text(i));
      const int64_t subject = batch.columns[0].int64s[i], time = batch.columns[1].int64s[i];
      const auto keys = held_out.find(task);
      if (keys == held_out.end() || !keys->second.contains({subject, time})) continue;
      Probabilities& rows = by_task[task];
      rows.subjects.push_back(subject);
      rows.times.push_back(time);
      rows.values.push_back(batch.columns[3].floats[i]);
    }
  });
  fs::create_directories(folder + "/truth");
  for (const auto& [task, rows] : by_task) {
    write_parquet(folder + "/truth/" + task + ".parquet",
                  {{.name = "subject_id", .values = rows.subjects},
                   {.name = "prediction_time", .values = rows.times, .is_timestamp = true},
                   {.name = "predicted_boolean_probability", .values = rows.values}});
  }
}

}  // namespace

std::vector<std::string> make_demo_labels(const std::string& folder) {
  const LabelKeys held_out = choose_labels(folder);
  write_truth(folder, held_out);
  std::vector<std::string> tasks;
  for (const auto& [task, keys] : held_out) tasks.push_back(task);
  return tasks;
}

}  // namespace sequela
