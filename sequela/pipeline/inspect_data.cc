// The artifacts up to the task: data set, prepared folder, ontology, split, dictionary, task,
// labels.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/number_text.h"
#include "sequela/core/time.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/labels.h"
#include "sequela/meds/split.h"
#include "sequela/objective/registry.h"
#include "sequela/ontology/ontology.h"
#include "sequela/ontology/summary.h"
#include "sequela/pipeline/inspect_parts.h"
#include "sequela/task/motor_task.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {
namespace {

constexpr size_t kMaxRows = 8;  // of a list that could be long

std::string share_text(int64_t part, int64_t whole) {
  if (whole == 0) return with_thousands(part);
  char text[32];
  std::snprintf(text, sizeof(text), " (%.1f %%)",
                100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return with_thousands(part) + text;
}

}  // namespace

std::string inspect_dataset(const std::string& path) {
  const Dataset dataset = find_dataset(path);
  const bool is_parquet = dataset.kind == DatasetKind::parquet;
  Description description(path + (is_parquet ? ": MEDS data set" : ": meds_reader database"));
  if (is_parquet) {
    int64_t num_events = 0;
    std::vector<ColumnInfo> columns;
    for (const std::string& shard : dataset.shards) {
      const ParquetReader reader(shard);
      num_events += reader.num_rows();
      columns = reader.columns();
    }
    description.add("shards", static_cast<int64_t>(dataset.shards.size()));
    description.add("events", num_events);
    for (const auto& column : columns) description.add("column " + column.name, column.type_name);
  } else {
    const auto id_bytes = std::filesystem::file_size(path + "/subject_id");
    description.add("subjects", static_cast<int64_t>(id_bytes / sizeof(int64_t)));
  }
  if (dataset.codes_path) {
    const ParquetReader codes(*dataset.codes_path);
    description.add("described codes", codes.num_rows());
  }
  if (dataset.splits_path) {
    std::map<std::string, int64_t> splits;
    for (const auto& row : read_subject_splits(*dataset.splits_path)) ++splits[row.split];
    for (const auto& [name, count] : splits) description.add("split " + name, count);
  }
  return description.text();
}

std::string inspect_prepared(const std::string& path) {
  std::string text = path + ": prepared for pretraining\n";
  const char* task_file = prepared_objective(path).task_file();
  for (const char* part :
       {"ontology", "split.csv", "tokenizer", task_file, "train_batches", "val_batches"}) {
    const std::string file = path + "/" + part;
    if (!std::filesystem::exists(file)) {
      text += "  " + file + ": missing\n";
    } else if (std::string_view(part) == "ontology") {
      text += inspect_ontology(file + "/ontology.parquet");
    } else if (std::string_view(part) == "split.csv") {
      text += inspect_split(file);
    } else if (std::string_view(part) == "tokenizer") {
      text += inspect_dictionary(file + "/dictionary.msgpack");
    } else if (part == task_file) {
      text += inspect_task(file);
    } else {
      text += inspect_batches(file);
    }
  }
  return text;
}

std::string inspect_ontology(const std::string& path) {
  const OntologySummary summary = summarize(Ontology::read(path));
  Description description(path + ": ontology");
  description.add("codes", summary.num_nodes);
  description.add("in the data", share_text(summary.num_in_data, summary.num_nodes));
  description.add("parent links", summary.num_edges);
  description.add("depth", summary.max_depth);
  char mean[32];
  std::snprintf(mean, sizeof(mean), "%.1f", std::max(0.0, summary.mean_all_parents - 1));
  description.add("ancestors of a code of the data", std::string(mean) + " on average");
  for (size_t i = 0; i < std::min(kMaxRows, summary.vocabularies.size()); ++i) {
    const VocabularySummary& vocabulary = summary.vocabularies[i];
    description.add("vocabulary " + vocabulary.vocabulary,
                    share_text(vocabulary.num_nodes, summary.num_nodes));
  }
  return description.text();
}

std::string inspect_split(const std::string& path) {
  const Split split = Split::read(path);
  Description description(path + ": split");
  const int64_t total = split.num_train() + split.num_validation();
  description.add("train subjects", share_text(split.num_train(), total));
  description.add("validation subjects", share_text(split.num_validation(), total));
  return description.text();
}

std::string inspect_dictionary(const std::string& path) {
  const Vocabulary vocabulary = Vocabulary::read(path);
  Description description(
      path + (vocabulary.is_hierarchical ? ": hierarchical dictionary" : ": flat dictionary"));
  std::map<VocabularyEntry::Type, int64_t> types;
  std::string first;
  for (const auto& entry : vocabulary.entries) {
    const bool is_among_first = types[entry.type]++ < 5;
    if (entry.type == VocabularyEntry::Type::code && is_among_first) {
      first += (first.empty() ? "" : ", ") + entry.code_string;
    }
  }
  description.add("tokens", static_cast<int64_t>(vocabulary.entries.size()));
  description.add("codes", types[VocabularyEntry::Type::code]);
  description.add("numeric bins", types[VocabularyEntry::Type::numeric]);
  description.add("texts", types[VocabularyEntry::Type::text]);
  if (types[VocabularyEntry::Type::unused] > 0) {
    description.add("unused", types[VocabularyEntry::Type::unused]);
  }
  description.add("first codes", first);
  const AgeStats& ages = vocabulary.age_stats;
  description.add("mean age", time_text(ages.age.mean) + ", deviation " + time_text(ages.age.std));
  description.add("mean gap of events", time_text(ages.delta.mean));
  return description.text();
}

namespace {

std::string inspect_motor_task(const std::string& path) {
  const MotorTask task = MotorTask::read(path);
  Description description(path + ": MOTOR task");
  description.add("tasks", static_cast<int64_t>(task.tasks.size()));
  description.add("final layer", task.final_layer_size);
  std::string bins;
  for (double edge : task.time_bins) {
    bins += (bins.empty() ? "" : " | ") + (std::isinf(edge) ? "no end" : time_text(edge));
  }
  description.add("time bins", bins);
  for (size_t i = 0; i < std::min<size_t>(5, task.tasks.size()); ++i) {
    const auto& entry = task.tasks[i];
    const int64_t total = entry.n_events + entry.n_censored;
    description.add("task " + entry.name(), share_text(entry.n_events, total) +
                                                " seen, mean time " + time_text(entry.mean_time));
  }
  return description.text();
}

}  // namespace

std::string inspect_task(const std::string& path) {
  if (path.ends_with(find_objective("motor").task_file())) return inspect_motor_task(path);
  for (const Objective* objective : objectives()) {
    if (!path.ends_with(objective->task_file())) continue;
    Description description(str(path, ": ", objective->name(), " task"));
    const Json counts = objective->describe(path);
    for (const auto& [name, count] : counts.items()) {
      std::string words = name;
      std::ranges::replace(words, '_', ' ');
      description.add(words, count.get<int64_t>());
    }
    return description.text();
  }
  throw FileError(path, "is no task that Sequela knows");
}

std::string inspect_labels(const std::string& path) {
  const std::vector<Label> labels = read_labels(path);
  Description description(path + ": labels");
  int64_t num_positive = 0;
  int64_t first = kMaxTimeUs, last = kMinTimeUs;
  for (const Label& label : labels) {
    num_positive += label.value > 0 ? 1 : 0;
    first = std::min(first, label.prediction_time_us);
    last = std::max(last, label.prediction_time_us);
  }
  const auto num_labels = static_cast<int64_t>(labels.size());
  description.add("labels", num_labels);
  description.add("value above 0", share_text(num_positive, num_labels));
  if (num_labels > 0) description.add("prediction times", to_text(first) + " to " + to_text(last));
  return description.text();
}

}  // namespace sequela
