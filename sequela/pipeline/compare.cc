#include "sequela/pipeline/compare.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/random.h"
#include "sequela/encoders/progression/pretrained_embeddings.h"
#include "sequela/encoders/progression/progression_model.h"
#include "sequela/encoders/progression/progression_training.h"
#include "sequela/evaluation/boosted_trees.h"
#include "sequela/io/file.h"
#include "sequela/nn/torch_threads.h"
#include "sequela/pipeline/compare_data.h"
#include "sequela/pipeline/compare_probe.h"
#include "sequela/pipeline/compare_scores.h"
#include "sequela/pipeline/device.h"
#include "sequela/pipeline/run_inputs.h"
#include "sequela/run/folder_lock.h"
#include "sequela/run/manifest.h"
#include "sequela/train/trainer.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// What one run learns from: rows of the data.
struct Sample {
  std::vector<int64_t> train, validation;
};

// The first `num` rows of a shuffle, with both outcomes among them (there are some of each).
std::vector<int64_t> draw_rows(const std::vector<int64_t>& rows, int64_t num,
                               const std::vector<uint8_t>& outcomes, uint64_t key) {
  std::vector<int64_t> drawn = rows;
  Random random(key);
  for (size_t i = drawn.size() - 1; i > 0; --i) std::swap(drawn[i], drawn[random.below(i + 1)]);
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

// The last of the visits begin .. end - 1 that has a code of the vocabulary; -1 if there is none.
int64_t last_known_visit(const PatientVisits& visits, int64_t begin, int64_t end) {
  for (int64_t v = end; v-- > begin;) {
    const std::span<const int32_t> codes = visits.codes_of(v);
    if (std::any_of(codes.begin(), codes.end(), [](int32_t code) { return code != 0; })) return v;
  }
  return -1;
}

// A row's outcome is the stage after its last visit; rows without one teach nothing.
ProgressionData to_progression_data(const CompareData& data, const std::vector<int64_t>& rows) {
  ProgressionData chosen;
  chosen.visits = select_patients(data.visits, rows);
  const std::vector<int64_t>& offsets = chosen.visits.visit_offsets;
  chosen.stages.assign(chosen.visits.num_visits(), kNoStage);
  for (size_t i = 0; i < rows.size(); ++i) {
    const int64_t last = last_known_visit(chosen.visits, offsets[i], offsets[i + 1]);
    if (last >= 0) chosen.stages[last] = data.outcomes[rows[i]];
  }
  return chosen;
}

class Comparison {
 public:
  Comparison(const CompareOptions& options, const CompareData& data, const at::Tensor& table_WE)
      : options_(options),
        data_(data),
        table_WE_(scale_like_random_start(table_WE)),
        device_(to_device(options.device)),
        test_visits_(select_patients(data.visits, data.test)),
        test_outcomes_(outcomes_of(data, data.test)) {
    config_.vocab_size = table_WE.size(0);
    config_.code_embed_dim = table_WE.size(1);
    config_.visit_embed_dim = options.visit_embed_dim;
    config_.hidden_dim = options.hidden_dim;
    config_.num_layers = options.num_layers;
    config_.num_stages = 2;
    config_.dropout = options.dropout;
    config_.validate();
    for (const int64_t row : data.test) test_subjects_.push_back(data.subject_ids[row]);
  }

  void run();
  void summarise(CompareReport* report) const {
    summarise_scores(scores_, test_subjects_, options_, report);
  }

 private:
  Sample draw(int64_t num_labels, int seed) const;
  std::vector<double> score_model(CompareMethod method, const Sample& sample, uint64_t key) const;
  std::vector<double> score_table(CompareMethod method, const Sample& sample, uint64_t key) const;
  std::vector<double> score_trees(const Sample& sample, uint64_t key) const;
  std::vector<double> score(CompareMethod method, const Sample& sample, uint64_t key) const;
  TrainOptions train_options(CompareMethod method, int64_t num_rows, uint64_t key) const;

  const CompareOptions& options_;
  const CompareData& data_;
  const at::Tensor table_WE_;
  const at::Device device_;
  ProgressionConfig config_;
  PatientVisits test_visits_;
  std::vector<uint8_t> test_outcomes_;
  std::vector<int64_t> test_subjects_;
  CompareScores scores_;
};

Sample Comparison::draw(int64_t num_labels, int seed) const {
  const uint64_t key = hash_key(options_.seed, static_cast<uint64_t>(seed));
  return {draw_rows(data_.train, num_labels, data_.outcomes, hash_key(key, 1)),
          draw_rows(data_.validation, num_labels, data_.outcomes, hash_key(key, 2))};
}

TrainOptions Comparison::train_options(CompareMethod method, int64_t num_rows, uint64_t key) const {
  TrainOptions train;
  train.folder = options_.out + "/.training";
  train.name = "train";
  train.learning_rate = options_.learning_rate;
  train.beta2 = 0.999;
  train.weight_decay = 0.01;
  train.accumulate = 1;
  const int64_t per_epoch = (num_rows + options_.batch_size - 1) / options_.batch_size;
  train.max_steps = std::max(options_.min_steps, options_.epochs * per_epoch);
  train.epochs = train.max_steps;
  train.warmup_steps = train.max_steps / 20;
  train.eval_every = std::max<int64_t>(1, train.max_steps / 10);
  train.log_every = train.max_steps;
  train.patience = options_.patience;
  train.keep_checkpoints = 1;
  train.seed = key;
  if (method == CompareMethod::fine_tuned) {
    train.groups = {{"code_embeddings", options_.embedding_learning_rate / options_.learning_rate}};
  }
  return train;
}

std::vector<double> Comparison::score_model(CompareMethod method, const Sample& sample,
                                            uint64_t key) const {
  const ProgressionData train_data = to_progression_data(data_, sample.train);
  const ProgressionData valid_data = to_progression_data(data_, sample.validation);
  Parameters parameters = init_progression_parameters(config_, key);
  if (method != CompareMethod::random) load_pretrained_embeddings(parameters, table_WE_);
  for (Parameter& item : parameters.items) item.value = item.value.to(device_);
  ProgressionTrainingOptions training;
  training.batch_size = options_.batch_size;
  if (method == CompareMethod::frozen) training.frozen = {"code_embeddings"};
  ProgressionTraining model(config_, std::move(parameters), &train_data, &valid_data, training);
  const TrainOptions train_options =
      this->train_options(method, static_cast<int64_t>(sample.train.size()), key);
  fs::remove_all(train_options.folder);
  {
    const QuietScope quiet;
    train(model, train_options, "compare");
  }
  fs::remove_all(train_options.folder);
  throw_if_stopped();
  const at::Tensor odds = model.predict(test_visits_).select(1, 1).to(at::kDouble).contiguous();
  return {odds.const_data_ptr<double>(), odds.const_data_ptr<double>() + odds.numel()};
}

// The random table is the one that the progression model of the same seed starts from.
std::vector<double> Comparison::score_table(CompareMethod method, const Sample& sample,
                                            uint64_t key) const {
  const at::Tensor table =
      method == CompareMethod::pretrained_probe
          ? table_WE_
          : init_progression_parameters(config_, key).get("encoder.code_embeddings.weight").value;
  return score_probe(data_, sample.train, test_visits_, table, key, options_.num_threads);
}

std::vector<double> Comparison::score_trees(const Sample& sample, uint64_t key) const {
  const SparseMatrix train = select_rows(data_.counts, sample.train);
  const SparseMatrix valid = select_rows(data_.counts, sample.validation);
  const std::vector<uint8_t> train_outcomes = outcomes_of(data_, sample.train);
  const std::vector<uint8_t> valid_outcomes = outcomes_of(data_, sample.validation);
  BoostedTreesOptions trees;
  trees.seed = key;
  trees.num_threads = options_.num_threads;
  return fit_boosted_trees({train, train_outcomes}, {valid, valid_outcomes},
                           select_rows(data_.counts, data_.test), trees)
      .test_scores;
}

std::vector<double> Comparison::score(CompareMethod method, const Sample& sample,
                                      uint64_t key) const {
  switch (method) {
    case CompareMethod::trees:
      return score_trees(sample, key);
    case CompareMethod::pretrained_probe:
    case CompareMethod::random_probe:
      return score_table(method, sample, key);
    default:
      return score_model(method, sample, key);
  }
}

void Comparison::run() {
  std::vector<CompareMethod> methods = {CompareMethod::fine_tuned, CompareMethod::frozen,
                                        CompareMethod::random, CompareMethod::pretrained_probe,
                                        CompareMethod::random_probe};
  if (options_.has_trees) methods.push_back(CompareMethod::trees);
  const auto num_runs = static_cast<int64_t>(options_.num_labels.size() * methods.size());
  Progress progress("compare", num_runs * options_.num_seeds, "models");
  for (const int64_t num_labels : options_.num_labels) {
    for (int seed = 0; seed < options_.num_seeds; ++seed) {
      const Sample sample = draw(num_labels, seed);
      const uint64_t key = hash_key(options_.seed, static_cast<uint64_t>(seed), 3);
      for (const CompareMethod method : methods) {
        scores_[{num_labels, method}].emplace_back(score(method, sample, key), test_outcomes_);
        progress.advance(1);
      }
    }
  }
}

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
  const auto start = std::chrono::steady_clock::now();
  const TorchThreads threads(options.num_threads);
  const at::Tensor table = read_embedding_table(options.pretrained);
  const CodeVocabulary vocabulary = CodeVocabulary::read_folder(options.pretrained);
  vocabulary.check_fits(table.size(0));
  const CompareData data = read_compare_data(options, vocabulary);
  Fingerprints fingerprints({options.fingerprint_cache, options.num_threads});
  const RunRecipe recipe = build_recipe(options, fingerprints);
  Manifest manifest(options.out, fingerprints);
  manifest.remove();

  CompareReport report;
  report.num_train = static_cast<int64_t>(data.train.size());
  report.num_validation = static_cast<int64_t>(data.validation.size());
  report.num_test = static_cast<int64_t>(data.test.size());
  for (const int64_t row : data.test) report.num_test_positive += data.outcomes[row];
  report.coverage = data.coverage;
  Comparison comparison(options, data, table);
  comparison.run();
  comparison.summarise(&report);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  report.seconds = elapsed.count();
  write_file(options.out + "/compare.json", report.to_json());
  write_file(options.out + "/compare.txt", report.text());
  manifest.record(recipe, summary_of(report));
  return report;
}

}  // namespace sequela
