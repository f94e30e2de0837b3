#include "sequela/pipeline/probe_tasks.h"

#include <filesystem>
#include <map>
#include <optional>
#include <unordered_map>

#include "sequela/core/error.h"
#include "sequela/evaluation/baseline.h"
#include "sequela/evaluation/feature_rows.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/ingest.h"
#include "sequela/meds/labels.h"

namespace sequela {
namespace {

// The rows of one task that have an embedding.
struct TaskRows {
  std::vector<int64_t> subject_ids, prediction_times_us, feature_rows;
  std::vector<uint8_t> outcomes;
  RowSplit split;
};

using RowOfLabel = std::map<std::pair<int64_t, int64_t>, int64_t>;

RowOfLabel index_rows(const FeatureRows& features) {
  RowOfLabel rows;
  for (size_t i = 0; i < features.subject_ids.size(); ++i) {
    rows[{features.subject_ids[i], features.prediction_times_us[i]}] = static_cast<int64_t>(i);
  }
  return rows;
}

TaskRows read_task(const std::string& path, const RowOfLabel& row_of,
                   const std::unordered_map<int64_t, std::string>& split_of) {
  TaskRows rows;
  for (const Label& label : read_labels(path)) {
    const auto found = row_of.find({label.subject_id, label.prediction_time_us});
    const auto split = split_of.find(label.subject_id);
    if (found == row_of.end() || split == split_of.end()) continue;
    const std::optional<SplitPart> part = parse_split_part(split->second);
    if (!part) continue;
    const auto row = static_cast<int64_t>(rows.outcomes.size());
    (*part == SplitPart::held_out ? rows.split.test : rows.split.train).push_back(row);
    rows.subject_ids.push_back(label.subject_id);
    rows.prediction_times_us.push_back(label.prediction_time_us);
    rows.feature_rows.push_back(found->second);
    rows.outcomes.push_back(label.value > 0 ? 1 : 0);
  }
  return rows;
}

// Demographics and codes of a row's subject up to its prediction time.
class History {
 public:
  explicit History(const EventStore& store)
      : store_(store), counts_(static_cast<int32_t>(store.codes().size())) {
    for (size_t code = 0; code < store.codes().size(); ++code) {
      const AgeAndSex::Sex sex = sex_of_code(store.codes()[code]);
      if (sex != AgeAndSex::Sex::unknown) sex_codes_[static_cast<int32_t>(code)] = sex;
    }
  }

  void add(int64_t subject_id, int64_t prediction_time_us) {
    const auto index = store_.find_subject(subject_id);
    SEQUELA_CHECK(index.has_value());
    const Subject subject = store_.subject(*index);
    AgeAndSex row;
    row.age_days = static_cast<double>(prediction_time_us - subject.birth_us) / kMicrosPerDay;
    codes_.clear();
    for (int64_t i = 0; i < subject.num_events; ++i) {
      if (subject.time_us(i) != kNoTime && subject.time_us(i) > prediction_time_us) break;
      codes_.push_back(subject.code(i));
      const auto sex = sex_codes_.find(subject.code(i));
      if (sex != sex_codes_.end()) row.sex = sex->second;
    }
    people_.push_back(row);
    counts_.add_row(codes_);
  }

  DenseMatrix age_and_sex() const { return build_age_and_sex_features(people_); }
  SparseMatrix code_counts() const { return counts_.build(); }

 private:
  const EventStore& store_;
  CountFeatures counts_;
  std::vector<AgeAndSex> people_;
  std::vector<int32_t> codes_;
  std::unordered_map<int32_t, AgeAndSex::Sex> sex_codes_;
};

// The truth's probabilities of the labels of one task, by subject and time.
using TrueProbabilities = std::map<std::pair<int64_t, int64_t>, double>;

TrueProbabilities read_truth(const std::string& path, const std::string& task) {
  ParquetReader reader(path);
  const std::vector<int> columns = {
      reader.require_column("subject_id", {ColumnType::int64}),
      reader.require_column("prediction_time", {ColumnType::timestamp}),
      reader.require_column("task", {ColumnType::string}),
      reader.require_column("probability", {ColumnType::float32})};
  TrueProbabilities truth;
  reader.read(columns, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      if (batch.columns[2].text(i) != task) continue;
      truth[{batch.columns[0].int64s[i], batch.columns[1].int64s[i]}] = batch.columns[3].floats[i];
    }
  });
  return truth;
}

std::vector<double> scores_of(const TrueProbabilities& truth, const TaskRows& rows) {
  std::vector<double> scores;
  for (const int64_t row : rows.split.test)
    scores.push_back(truth.at({rows.subject_ids[row], rows.prediction_times_us[row]}));
  return scores;
}

TaskResult probe_task(const std::string& path, const EventStore& store, const FeatureRows& features,
                      const RowOfLabel& row_of,
                      const std::unordered_map<int64_t, std::string>& split_of,
                      const std::string& truth, int num_threads) {
  const TaskRows rows = read_task(path, row_of, split_of);
  History history(store);
  for (size_t i = 0; i < rows.outcomes.size(); ++i) {
    history.add(rows.subject_ids[i], rows.prediction_times_us[i]);
  }
  ProbeOptions probe;
  probe.num_threads = num_threads;
  BootstrapOptions bootstrap;
  bootstrap.num_threads = num_threads;
  const LabelledRows labelled{rows.outcomes, rows.subject_ids, rows.split};
  TaskResult result;
  result.task = std::filesystem::path(path).stem().string();
  result.embeddings =
      evaluate_probe("embeddings", select_rows(features.embeddings, rows.feature_rows), labelled,
                     probe, bootstrap);
  result.age_and_sex =
      evaluate_probe("age + sex", history.age_and_sex(), labelled, probe, bootstrap);
  result.code_counts =
      evaluate_probe("code counts", history.code_counts(), labelled, probe, bootstrap);
  if (!truth.empty()) {
    result.truth = evaluate_scores("truth", scores_of(read_truth(truth, result.task), rows),
                                   labelled, bootstrap);
  }
  return result;
}

}  // namespace

std::vector<TaskResult> probe_tasks(const ProbeTasksOptions& options) {
  const Dataset dataset = find_dataset(options.meds);
  if (!dataset.splits_path) {
    throw DataError({options.meds}, "has no metadata/subject_splits.parquet",
                    "add one with train, tuning and held_out subjects");
  }
  std::unordered_map<int64_t, std::string> split_of;
  for (const auto& row : read_subject_splits(*dataset.splits_path))
    split_of[row.subject_id] = row.split;

  IngestOptions ingest_options;
  ingest_options.meds = options.meds;
  ingest_options.folder = options.work_folder + "/.probe_events";
  ingest_options.num_threads = options.num_threads;
  ingest_options.memory_bytes = options.memory_bytes;
  ingest(ingest_options);
  std::vector<TaskResult> results;
  {
    const EventStore store = EventStore::open(ingest_options.folder);
    const FeatureRows features = read_feature_rows(options.features);
    const RowOfLabel row_of = index_rows(features);
    for (const std::string& path : options.labels) {
      results.push_back(
          probe_task(path, store, features, row_of, split_of, options.truth, options.num_threads));
    }
  }
  std::filesystem::remove_all(ingest_options.folder);
  return results;
}

}  // namespace sequela
