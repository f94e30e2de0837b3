#include "sequela/pipeline/demo.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <unordered_map>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/evaluation/text_table.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/dataset.h"
#include "sequela/pipeline/balanced_labels.h"
#include "sequela/pipeline/features.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/pipeline/probe_tasks.h"
#include "sequela/synth/synth.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kTrainedPerValidated = 20;  // subjects
constexpr size_t kFittedLabels = 512;         // of a task
constexpr size_t kTestedLabels = 1'000;

void write_labels(const std::string& path, const std::vector<Label>& labels) {
  std::vector<int64_t> subjects, times;
  std::vector<uint8_t> outcomes;
  for (const Label& label : labels) {
    subjects.push_back(label.subject_id);
    times.push_back(label.prediction_time_us);
    outcomes.push_back(is_positive(label));
  }
  write_parquet(path, {{.name = "subject_id", .values = subjects},
                       {.name = "prediction_time", .values = times, .is_timestamp = true},
                       {.name = "boolean_value", .values = outcomes}});
}

class Demo {
 public:
  explicit Demo(const DemoOptions& options) : options_(options) {}

  DemoReport run() {
    fs::create_directories(options_.folder);
    make_records();
    prepare_batches();
    train_model();
    embed_labels();
    probe();
    return std::move(report_);
  }

 private:
  std::string path(const std::string& name) const { return options_.folder + "/" + name; }

  // Runs a step and notes its time and what it worked through.
  template <class Step>
  void stage(const std::string& name, const std::string& unit, Step step) {
    log_info("-- " + name);
    const auto start = std::chrono::steady_clock::now();
    const auto amount = static_cast<double>(step());
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    report_.stages.push_back({name, elapsed.count(), amount, unit});
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

  // Few labels of each task to fit on, of tuning subjects, and more of held-out ones to test on.
  void choose_labels() {
    std::unordered_map<int64_t, bool> is_held_out;  // of the subjects that have no part in training
    for (const auto& row : read_subject_splits(*find_dataset(path("records/meds")).splits_path)) {
      if (row.split != "train") is_held_out[row.subject_id] = row.split == "held_out";
    }
    fs::remove_all(path("labels"));
    for (const auto& entry : fs::directory_iterator(path("records/labels"))) {
      std::array<std::vector<Label>, 2> sides;
      for (const Label& label : read_labels(entry.path().string())) {
        const auto side = is_held_out.find(label.subject_id);
        if (side != is_held_out.end()) sides[side->second].push_back(label);
      }
      std::vector<Label> taken = take_balanced_labels(std::move(sides[0]), kFittedLabels);
      const std::vector<Label> tested = take_balanced_labels(std::move(sides[1]), kTestedLabels);
      taken.insert(taken.end(), tested.begin(), tested.end());
      fs::create_directories(path("labels"));
      write_labels(path("labels/" + entry.path().filename().string()), taken);
    }
  }

  void embed_labels() {
    stage("features", "labels", [&] {
      choose_labels();
      FeaturesOptions features_options;
      features_options.meds = path("records/meds");
      features_options.model = path("model");
      features_options.labels = path("labels");
      features_options.out = path("embeddings");
      features_options.read_out = ReadOut::last_and_history;
      features_options.precision = fastest_precision(to_device("auto"));
      features_options.num_threads = options_.num_threads;
      features_options.memory_bytes = options_.memory_bytes;
      return compute_features(features_options).embed.num_embedded;
    });
  }

  void probe() {
    stage("probe", "tasks", [&] {
      ProbeTasksOptions probe_options;
      probe_options.meds = path("records/meds");
      probe_options.features = path("embeddings/features.parquet");
      for (const auto& entry : fs::directory_iterator(path("labels"))) {
        probe_options.labels.push_back(entry.path().string());
      }
      std::sort(probe_options.labels.begin(), probe_options.labels.end());
      probe_options.truth = path("records/truth/label_probabilities.parquet");
      probe_options.work_folder = options_.folder;
      probe_options.num_threads = options_.num_threads;
      probe_options.memory_bytes = options_.memory_bytes;
      const auto results = probe_tasks(probe_options);
      add_results(results);
      return results.size();
    });
  }

  void add_results(const std::vector<TaskResult>& results) {
    std::vector<std::vector<std::string>> rows;
    for (const TaskResult& result : results) {
      rows.push_back({result.task, str(result.embeddings.num_test),
                      str(result.embeddings.num_test_positive), to_text(result.embeddings.auroc),
                      to_text(result.age_and_sex.auroc), to_text(result.code_counts.auroc),
                      to_text(result.truth->auroc)});
    }
    report_.results = format_text_table({"AUROC (95 % interval)", "test", "positive", "embeddings",
                                         "age + sex", "code counts", "the truth itself"},
                                        rows);
  }

  const DemoOptions& options_;
  DemoReport report_;
  int64_t num_events_ = 0;
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
