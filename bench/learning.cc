// What pretraining is worth, on records whose truth is known: AUROC of logistic probes of the
// embeddings (pretrained, random start), of the model's own hazards with nothing trained, of counts
// of codes (trees, logistic regression), of age and sex, and of the probabilities that the
// generator itself gave, by number of labels.
//
//   bench_learning FOLDER [SUBJECTS [STEPS [SIZE [SEED [RECIPE [TASKS [VALUES]]]]]]]
//   bench_learning ceiling FOLDER [SUBJECTS [SEED]]
//
// The first pretrains on SUBJECTS made-up subjects (2000) and evaluates on 10,000 others: half of
// them fit, half test. VALUES: tokens (ten bins a code) or both (and 130 tasks of values);
// default neither. The second fits trees on up to 50,000 labels of SUBJECTS further ones (200000)
// and tests on the same labels: the ceiling of what records show. Both print a table, use
// SEQUELA_BENCH_THREADS threads (all), and, killed, go on where they were.
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "bench/learning_others.h"
#include "bench/learning_risks.h"
#include "bench/learning_scores.h"
#include "bench/learning_tasks.h"
#include "sequela/core/error.h"
#include "sequela/evaluation/feature_rows.h"
#include "sequela/io/file.h"
#include "sequela/pipeline/features.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/train/recipe.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kOtherSubjects = 10'000;
constexpr int64_t kLabelsOfASide = 2'000;
constexpr int64_t kManyLabels = 50'000;
constexpr int kFewTasks = 512;
constexpr int kValueTasks = 130;

LabelSide half(int64_t subject) {
  return subject % 2 == 0 ? LabelSide::fit : LabelSide::test;
}

using EmbeddingOfLabel = std::map<std::pair<int64_t, int64_t>, std::vector<float>>;

// The first `parts` quarters of the rows of a task's labels.
DenseMatrix to_matrix(const EmbeddingOfLabel& rows, const Task& task, int64_t parts) {
  const auto width = static_cast<int64_t>(rows.begin()->second.size()) / 4 * parts;
  DenseMatrix matrix{static_cast<int64_t>(task.labels.size()), width, {}};
  for (const Label& label : task.labels) {
    const std::vector<float>& row = rows.at({label.subject_id, label.prediction_time_us});
    matrix.values.insert(matrix.values.end(), row.begin(), row.begin() + width);
  }
  return matrix;
}

class Learning {
 public:
  Learning(const std::string& folder, int64_t subjects, int64_t steps, std::string size,
           uint64_t seed, std::string recipe, int tasks, std::string values)
      : folder_(str(folder, "/", subjects, "_", steps, "_", size, "_", recipe, "_", tasks,
                    values.empty() ? "" : "_", values, "_", seed)),
        records_(str(folder, "/records_", subjects, "_", seed)),
        prepared_(str(records_, "/prepared_", tasks, values.empty() ? "" : "_", values)),
        subjects_(subjects),
        steps_(steps),
        size_(std::move(size)),
        seed_(seed),
        recipe_(std::move(recipe)),
        num_tasks_(tasks),
        values_(std::move(values)),
        others_(str(folder, "/others_", seed), kOtherSubjects, seed) {}

  void run() {
    fs::create_directories(folder_);
    make_records(records_, subjects_, seed_);
    prepare_batches();
    pretrain_model("model", steps_, 0);
    pretrain_model("random", 1, 1e-12);  // as good as its start
    tasks_ = others_.tasks({half, {kLabelsOfASide, kLabelsOfASide}});
    write_labels();
    print_gains();
    compare();
  }

 private:
  void prepare_batches() const {
    PrepareOptions options;
    options.meds = records_ + "/meds";
    options.athena = records_ + "/athena";
    options.out = prepared_;
    options.tokens_per_batch = 4'096;
    options.num_tasks = num_tasks_;
    // With many tasks the head costs more than the backbone, and labels are dear.
    options.label_fraction = num_tasks_ <= kFewTasks ? 0.4 : 0.1;  // docs/decisions.md
    if (!values_.empty()) options.bins_per_code = 10;
    if (values_ == "both") options.num_value_tasks = kValueTasks;
    options.num_threads = kThreads;
    prepare(options);
  }

  void pretrain_model(const std::string& name, int64_t steps, double learning_rate) const {
    PretrainOptions options;
    options.data = prepared_;
    options.model = folder_ + "/" + name;
    options.out = options.model + "_output";
    apply_recipe(to_recipe(recipe_), options);
    apply_size(size_, options);
    if (learning_rate > 0) options.train.learning_rate = learning_rate;
    options.train.max_steps = steps;
    options.train.warmup_steps = std::max<int64_t>(1, steps / 10);
    options.train.eval_every = std::max<int64_t>(1, steps / 4);
    options.train.patience = 0;
    options.train.epochs = 1'000;
    options.truth = records_ + "/truth";
    options.seed = seed_;
    options.num_threads = kThreads;
    pretrain(options);
  }

  void write_labels() const {
    if (fs::exists(folder_ + "/labels.parquet")) return;
    std::vector<int64_t> subjects, times;
    for (const Task& task : tasks_) {
      for (const Label& label : task.labels) {
        subjects.push_back(label.subject_id);
        times.push_back(label.prediction_time_us);
      }
    }
    write_parquet(folder_ + "/labels.parquet",
                  {{.name = "subject_id", .values = subjects},
                   {.name = "prediction_time", .values = times, .is_timestamp = true}});
  }

  // The learning curve.
  void print_gains() const {
    const std::string path = folder_ + "/model_output/metrics.json";
    const Json metrics = parse_json(read_file(path), path);
    std::printf(
        "| steps | validation loss | nats per event | concordance | share of the truth's |\n"
        "|---|---|---|---|---|\n");
    for (const Json& at : metrics.at("evaluations")) {
      const auto figure = [&](const char* name) {
        return at.contains(name) ? json_number(at.at(name), path) : NAN;
      };
      std::printf("| %.0f | %.5f | %.4f | %.3f | %.3f |\n", figure("step"), figure("eval/loss"),
                  figure("eval/gain"), figure("eval/concordance"), figure("eval/truth/share"));
    }
    std::printf("\n");
    std::fflush(stdout);
  }

  // Embeddings of the tasks' labels, of width 4 H; the first H columns are the read-out "last".
  EmbeddingOfLabel embed_labels(const std::string& model) const {
    FeaturesOptions options;
    options.meds = others_.meds();
    options.model = model;
    options.labels = folder_ + "/labels.parquet";
    options.out = model + "_features";
    options.read_out = ReadOut::last_and_history;
    options.num_threads = kThreads;
    compute_features(options);
    const FeatureRows rows = read_feature_rows(options.out + "/features.parquet");
    EmbeddingOfLabel found;
    for (int64_t i = 0; i < rows.embeddings.num_rows; ++i) {
      const std::span<const float> row = rows.embeddings.row(i);
      found[{rows.subject_ids[i], rows.prediction_times_us[i]}] = {row.begin(), row.end()};
    }
    return found;
  }

  void compare() {
    const EmbeddingOfLabel pretrained = embed_labels(folder_ + "/model");
    const EmbeddingOfLabel random = embed_labels(folder_ + "/random");
    std::printf(
        "| task | labels | the truth | own hazards | last+history | last | random start | trees | "
        "logistic | age + sex |\n|---|---|---|---|---|---|---|---|---|---|\n");
    for (size_t t = 0; t < tasks_.size(); ++t) {
      const Task& task = tasks_[t];
      const TaskSpec spec = task_specs()[t];
      const Scores scores(task, kThreads);
      const DenseMatrix last = to_matrix(pretrained, task, 1);
      const double own =
          scores.untrained(own_risks(folder_ + "/model", last, spec.code, spec.days));
      for (const int64_t number : {int64_t{32}, int64_t{128}, int64_t{512}, scores.num_fitted()}) {
        const Others::Baselines baselines = others_.baselines(task, scores, number);
        std::printf("| %s | %ld | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f |\n",
                    task.name.c_str(), number, scores.truth(), own,
                    scores.probe(to_matrix(pretrained, task, 4), number),
                    scores.probe(last, number), scores.probe(to_matrix(random, task, 4), number),
                    baselines.trees, baselines.logistic, baselines.age_and_sex);
        std::fflush(stdout);
      }
    }
  }

  const std::string folder_, records_, prepared_;
  const int64_t subjects_, steps_;
  const std::string size_;
  const uint64_t seed_;
  const std::string recipe_;
  const int num_tasks_;
  const std::string values_;
  Others others_;
  std::vector<Task> tasks_;
};

void find_ceiling(const std::string& folder, int64_t subjects, uint64_t seed) {
  Others others(str(folder, "/many_", subjects, "_", seed), kOtherSubjects + subjects, seed);
  const auto side_of = [](int64_t subject) {
    if (subject > kOtherSubjects) return LabelSide::fit;
    return half(subject) == LabelSide::test ? LabelSide::test : LabelSide::none;
  };
  std::printf("| task | labels | the truth | trees |\n|---|---|---|---|\n");
  for (const Task& task : others.tasks({side_of, {kManyLabels, kLabelsOfASide}})) {
    const Scores scores(task, kThreads);
    std::printf("| %s | %ld | %.3f | %.3f |\n", task.name.c_str(), scores.num_fitted(),
                scores.truth(),
                scores.trees(others.history(task).counts, scores.num_fitted(), 400));
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr,
                 "usage: bench_learning FOLDER [SUBJECTS [STEPS [SIZE [SEED [RECIPE [TASKS "
                 "[VALUES]]]]]]]\n"
                 "       bench_learning ceiling FOLDER [SUBJECTS [SEED]]\n");
    return 2;
  }
  const auto number = [&](int i, int64_t otherwise) {
    return argc > i ? std::stol(argv[i]) : otherwise;
  };
  if (std::string(argv[1]) == "ceiling" && argc > 2) {
    sequela::find_ceiling(argv[2], number(3, 200'000), number(4, 1));
    return 0;
  }
  sequela::Learning(argv[1], number(2, 2'000), number(3, 500), argc > 4 ? argv[4] : "tiny",
                    number(5, 1), argc > 6 ? argv[6] : "sequela", static_cast<int>(number(7, 512)),
                    argc > 8 ? argv[8] : "")
      .run();
}
