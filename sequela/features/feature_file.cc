#include "sequela/features/feature_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "sequela/io/file.h"
#include "sequela/io/npz_file.h"
#include "sequela/io/parquet.h"
#include "sequela/io/torch_file.h"

namespace sequela {
namespace {

constexpr int64_t kRowsPerGroup = 16'384;

std::vector<int64_t> embedded_rows(const Features& features) {
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < static_cast<int64_t>(features.labels_n.size()); ++i) {
    if (features.states_n[i] == LabelState::embedded) rows.push_back(i);
  }
  return rows;
}

std::span<const float> embedding_of(const Features& features, int64_t row) {
  return {features.embeddings_nd + row * features.width, static_cast<size_t>(features.width)};
}

TableColumn timestamps(const std::string& name, std::vector<int64_t> values) {
  TableColumn column{name, std::move(values), {}};
  column.is_timestamp = true;
  return column;
}

Table to_table(const Features& features, std::span<const int64_t> rows) {
  std::vector<int64_t> ids, prediction_times, feature_times;
  std::vector<float> embeddings;
  embeddings.reserve(rows.size() * static_cast<size_t>(features.width));
  for (int64_t row : rows) {
    ids.push_back(features.labels_n[row].subject_id);
    prediction_times.push_back(features.labels_n[row].prediction_time_us);
    feature_times.push_back(features.feature_seconds_n[row] * kMicrosPerSecond);
    const auto embedding = embedding_of(features, row);
    embeddings.insert(embeddings.end(), embedding.begin(), embedding.end());
  }
  TableColumn embedding_column{"embedding", std::move(embeddings), {}};
  embedding_column.fixed_list_size = static_cast<int32_t>(features.width);
  return {{"subject_id", std::move(ids), {}},
          timestamps("prediction_time", std::move(prediction_times)),
          timestamps("feature_time", std::move(feature_times)),
          std::move(embedding_column)};
}

// "123", or "123@2020-01-31 08:00:00" for a subject with several embedded labels.
std::string sample_id(const Label& label, bool has_several) {
  if (!has_several) return str(label.subject_id);
  return str(label.subject_id, "@", to_text(label.prediction_time_us));
}

// A label of the labels table as text, as a cohort would have it.
std::string label_text(const Label& label) {
  if (!label.category.empty()) return label.category;
  if (std::isnan(label.value)) return "";
  const bool is_whole = label.value == std::floor(label.value) && std::abs(label.value) < 1e15;
  return is_whole ? str(static_cast<int64_t>(label.value)) : float_text(label.value);
}

void write_torch_file(const std::string& path, const Features& features,
                      std::span<const int64_t> rows, std::vector<std::string> labels,
                      std::vector<std::string> sample_ids) {
  TorchFileWriter writer(
      path,
      {{"embeddings", std::vector<int64_t>{static_cast<int64_t>(rows.size()), features.width}},
       {"labels", std::move(labels)},
       {"sample_ids", std::move(sample_ids)}});
  for (int64_t row : rows) writer.append(embedding_of(features, row));
  writer.finish();
}

}  // namespace

void write_feature_parquet(const std::string& path, const Features& features) {
  const std::vector<int64_t> rows = embedded_rows(features);
  ParquetWriter writer(path);
  const auto num_rows = static_cast<int64_t>(rows.size());
  int64_t begin = 0;
  do {  // a table without rows still has its columns
    const int64_t count = std::min(kRowsPerGroup, num_rows - begin);
    writer.write(to_table(features, {rows.data() + begin, static_cast<size_t>(count)}));
    begin += count;
  } while (begin < num_rows);
  writer.finish();
}

void write_feature_npz(const std::string& path, const Features& features) {
  const std::vector<int64_t> rows = embedded_rows(features);
  const auto num_rows = static_cast<int64_t>(rows.size());
  NpzWriter writer(path);
  auto add = [&](const char* name, auto value_of) {
    std::vector<int64_t> values(rows.size());
    std::transform(rows.begin(), rows.end(), values.begin(), value_of);
    writer.begin_array(name, NpyType::int64, {num_rows});
    writer.append(values);
  };
  add("subject_ids", [&](int64_t row) { return features.labels_n[row].subject_id; });
  add("prediction_times", [&](int64_t row) { return features.labels_n[row].prediction_time_us; });
  add("feature_times",
      [&](int64_t row) { return features.feature_seconds_n[row] * kMicrosPerSecond; });
  writer.begin_array("features", NpyType::float32, {num_rows, features.width});
  for (int64_t row : rows) writer.append(embedding_of(features, row));
  writer.finish();
}

CohortReport write_cohort_files(const std::string& folder, const Features& features,
                                const Cohort& cohort) {
  CohortReport report;
  report.without_split = cohort.without_split;
  const std::vector<int64_t> rows = embedded_rows(features);
  std::unordered_map<int64_t, int64_t> labels_of_subject;
  for (int64_t row : rows) ++labels_of_subject[features.labels_n[row].subject_id];

  struct Part {
    std::vector<int64_t> rows;
    std::vector<std::string> labels, sample_ids;
  };
  std::array<Part, 3> parts;
  for (int64_t row : rows) {
    const Label& label = features.labels_n[row];
    const auto member = cohort.members.find(label.subject_id);
    if (member == cohort.members.end()) {
      ++report.num_labels_outside;
      continue;
    }
    Part& part = parts[static_cast<size_t>(member->second.split)];
    part.rows.push_back(row);
    part.labels.push_back(cohort.has_labels ? member->second.label : label_text(label));
    part.sample_ids.push_back(sample_id(label, labels_of_subject[label.subject_id] > 1));
  }
  for (size_t split = 0; split < parts.size(); ++split) {
    Part& part = parts[split];
    report.num_samples[split] = static_cast<int64_t>(part.rows.size());
    write_torch_file(folder + "/" + kCohortSplitNames[split] + "_embeddings.pt", features,
                     part.rows, std::move(part.labels), std::move(part.sample_ids));
  }
  for (int64_t id : cohort.order) {
    if (!labels_of_subject.contains(id)) report.missing_members.push_back(id);
  }
  return report;
}

void write_skipped(const std::string& path, const Features& features, const CohortReport& cohort) {
  AtomicFile file(path);
  file.write("subject_id,prediction_time,reason\n");
  for (size_t i = 0; i < features.labels_n.size(); ++i) {
    if (features.states_n[i] == LabelState::embedded) continue;
    const Label& label = features.labels_n[i];
    file.write(str(label.subject_id, ",", to_text(label.prediction_time_us), ",",
                   to_text(features.states_n[i]), "\n"));
  }
  for (int64_t id : cohort.missing_members)
    file.write(str(id, ",,cohort member without an embedded label\n"));
  for (int64_t id : cohort.without_split)
    file.write(str(id, ",,row of the cohort without a split\n"));
  file.commit();
}

}  // namespace sequela
