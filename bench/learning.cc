// What pretraining is worth, on records whose truth is known: AUROC of logistic probes of the
// embeddings (pretrained, random start) beside counts of codes (trees, logistic regression), age
// and sex, and the probabilities that the generator itself gave, by number of labels.
//
//   bench_learning FOLDER [SUBJECTS [STEPS [SIZE [SEED]]]]
//
// Pretrains on SUBJECTS made-up subjects (2000), evaluates on 10,000 others: half of them fit, half
// test. Killed, it goes on where it was; what is finished is not made again. Prints a table.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "bench/learning_tasks.h"
#include "sequela/evaluation/boosted_trees.h"
#include "sequela/evaluation/metrics.h"
#include "sequela/evaluation/probe.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/ingest.h"
#include "sequela/pipeline/data_ontology.h"
#include "sequela/pipeline/features.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/synth/synth.h"
#include "sequela/train/recipe.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kOtherSubjects = 10'000;
constexpr int kDraws = 5;  // of few labels
constexpr std::array<int64_t, 4> kLabelNumbers = {32, 128, 512, kLabelsOfASide};
const int kThreads = static_cast<int>(std::thread::hardware_concurrency());

void make_records(const std::string& folder, int64_t subjects, uint64_t seed) {
  if (fs::exists(folder + "/synth.json")) return;
  synth({.num_subjects = subjects, .seed = seed, .folder = folder, .num_threads = kThreads});
}

// Embeddings of the tasks' labels, of width 4 H; the first H columns are the read-out "last".
EmbeddingOfLabel embed_labels(const std::string& folder, const std::string& model) {
  FeaturesOptions options;
  options.meds = folder + "/other/meds";
  options.model = model;
  options.labels = folder + "/labels.parquet";
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

// The rows of draw `draw` of `number` labels to fit on, both outcomes among them.
std::vector<int64_t> draw_rows(const Task& task, int64_t number, int draw) {
  std::array<std::vector<int64_t>, 2> rows;
  for (size_t i = 0; i < task.labels.size(); ++i) {
    if (task.is_fitted[i]) rows[task.outcomes[i]].push_back(static_cast<int64_t>(i));
  }
  const auto all = static_cast<double>(rows[0].size() + rows[1].size());
  std::vector<int64_t> taken;
  for (std::vector<int64_t>& own : rows) {
    std::sort(own.begin(), own.end(),
              [&](int64_t a, int64_t b) { return hash_key(draw, a, 3) < hash_key(draw, b, 3); });
    const double share = std::min(1.0, static_cast<double>(number) / all);
    own.resize(std::max<size_t>(5, std::lround(share * static_cast<double>(own.size()))));
    taken.insert(taken.end(), own.begin(), own.end());
  }
  return taken;
}

template <class Value>
std::vector<Value> select(const std::vector<Value>& values, const std::vector<int64_t>& rows) {
  std::vector<Value> taken;
  for (const int64_t row : rows) taken.push_back(values[row]);
  return taken;
}

class Scores {
 public:
  explicit Scores(const Task& task) : task_(task) {
    for (size_t i = 0; i < task.labels.size(); ++i) {
      if (!task.is_fitted[i]) test_.push_back(static_cast<int64_t>(i));
    }
    outcomes_ = select(task.outcomes, test_);
  }

  double truth() const { return auroc(select(task_.truth, test_)); }

  // Mean over the draws of `fit(features, rows to fit on, rows to score)`.
  template <class Matrix, class Fit>
  double mean(const Matrix& features, int64_t number, Fit fit) const {
    double sum = 0;
    const int draws = number < kLabelsOfASide ? kDraws : 1;
    for (int draw = 0; draw < draws; ++draw) {
      const std::vector<int64_t> rows = draw_rows(task_, number, draw);
      sum += auroc(fit(select_rows(features, rows), rows, select_rows(features, test_)));
    }
    return sum / draws;
  }

  template <class Matrix>
  double probe(const Matrix& features, int64_t number) const {
    return mean(features, number, [&](const Matrix& fitted, const auto& rows, const Matrix& test) {
      std::vector<int64_t> subjects;
      for (const int64_t row : rows) subjects.push_back(task_.labels[row].subject_id);
      return fit_probe(fitted, select(task_.outcomes, rows), subjects, {.num_threads = kThreads})
          .model.predict(test);
    });
  }

  // A fifth of the rows decides the number of rounds.
  double trees(const SparseMatrix& features, int64_t number) const {
    return mean(features, number,
                [&](const SparseMatrix&, const std::vector<int64_t>& rows, const auto& test) {
                  std::array<std::vector<int64_t>, 2> parts;
                  for (size_t i = 0; i < rows.size(); ++i) parts[i % 5 == 0].push_back(rows[i]);
                  const SparseMatrix train = select_rows(features, parts[0]);
                  const SparseMatrix valid = select_rows(features, parts[1]);
                  const auto train_outcomes = select(task_.outcomes, parts[0]);
                  const auto valid_outcomes = select(task_.outcomes, parts[1]);
                  return fit_boosted_trees({train, train_outcomes}, {valid, valid_outcomes}, test,
                                           {.num_threads = kThreads})
                      .test_scores;
                });
  }

 private:
  double auroc(std::vector<double> scores) const {
    return ScoredOutcomes(std::move(scores), outcomes_).auroc();
  }

  const Task& task_;
  std::vector<int64_t> test_;
  std::vector<uint8_t> outcomes_;
};

class Learning {
 public:
  Learning(std::string folder, int64_t subjects, int64_t steps, std::string size, uint64_t seed)
      : folder_(std::move(folder)),
        subjects_(subjects),
        steps_(steps),
        size_(std::move(size)),
        seed_(seed) {}

  void run() {
    make_records(folder_ + "/records", subjects_, seed_);
    make_records(folder_ + "/other", kOtherSubjects, seed_ + 1'000);
    prepare_batches();
    pretrain_model("model", steps_, 0);
    pretrain_model("random", 1, 1e-12);  // as good as its start
    for (const char* name : {"in_hospital_mortality", "readmission_30d", "chronic_onset_1y"})
      tasks_.push_back(read_task(folder_ + "/other", name));
    write_labels();
    compare();
  }

 private:
  void prepare_batches() const {
    PrepareOptions options;
    options.meds = folder_ + "/records/meds";
    options.athena = folder_ + "/records/athena";
    options.out = folder_ + "/prepared";
    options.tokens_per_batch = 4'096;
    options.num_threads = kThreads;
    prepare(options);
  }

  void pretrain_model(const std::string& name, int64_t steps, double learning_rate) const {
    PretrainOptions options;
    options.data = folder_ + "/prepared";
    options.model = folder_ + "/" + name;
    options.out = options.model + "_output";
    apply_recipe(Recipe::sequela, options);
    apply_size(size_, options);
    if (learning_rate > 0) options.train.learning_rate = learning_rate;
    options.train.max_steps = steps;
    options.train.warmup_steps = std::max<int64_t>(1, steps / 10);
    options.train.eval_every = std::max<int64_t>(1, steps / 4);
    options.train.patience = 0;
    options.train.epochs = 1'000;
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

  void compare() const {
    const auto pretrained = embed_labels(folder_, folder_ + "/model");
    const auto random = embed_labels(folder_, folder_ + "/random");
    IngestOptions ingest_options;
    ingest_options.meds = folder_ + "/other/meds";
    ingest_options.folder = folder_ + "/events";
    ingest_options.num_threads = kThreads;
    ingest(ingest_options);
    const EventStore store = EventStore::open(ingest_options.folder);
    const Ontology ontology =
        extend_to_data(Ontology::read(folder_ + "/prepared/ontology/ontology.parquet"), store,
                       find_dataset(ingest_options.meds).codes_path.value_or(""));
    std::printf(
        "| task | labels | the truth | last+history | last | random start | trees | logistic | "
        "age + sex |\n|---|---|---|---|---|---|---|---|---|\n");
    for (const Task& task : tasks_) {
      const Scores scores(task);
      const History history = history_of(store, ontology, task);
      for (const int64_t number : kLabelNumbers) {
        std::printf(
            "| %s | %ld | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f |\n", task.name.c_str(),
            number, scores.truth(), scores.probe(to_matrix(pretrained, task, 4), number),
            scores.probe(to_matrix(pretrained, task, 1), number),
            scores.probe(to_matrix(random, task, 4), number), scores.trees(history.counts, number),
            scores.probe(history.counts, number), scores.probe(history.age_and_sex, number));
        std::fflush(stdout);
      }
    }
  }

  const std::string folder_;
  const int64_t subjects_, steps_;
  const std::string size_;
  const uint64_t seed_;
  std::vector<Task> tasks_;
};

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_learning FOLDER [SUBJECTS [STEPS [SIZE [SEED]]]]\n");
    return 2;
  }
  sequela::Learning(argv[1], argc > 2 ? std::stol(argv[2]) : 2'000,
                    argc > 3 ? std::stol(argv[3]) : 500, argc > 4 ? argv[4] : "tiny",
                    argc > 5 ? std::stoul(argv[5]) : 1)
      .run();
}
