#include "sequela/pipeline/compare.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/random.h"
#include "sequela/core/shuffle.h"
#include "sequela/core/stopwatch.h"
#include "sequela/encoders/progression/pretrained_embeddings.h"
#include "sequela/evaluation/drawn_scores.h"
#include "sequela/io/file.h"
#include "sequela/nn/torch_threads.h"
#include "sequela/pipeline/compare_data.h"
#include "sequela/pipeline/compare_methods.h"
#include "sequela/pipeline/evaluation/label_features.h"
#include "sequela/pipeline/run_inputs.h"
#include "sequela/run/folder_lock.h"
#include "sequela/run/manifest.h"

namespace sequela {
namespace {

// The first `num` rows of a shuffle, with both outcomes among them (there are some of each).
std::vector<int64_t> draw_rows(const std::vector<int64_t>& rows, int64_t num,
                               const std::vector<uint8_t>& outcomes, uint64_t key) {
  std::vector<int64_t> drawn = rows;
  shuffle(drawn, key);
  if (num >= static_cast<int64_t>(drawn.size())) return drawn;
  const auto end = drawn.begin() + num;
  for (const uint8_t outcome : {0, 1}) {
    const auto has_outcome = [&](int64_t row) { return outcomes[row] == outcome; };
    if (std::any_of(drawn.begin(), end, has_outcome)) continue;
    std::iter_swap(end - 1, std::find_if(end, drawn.end(), has_outcome));
  }
  drawn.resize(num);
  return drawn;
}

// What an evaluation needs to know of a comparison's records.
EvaluateMethodsOptions records_of(const CompareOptions& options) {
  EvaluateMethodsOptions records;
  records.meds = options.meds;
  records.out = options.out;
  records.athena = options.athena;
  records.zone_rule = options.zone_rule;
  records.num_threads = options.num_threads;
  records.memory_bytes = options.memory_bytes;
  return records;
}

// Which differences are told.
constexpr std::pair<CompareMethod, CompareMethod> kDifferences[] = {
    {CompareMethod::fine_tuned, CompareMethod::random},
    {CompareMethod::frozen, CompareMethod::random},
    {CompareMethod::fine_tuned, CompareMethod::frozen},
    {CompareMethod::pretrained_probe, CompareMethod::random_probe},
    {CompareMethod::pretrained_probe, CompareMethod::fine_tuned},
    {CompareMethod::pretrained_probe, CompareMethod::trees},
    {CompareMethod::fine_tuned, CompareMethod::trees}};

class Comparison {
 public:
  Comparison(const CompareOptions& options, const LabelTask& task,
             const std::vector<ComparedMethod>& methods)
      : options_(options), task_(task), methods_(methods) {}

  void run() {
    const auto num_runs = static_cast<int64_t>(options_.num_labels.size() * methods_.size());
    Progress progress("compare", num_runs * options_.num_seeds, "models");
    const std::vector<uint8_t> outcomes = values_at(task_.outcomes, task_.test);
    for (const int64_t num_labels : options_.num_labels) {
      const size_t first = runs_.size();
      for (const ComparedMethod& compared : methods_)
        runs_.push_back({compared.method->name(), num_labels, {}});
      for (int seed = 0; seed < options_.num_seeds; ++seed) {
        const LearningRows rows = draw(num_labels, seed);
        for (size_t m = 0; m < methods_.size(); ++m) {
          throw_if_stopped();
          runs_[first + m].by_draw.emplace_back(methods_[m].method->predict(task_, rows), outcomes);
          progress.advance(1);
        }
      }
    }
  }

  void summarise(CompareReport* report) const {
    const DrawnSummary summary(runs_, values_at(task_.subject_ids, task_.test),
                               {.num_resamples = options_.num_resamples,
                                .seed = options_.seed,
                                .num_threads = options_.num_threads});
    for (size_t i = 0; i < runs_.size(); ++i) {
      const DrawnResult& result = summary.results()[i];
      report->results.push_back({kind_of(i), result.num_labels, result.auroc,
                                 result.average_precision, result.auroc_by_draw});
    }
    for (size_t first = 0; first < runs_.size(); first += methods_.size()) {
      for (const auto& [one, other] : kDifferences) {
        const auto a = place_of(one), b = place_of(other);
        if (a == methods_.size() || b == methods_.size()) continue;
        const DrawnDifference test = summary.difference(first + a, first + b);
        report->differences.push_back(
            {one, other, runs_[first].num_labels, test.auroc, test.average_precision});
      }
    }
  }

 private:
  CompareMethod kind_of(size_t run) const { return methods_[run % methods_.size()].kind; }
  size_t place_of(CompareMethod kind) const {
    return std::ranges::find(methods_, kind, &ComparedMethod::kind) - methods_.begin();
  }
  LearningRows draw(int64_t num_labels, int seed) const {
    const uint64_t key = hash_key(options_.seed, static_cast<uint64_t>(seed));
    return {draw_rows(task_.train, num_labels, task_.outcomes, hash_key(key, 1)),
            draw_rows(task_.validation, num_labels, task_.outcomes, hash_key(key, 2)),
            hash_key(options_.seed, static_cast<uint64_t>(seed), 3)};
  }

  const CompareOptions& options_;
  const LabelTask& task_;
  const std::vector<ComparedMethod>& methods_;
  std::vector<DrawnScores> runs_;
};

RunRecipe build_recipe(const CompareOptions& options, Fingerprints& fingerprints) {
  RunRecipe recipe;
  recipe.command = recipe.artifact = "compare";
  recipe.set("time-zone", zone_rule_name(options.zone_rule));
  recipe.set("seeds", options.num_seeds);
  recipe.set("num-labels", Json(options.num_labels).dump());
  recipe.set("trees", options.has_trees);
  recipe.set("visit-embed-dim", options.visit_embed_dim);
  recipe.set("hidden", options.hidden_dim);
  recipe.set("layers", options.num_layers);
  recipe.set("dropout", options.dropout);
  recipe.set("max-visits", options.max_visits);
  recipe.set("max-codes", options.max_codes);
  recipe.set("learning-rate", options.learning_rate);
  recipe.set("embedding-learning-rate", options.embedding_learning_rate);
  recipe.set("epochs", options.epochs);
  recipe.set("min-steps", options.min_steps);
  recipe.set("batch-size", options.batch_size);
  recipe.set("patience", options.patience);
  recipe.set("seed", options.seed);
  recipe.set("resamples", options.num_resamples);
  add_input("model", encoder_files(options.pretrained), fingerprints, recipe);
  add_input("labels", label_files(options.labels), fingerprints, recipe);
  add_input("meds", dataset_files(options.meds), fingerprints, recipe);
  add_input("athena", ontology_files(options.athena), fingerprints, recipe);
  recipe.outputs = {"compare.json", "compare.txt"};
  return recipe;
}

Json summary_of(const CompareReport& report) {
  return {{"num_train", report.num_train},
          {"num_validation", report.num_validation},
          {"num_test", report.num_test},
          {"num_test_positive", report.num_test_positive},
          {"coverage", report.coverage}};
}

}  // namespace

CompareReport compare(const CompareOptions& options) {
  options.validate();
  const FolderLock lock(options.out);
  const Stopwatch watch;
  const TorchThreads threads(options.num_threads);
  const at::Tensor table = read_embedding_table(options.pretrained);
  const CodeVocabulary vocabulary = CodeVocabulary::read_folder(options.pretrained);
  vocabulary.check_fits(table.size(0));
  const EvaluateMethodsOptions of_records = records_of(options);
  const EvaluationRecords records(of_records);
  std::vector<LabelTask> tasks = {
      read_label_task("labels", options.labels, SubjectParts(options.meds, "", options.seed),
                      records.store(), {.zone_rule = options.zone_rule, .seed = options.seed})};
  join_labels(tasks);
  const LabelTask& task = tasks.front();
  const CompareData data = read_compare_data(options, records, task, vocabulary);
  Fingerprints fingerprints({options.fingerprint_cache, options.num_threads});
  const RunRecipe recipe = build_recipe(options, fingerprints);
  Manifest manifest(options.out, fingerprints);
  manifest.remove();

  CompareReport report;
  report.num_train = static_cast<int64_t>(task.train.size());
  report.num_validation = static_cast<int64_t>(task.validation.size());
  report.num_test = static_cast<int64_t>(task.test.size());
  for (const int64_t row : task.test) report.num_test_positive += task.outcomes[row];
  report.coverage = data.coverage;
  const std::vector<ComparedMethod> methods =
      make_compared_methods(options, records, data, scale_like_random_start(table));
  Comparison comparison(options, task, methods);
  comparison.run();
  comparison.summarise(&report);
  report.seconds = watch.seconds();
  write_file(options.out + "/compare.json", report.to_json());
  write_file(options.out + "/compare.txt", report.text());
  manifest.record(recipe, summary_of(report));
  return report;
}

}  // namespace sequela
