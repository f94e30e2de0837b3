// What pretraining is worth, on records whose truth is known: `sequela evaluate` of a model trained
// on made-up records, on others that it never saw: probes of its embeddings, its own hazards, a
// random start, counts of codes, age and sex, beside the probabilities that the generator itself
// gave, by number of labels.
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

#include "bench/learning_tasks.h"
#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/model/encoder_config.h"
#include "sequela/pipeline/evaluate_methods.h"
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

// Of the others half fit, of whom a fifth chooses the regularisation, and half test.
std::string part_of_other(int64_t subject) {
  if (subject % 2 != 0) return "held_out";
  return subject % 10 == 0 ? "tuning" : "train";
}

// Each task's AUROC by method and labels of each outcome; -1 = all.
using Aurocs = std::map<std::string, std::map<std::pair<std::string, int64_t>, double>>;

Aurocs read_aurocs(const std::string& out) {
  const std::string path = out + "/evaluation.json";
  const Json evaluation = parse_json(read_file(path), path);
  Aurocs found;
  for (const Json& task : evaluation.at("tasks")) {
    for (const Json& point : task.at("few_shot").at("points")) {
      const int64_t k = point.at("k").is_null() ? -1 : point.at("k").get<int64_t>();
      found[task.at("task")][{point.at("method"), k}] = point.at("auroc").at("value");
    }
  }
  return found;
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
        others_(str(folder, "/others_", seed)) {}

  void run() {
    fs::create_directories(folder_);
    make_records(records_, subjects_, seed_);
    make_records(others_, kOtherSubjects, seed_ + 1'000);
    prepare_batches();
    pretrain_model();
    print_gains();
    const TaskFiles files = write_task_files(others_, folder_, part_of_other, kLabelsOfASide);
    evaluate(files, ReadOut::last_and_history, {});
    evaluate(files, ReadOut::last, {"probe"});
    print_table();
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

  void pretrain_model() const {
    PretrainOptions options;
    options.data = prepared_;
    options.model = model();
    options.out = options.model + "_output";
    apply_recipe(to_recipe(recipe_), options);
    apply_size(size_, options);
    options.train.max_steps = steps_;
    options.train.warmup_steps = std::max<int64_t>(1, steps_ / 10);
    options.train.eval_every = std::max<int64_t>(1, steps_ / 4);
    options.train.patience = 0;
    options.train.epochs = 1'000;
    options.truth = records_ + "/truth";
    options.seed = seed_;
    options.num_threads = kThreads;
    pretrain(options);
  }

  std::string model() const { return folder_ + "/model"; }
  std::string out(ReadOut read_out) const { return folder_ + "/evaluation_" + to_text(read_out); }

  // Those whose code is one of the model's tasks.
  std::vector<std::string> known_hazards(const TaskFiles& files) const {
    const ModelConfig config = read_model_config(model() + "/config.json");
    std::vector<std::string> known;
    const std::vector<TaskSpec> specs = task_specs();
    for (size_t t = 0; t < specs.size(); ++t) {
      if (std::ranges::find(config.motor->tasks, specs[t].code, &MotorHeadConfig::Task::code) !=
          config.motor->tasks.end())
        known.push_back(files.hazards[t]);
    }
    return known;
  }

  void evaluate(const TaskFiles& files, ReadOut read_out,
                const std::vector<std::string>& methods) const {
    EvaluateMethodsOptions options;
    options.meds = others_ + "/meds";
    options.athena = others_ + "/athena";
    options.model = model();
    options.labels = files.labels;
    options.predictions = files.truth;
    options.splits = files.splits;
    options.hazards = known_hazards(files);
    options.methods = methods;
    options.read_out = read_out;
    options.out = out(read_out);
    options.seed = seed_;
    options.num_threads = kThreads;
    evaluate_methods(options);
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

  void print_table() const {
    const Aurocs both = read_aurocs(out(ReadOut::last_and_history));
    const Aurocs last = read_aurocs(out(ReadOut::last));
    std::printf(
        "| task | labels | the truth | own hazards | last+history | last | random start | trees | "
        "logistic | code vectors | age + sex |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (const auto& [task, of_task] : both) {
      for (const int64_t k : {int64_t{16}, int64_t{64}, int64_t{128}, int64_t{-1}}) {
        const auto figure = [&, &of_task = of_task](const char* method, int64_t at) {
          const auto found = of_task.find({method, at});
          return found == of_task.end() ? NAN : found->second;
        };
        std::printf("| %s | %s | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f |\n",
                    task.c_str(), k < 0 ? "all" : str("2 x ", k).c_str(), figure("truth", -1),
                    figure("hazards", -1), figure("probe", k), last.at(task).at({"probe", k}),
                    figure("random", k), figure("counts_trees", k), figure("counts_logistic", k),
                    figure("code_vectors", k), figure("age_sex", k));
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
  const std::string others_;
};

void find_ceiling(const std::string& folder, int64_t subjects, uint64_t seed) {
  const std::string many = str(folder, "/many_", subjects, "_", seed);
  make_records(many, kOtherSubjects + subjects, seed + 1'000);
  const auto part_of = [](int64_t subject) -> std::string {
    if (subject > kOtherSubjects) return subject % 5 == 0 ? "tuning" : "train";
    return part_of_other(subject) == "held_out" ? "held_out" : "";
  };
  const TaskFiles files = write_task_files(many, many + "/tasks", part_of, kManyLabels);
  EvaluateMethodsOptions options;
  options.meds = many + "/meds";
  options.athena = many + "/athena";
  options.labels = files.labels;
  options.predictions = files.truth;
  options.splits = files.splits;
  options.methods = {"counts_trees"};
  options.shots = {128};
  options.num_draws = 1;
  options.out = many + "/evaluation";
  options.seed = seed;
  options.num_threads = kThreads;
  evaluate_methods(options);
  std::printf("| task | the truth | trees |\n|---|---|---|\n");
  for (const auto& [task, aurocs] : read_aurocs(options.out)) {
    std::printf("| %s | %.3f | %.3f |\n", task.c_str(), aurocs.at({"truth", -1}),
                aurocs.at({"counts_trees", -1}));
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
