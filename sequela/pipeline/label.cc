#include "sequela/pipeline/label.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/core/stopwatch.h"
#include "sequela/core/suggest.h"
#include "sequela/io/file.h"
#include "sequela/label/builtin_tasks.h"
#include "sequela/label/label_file.h"
#include "sequela/label/subject_scan.h"
#include "sequela/meds/dataset.h"
#include "sequela/pipeline/data_ontology.h"
#include "sequela/pipeline/label_codes.h"
#include "sequela/pipeline/run_inputs.h"
#include "sequela/pipeline/temporary_store.h"
#include "sequela/run/folder_lock.h"
#include "sequela/run/manifest.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr size_t kRowsPerGroup = 100'000;
// What a thread holds of a shard at a time, at most: a million rows of four columns, decoded.
constexpr int64_t kBytesPerThread = int64_t{160} << 20;

TaskText find_task(const std::string& name) {
  if (fs::exists(name)) return {name, read_file(name)};
  if (auto task = find_builtin_task(name)) return *task;
  const std::string suggestion = did_you_mean(name, builtin_task_names());
  throw ConfigError(str("task: '", name, "' is neither a file nor a task that comes with Sequela",
                        suggestion.empty() ? ". Fix: see `sequela label --help`." : suggestion));
}

Task read_task(const LabelOptions& options) {
  TaskText predicates;
  if (!options.predicates.empty()) {
    predicates = {options.predicates, read_file(options.predicates)};
  }
  return parse_task(find_task(options.task), predicates);
}

RunRecipe build_recipe(const LabelOptions& options, const Task& task, Fingerprints& fingerprints) {
  RunRecipe recipe;
  recipe.command = recipe.artifact = "label";
  recipe.set("time-zone", zone_rule_name(options.zone_rule));
  recipe.set("aces-exact", options.mode == AcesMode::exact);
  recipe.inputs["task"][""] = fingerprint_of_text(task.text);
  add_input("meds", dataset_files(options.meds), fingerprints, recipe);
  add_input("athena", ontology_files(options.athena), fingerprints, recipe);
  return recipe;
}

// What one thread works with.
struct Worker {
  Worker(const Plan& plan, const ColumnRules& rules, const Descendants& descendants)
      : matcher(plan, descendants), rows(plan, rules, matcher), labeler(plan, matcher) {}

  void label(const SubjectRecord& record, std::vector<LabelRow>* labels, CohortCounts* counts) {
    counts->num_events += record.num_events;
    rows.load(record);
    labeler.label(rows, labels, counts);
  }

  CodeMatcher matcher;
  SubjectRows rows;
  Labeler labeler;
};

class LabelRun {
 public:
  LabelRun(const LabelOptions& options, const Plan& plan)
      : options_(options),
        plan_(plan),
        rules_(plan),
        num_threads_(static_cast<int>(
            std::clamp<int64_t>(options.memory_bytes / kBytesPerThread, 1, options.num_threads))) {}

  CohortCounts run(const Dataset& dataset) {
    return dataset.kind == DatasetKind::parquet ? label_shards(dataset) : label_database();
  }
  // What was written, below the folder.
  const std::vector<std::string>& files() const { return files_; }

 private:
  ScanTask scan_task(Worker& worker) const {
    return {rules_, &worker.matcher, needs_values(plan_), options_.zone_rule};
  }
  CohortCounts label_shards(const Dataset& dataset);
  void label_shard(const std::string& shard, const std::string& file, Worker& worker,
                   CohortCounts* counts);
  CohortCounts label_database();
  void make_workers(const std::function<std::vector<std::string>()>& read_codes);

  const LabelOptions& options_;
  const Plan& plan_;
  const ColumnRules rules_;
  Descendants descendants_;
  const int num_threads_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::string> files_;
};

void LabelRun::make_workers(const std::function<std::vector<std::string>()>& read_codes) {
  descendants_ = find_descendants(options_, plan_, read_codes);
  for (int t = 0; t < num_threads_; ++t) {
    workers_.push_back(std::make_unique<Worker>(plan_, rules_, descendants_));
  }
}

void LabelRun::label_shard(const std::string& shard, const std::string& file, Worker& worker,
                           CohortCounts* counts) {
  const std::string path = options_.out + "/" + file;
  fs::create_directories(fs::path(path).parent_path());
  LabelFile labels(path);
  std::vector<LabelRow> rows;
  scan_shard(shard, scan_task(worker), [&](const SubjectRecord& record) {
    worker.label(record, &rows, counts);
    if (rows.size() >= kRowsPerGroup) labels.add(&rows);
  });
  labels.add(&rows);
  labels.finish();
}

CohortCounts LabelRun::label_shards(const Dataset& dataset) {
  make_workers([&] { return read_distinct_codes(dataset, num_threads_); });
  for (const std::string& shard : dataset.shards) {
    const std::string name = dataset.name_of(shard);
    files_.push_back(name.starts_with("data/") ? name.substr(5) : name);
  }
  std::vector<CohortCounts> counts(files_.size(), CohortCounts(plan_));
  Progress progress("label", static_cast<int64_t>(files_.size()), "shards");
  parallel_for(static_cast<int64_t>(files_.size()), num_threads_, [&](int64_t i, int thread) {
    throw_if_stopped();
    label_shard(dataset.shards[i], files_[i], *workers_[thread], &counts[i]);
    progress.advance(1);
  });
  CohortCounts all(plan_);
  for (const CohortCounts& part : counts) all.add(part);
  return all;
}

CohortCounts LabelRun::label_database() {
  IngestOptions ingest{.meds = options_.meds,
                       .zone_rule = options_.zone_rule,
                       .num_threads = num_threads_,
                       .memory_bytes = options_.memory_bytes};
  for (const std::string& column : rules_.columns()) {
    if (column != "numeric_value" && column != "text_value") ingest.properties.push_back(column);
  }
  const TemporaryStore temporary(ingest, options_.out);
  const EventStore store = temporary.open();
  make_workers([&] { return store.codes(); });
  files_ = {"labels.parquet"};
  LabelFile labels(options_.out + "/" + files_[0]);
  CohortCounts all(plan_);
  const std::vector<Chunk>& chunks = store.chunks();
  Progress progress("label", store.num_subjects(), "subjects");
  for (size_t first = 0; first < chunks.size(); first += num_threads_) {
    const size_t count = std::min<size_t>(num_threads_, chunks.size() - first);
    std::vector<std::vector<LabelRow>> rows(count);
    std::vector<CohortCounts> counts(count, CohortCounts(plan_));
    parallel_for(static_cast<int64_t>(count), num_threads_, [&](int64_t i, int thread) {
      throw_if_stopped();
      Worker& worker = *workers_[thread];
      const Chunk& chunk = chunks[first + i];
      const int64_t end = chunk.first_subject + chunk.num_subjects;
      scan_store(store, chunk.first_subject, end, scan_task(worker),
                 [&](const SubjectRecord& record) { worker.label(record, &rows[i], &counts[i]); });
      store.release(chunk.first_subject, end);
      progress.advance(chunk.num_subjects);
    });
    for (size_t i = 0; i < count; ++i) {
      labels.add(&rows[i]);
      all.add(counts[i]);
    }
  }
  labels.finish();
  return all;
}

}  // namespace

void LabelOptions::validate() const {
  if (meds.empty()) throw ConfigError("--meds is missing. Fix: name a MEDS data set.");
  if (task.empty())
    throw ConfigError("--task is missing. Fix: name a YAML file or a built-in task.");
  if (out.empty()) throw ConfigError("--out is missing. Fix: name a folder for the labels.");
}

std::string task_text(const std::string& name) {
  return find_task(name).text;
}

LabelReport make_labels(const LabelOptions& options) {
  options.validate();
  const Stopwatch watch;
  const Task task = read_task(options);
  const Plan plan = make_plan(task, options.mode);
  const Dataset dataset = find_dataset(options.meds);
  Fingerprints fingerprints({options.fingerprint_cache, options.num_threads});
  RunRecipe recipe = build_recipe(options, task, fingerprints);
  Manifest manifest(options.out, fingerprints);
  LabelReport report;
  report.is_up_to_date = manifest.is_up_to_date(recipe);
  if (report.is_up_to_date) return report;
  const FolderLock lock(options.out);
  manifest.remove_with_files();

  LabelRun run(options, plan);
  const CohortCounts counts = run.run(dataset);
  Json cohort = {{"task", task.name}};
  cohort.update(to_json(plan, counts));
  report.steps = cohort_steps(plan, counts);
  if (counts.num_labels == 0) report.emptied_by = emptied_by(report.steps);
  cohort["emptied_by"] = report.emptied_by;
  write_file(options.out + "/cohort.json", json_text(cohort) + "\n");
  recipe.outputs = run.files();
  recipe.outputs.push_back("cohort.json");
  manifest.record(recipe, {{"num_labels", counts.num_labels}});
  report.num_labels = counts.num_labels;
  report.num_subjects = counts.num_label_subjects;
  report.num_events = counts.num_events;
  report.num_true = counts.num_true;
  report.num_false = counts.num_false;
  report.seconds = watch.seconds();
  return report;
}

}  // namespace sequela
