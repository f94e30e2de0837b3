#include "sequela/pipeline/demo.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/stopwatch.h"
#include "sequela/evaluation/text_table.h"
#include "sequela/io/file.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/labels.h"
#include "sequela/pipeline/balanced_labels.h"
#include "sequela/pipeline/demo_labels.h"
#include "sequela/pipeline/evaluate_methods.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/pipeline/report.h"
#include "sequela/report/json_fields.h"
#include "sequela/synth/synth.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kTrainedPerValidated = 20;  // subjects
constexpr const char* kTruth = "the truth itself";

class Demo {
 public:
  explicit Demo(const DemoOptions& options) : options_(options) {}

  DemoReport run() {
    fs::create_directories(options_.folder);
    make_records();
    prepare_batches();
    train_model();
    evaluate_tasks();
    make_report();
    return std::move(report_);
  }

 private:
  std::string path(const std::string& name) const { return options_.folder + "/" + name; }

  // Runs a step and notes its time and what it worked through.
  template <class Step>
  void stage(const std::string& name, const std::string& unit, Step step) {
    log_info("-- " + name);
    const Stopwatch watch;
    const auto amount = static_cast<double>(step());
    report_.stages.push_back({name, watch.seconds(), amount, unit});
  }

  void make_records() {
    stage("synth", "events", [&] {
      SynthOptions synth_options;
      synth_options.num_subjects = options_.num_subjects;
      synth_options.seed = options_.seed;
      synth_options.folder = path("records");
      synth_options.num_threads = options_.num_threads;
      return num_events_ = synth(synth_options).num_events;
    });
    // Neither tuning subjects, on whose labels the probes are fitted, nor held-out ones take part
    // in pretraining.
    std::string train = "subject_id,split_name\n", validation;
    auto rows = read_subject_splits(*find_dataset(path("records/meds")).splits_path);
    std::sort(rows.begin(), rows.end(),
              [](const auto& a, const auto& b) { return a.subject_id < b.subject_id; });
    int64_t place = 0;
    for (const auto& row : rows) {
      if (row.split != "train") continue;
      const bool is_validation = place++ % kTrainedPerValidated == 0;
      (is_validation ? validation : train) +=
          str(row.subject_id, is_validation ? ",test\n" : ",train\n");
    }
    write_file(path("split.csv"), train + validation);
  }

  void prepare_batches() {
    stage("prepare", "events", [&] {
      PrepareOptions prepare_options;
      prepare_options.meds = path("records/meds");
      prepare_options.athena = path("records/athena");
      prepare_options.out = path("pretraining_files");
      prepare_options.split = path("split.csv");
      prepare_options.tokenizer_on = TokenizerSubjects::train;
      prepare_options.num_tasks = 512;
      prepare_options.final_layer_size = 64;
      prepare_options.tokens_per_batch = 4'096;
      prepare_options.label_fraction = 0.4;  // docs/decisions.md
      prepare_options.num_threads = options_.num_threads;
      prepare_options.memory_bytes = options_.memory_bytes;
      prepare(prepare_options);
      return num_events_;
    });
  }

  void train_model() {
    stage("pretrain", "tokens", [&] {
      PretrainOptions pretrain_options;
      apply_recipe(Recipe::sequela, pretrain_options);
      pretrain_options.data = path("pretraining_files");
      pretrain_options.out = path("pretraining_output");
      pretrain_options.model = path("model");
      pretrain_options.encoder.n_layers = 4;
      pretrain_options.encoder.hidden_size = 128;
      pretrain_options.encoder.intermediate_size = 512;
      pretrain_options.encoder.n_heads = 4;
      pretrain_options.train.learning_rate = 2e-3;
      pretrain_options.train.warmup_steps = options_.max_steps / 10;
      pretrain_options.train.max_steps = options_.max_steps;
      pretrain_options.train.accumulate = 1;
      pretrain_options.train.eval_every = std::max<int64_t>(1, options_.max_steps / 2);
      pretrain_options.train.log_every = std::max<int64_t>(1, options_.max_steps / 8);
      pretrain_options.num_threads = options_.num_threads;
      const PretrainReport report = pretrain(pretrain_options);
      if (!report.is_up_to_date && !report.train.is_finished) throw Interrupted(2);
      return report.train.num_tokens;
    });
  }

  void evaluate_tasks() {
    stage("evaluate", "tasks", [&] {
      tasks_ = make_demo_labels(options_.folder);
      EvaluateMethodsOptions evaluate_options;
      evaluate_options.meds = path("records/meds");
      evaluate_options.model = path("model");
      evaluate_options.methods = {"probe", "counts_logistic", "age_sex"};
      for (const std::string& task : tasks_) {
        evaluate_options.labels.push_back(str(task, "=", path("labels/"), task, ".parquet"));
        evaluate_options.predictions.push_back(
            str(task, ":", kTruth, "=", path("truth/"), task, ".parquet"));
      }
      evaluate_options.splits = path("evaluation_split.parquet");
      evaluate_options.shots = {1, 4, 16, 64, 128};
      evaluate_options.out = path("evaluation");
      evaluate_options.precision = fastest_precision(to_device("auto"));
      evaluate_options.num_threads = options_.num_threads;
      evaluate_options.memory_bytes = options_.memory_bytes;
      const EvaluateReport evaluation = evaluate_methods(evaluate_options);
      add_results(parse_json(evaluation.json, "metrics.json"));
      return tasks_.size();
    });
  }

  // A table of AUROCs, from what metrics.json holds.
  void add_results(const Json& metrics) {
    std::vector<std::vector<std::string>> rows;
    for (const Json& task : metrics.at("tasks")) {
      std::vector<std::string>& row = rows.emplace_back();
      row = {task.at("task").get<std::string>(), str(task.at("num_rows").get<int64_t>()),
             str(task.at("num_positive").get<int64_t>())};
      for (const char* method : {"probe", "age_sex", "counts_logistic", kTruth}) {
        for (const Json& one : task.at("methods")) {
          if (one.at("method") != method) continue;
          const Estimate auroc = to_estimate(field(one.at("figures"), "auroc"));
          row.push_back(to_text(Interval{auroc.value, auroc.low, auroc.high}));
        }
      }
    }
    report_.results = format_text_table({"AUROC (95 % interval)", "test", "positive", "embeddings",
                                         "age + sex", "code counts", "the truth itself"},
                                        rows);
  }

  // A held-out patient of the first task's positive labels.
  int64_t chosen_patient() const {
    const std::vector<Label> labels = read_labels(path("labels/" + tasks_.front() + ".parquet"));
    for (auto label = labels.rbegin(); label != labels.rend(); ++label)
      if (is_positive(*label)) return label->subject_id;
    return labels.back().subject_id;
  }

  void make_report() {
    stage("report", "pages", [&] {
      report_.page = sequela::report({.runs = {path("evaluation"), path("pretraining_files"),
                                               path("pretraining_output"), path("model")},
                                      .out = path("report.html"),
                                      .patient = chosen_patient(),
                                      .meds = path("records/meds"),
                                      .model = path("model"),
                                      .num_threads = options_.num_threads,
                                      .memory_bytes = options_.memory_bytes});
      return 1;
    });
  }

  const DemoOptions& options_;
  DemoReport report_;
  int64_t num_events_ = 0;
  std::vector<std::string> tasks_;
};

}  // namespace

void DemoOptions::validate() const {
  if (folder.empty()) throw ConfigError("out", "", "a folder");
  if (num_subjects < 100) throw ConfigError("subjects", str(num_subjects), "100 or more");
  if (max_steps < 1) throw ConfigError("max-steps", str(max_steps), "1 or more");
}

DemoReport demo(const DemoOptions& options) {
  options.validate();
  return Demo(options).run();
}

}  // namespace sequela
