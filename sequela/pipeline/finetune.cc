#include "sequela/pipeline/finetune.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/log.h"
#include "sequela/io/file.h"
#include "sequela/model/model_dir.h"
#include "sequela/nn/torch_threads.h"
#include "sequela/pipeline/data_ontology.h"
#include "sequela/pipeline/finetuning/label_sides.h"
#include "sequela/pipeline/finetuning/predictions.h"
#include "sequela/pipeline/learned_subjects.h"
#include "sequela/pipeline/model_card.h"
#include "sequela/pipeline/model_facts.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/pipeline/run_inputs.h"
#include "sequela/run/folder_lock.h"
#include "sequela/run/manifest.h"
#include "sequela/train/checkpoint.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

std::string task_name(const FinetuneOptions& options) {
  return options.task.empty() ? fs::path(options.labels).stem().string() : options.task;
}

RunRecipe build_recipe(const FinetuneOptions& options, Precision precision,
                       Fingerprints& fingerprints) {
  RunRecipe recipe;
  recipe.command = recipe.artifact = "finetune";
  recipe.set("task", task_name(options));
  recipe.set("val-fraction", options.val_fraction);
  recipe.set("split-seed", options.split_seed);
  recipe.set("tune", to_text(options.tune));
  if (options.tune == Tuning::lora) recipe.set("lora-rank", options.lora_rank);
  recipe.set("start", to_text(options.start));
  recipe.set("select", to_text(options.select));
  recipe.set("precision", to_text(precision));
  recipe.set("tokens-per-batch", options.tokens_per_batch);
  recipe.set("time-zone", zone_rule_name(options.zone_rule));
  recipe.set("seed", options.seed);
  if (options.kernels != Kernels::automatic) recipe.set("kernels", to_text(options.kernels));
  add_training(options.train, recipe);
  add_input("model", bundle_files(options.model), fingerprints, recipe);
  add_input("labels", label_files(options.labels), fingerprints, recipe);
  add_input("splits", single_file(options.splits), fingerprints, recipe);
  add_input("meds", dataset_files(options.meds), fingerprints, recipe);
  add_input("ontology", ontology_files(options.ontology), fingerprints, recipe);
  add_input("athena", ontology_files(options.athena), fingerprints, recipe);
  return recipe;
}

std::string work_folder(const FinetuneOptions& options) {
  if (!options.checkpoints.empty()) return options.checkpoints;
  return (options.labels.empty() ? options.predictions : options.out) + "_output";
}

FeaturesOptions record_options(const FinetuneOptions& options) {
  FeaturesOptions wanted;
  wanted.meds = options.meds;
  wanted.model = options.model;
  wanted.out = work_folder(options);
  wanted.ontology = options.ontology;
  wanted.athena = options.athena;
  wanted.zone_rule = options.zone_rule;
  wanted.num_threads = options.num_threads;
  wanted.memory_bytes = options.memory_bytes;
  return wanted;
}

// The bundle without its pretraining head, if its backbone is to change: the head predicts from
// states that there will be no more. (Without hawk layers it stays: it tells the layers' version,
// model_dir.h.)
ModelDir read_start(const FinetuneOptions& options) {
  ModelDir dir = read_model_dir(options.model);
  if (options.tune == Tuning::head || !dir.config.encoder.has_hawk) return dir;
  dir.config.motor.reset();
  dir.config.clmbr_vocab_size = 0;
  std::erase_if(dir.parameters.items,
                [](const Parameter& item) { return item.name.starts_with("task_model."); });
  return dir;
}

class FinetuneRun {
 public:
  explicit FinetuneRun(const FinetuneOptions& options)
      : options_(options),
        device_(to_device(options.device)),
        precision_(options.precision.value_or(embedding_precision(device_))),
        fingerprints_({options.fingerprint_cache, options.num_threads}),
        ways_(choose_ways(device_, options.kernels, options.kernel_cache)) {}

  FinetuneReport run() {
    if (!options_.labels.empty()) {
      sides_ = read_label_sides(options_.labels, {options_.splits, options_.val_fraction,
                                                  options_.split_seed, options_.zone_rule});
      recipe_ = build_recipe(options_, precision_, fingerprints_);
      report_.is_up_to_date = Manifest(options_.out, fingerprints_).is_up_to_date(recipe_);
    }
    if (report_.is_up_to_date && options_.predictions.empty()) return report_;
    const FolderLock lock(work_folder(options_));
    log_precision(precision_, device_);
    const bool trains = !options_.labels.empty() && !report_.is_up_to_date;
    if (trains) learn();
    const bool is_stopped = trains && !report_.train.is_finished;
    if (!is_stopped && !options_.predictions.empty()) predict();
    return report_;
  }

 private:
  // The records are decoded when they are first needed.
  std::unique_ptr<RecordBatches> batches_of(std::vector<Label> labels, const std::string& what) {
    if (!records_) records_ = std::make_shared<BundleRecords>(record_options(options_));
    auto batches =
        std::make_unique<RecordBatches>(records_, std::move(labels), options_.tokens_per_batch);
    warn_of_skipped(*batches, what);
    return batches;
  }

  void learn() {
    ModelDir dir = read_start(options_);
    const auto train_labels = batches_of(sides_.train, "to train on");
    const auto valid_labels = batches_of(sides_.validation, "to validate");
    report_.prevalence = check_both_outcomes(*train_labels, options_.labels, "to train on");
    if (options_.select == FinetuneSelection::auroc)
      check_both_outcomes(*valid_labels, options_.labels, "to validate");
    Motor model(dir.config, std::move(dir.parameters), device_, precision_, ways_);
    model.set_activations(options_.activations);
    Classifier classifier(dir.config.encoder.hidden_size, device_);
    std::optional<LowRank> low_rank;
    if (options_.tune == Tuning::lora)
      low_rank.emplace(model.parameters(), options_.lora_rank, options_.seed);
    ClassifierTraining training(model, classifier, options_.tune, low_rank ? &*low_rank : nullptr,
                                *train_labels, *valid_labels);
    report_.num_train = training.num_labels(TrainPart::train);
    report_.num_validation = training.num_labels(TrainPart::validation);
    log_info(str("task '", task_name(options_), "': ", report_.num_train, " + ",
                 report_.num_validation, " labels, prevalence ", report_.prevalence));
    if (list_checkpoints(work_folder(options_)).empty())
      start(training, train_labels->labels(), classifier);
    report_.train = train(training, train_options(training), recipe_.digest(), monitor());
    if (report_.train.is_finished) finish(model, classifier);
  }

  void start(ClassifierTraining& training, const std::vector<Label>& labels,
             Classifier& classifier) const {
    if (options_.start == ClassifierStart::prevalence)
      return start_at_prevalence(report_.prevalence, classifier);
    start_at_probe(training.train_states(), labels, options_.num_threads, classifier);
  }

  TrainOptions train_options(const ClassifierTraining& training) const {
    TrainOptions wanted = options_.train;
    wanted.folder = work_folder(options_);
    wanted.seed = options_.seed;
    wanted.evaluates_start = true;
    if (wanted.eval_every > 0) return wanted;
    const int64_t batches = training.num_batches(TrainPart::train);
    wanted.eval_every = std::max<int64_t>(1, (batches + wanted.accumulate - 1) / wanted.accumulate);
    return wanted;
  }

  TrainMonitor monitor() const {
    if (options_.select == FinetuneSelection::loss) return {};
    return {.selected = "eval/auroc"};
  }

  void finish(Motor& model, const Classifier& classifier) {
    AtomicFolder bundle(options_.out);
    const std::string& partial = bundle.partial_path();
    write_file(partial + "/config.json", to_config_json(model.config()));
    Parameters weights;
    weights.items = model.parameters().items;
    const std::vector<Parameter>& own = classifier.parameters().items;
    weights.items.insert(weights.items.end(), own.begin(), own.end());
    weights.write(partial + "/model.safetensors");
    recipe_.outputs = {"config.json", "model.safetensors"};
    for (const char* name : {"dictionary.msgpack", "ontology.parquet"}) {
      if (!fs::exists(options_.model + "/" + name)) continue;
      fs::copy_file(options_.model + "/" + name, partial + "/" + name);
      recipe_.outputs.push_back(name);
    }
    add_learned_subjects(partial);
    Json summary = training_summary(report_.train);
    summary.update({{"task", task_name(options_)},
                    {"prevalence", report_.prevalence},
                    {"num_train_labels", report_.num_train},
                    {"num_validation_labels", report_.num_validation}});
    summary.update(evaluation_facts(work_folder(options_)));
    const Json pretraining = Manifest(options_.model, fingerprints_).report("pretrain");
    if (!pretraining.empty()) summary["pretraining"] = pretraining;
    Manifest(partial, fingerprints_).record(recipe_, summary);
    write_model_card(partial, options_.out);
    bundle.commit();
    if (!options_.keep_output) remove_training_output(work_folder(options_));
  }

  // Those of the bundle that it started from, and of the labels.
  void add_learned_subjects(const std::string& folder) {
    SubjectSets subjects = read_learned_subjects(options_.model).value_or(SubjectSets());
    for (const auto& [name, labels] :
         {std::pair{kFinetuneTrain, &sides_.train}, {kFinetuneValidation, &sides_.validation}}) {
      std::vector<int64_t> ids;
      for (const Label& label : *labels) ids.push_back(label.subject_id);
      std::ranges::sort(ids);
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
      subjects.set(name, ids);
    }
    subjects.write(folder + "/" + SubjectSets::kFileName);
    recipe_.outputs.emplace_back(SubjectSets::kFileName);
  }

  void predict() {
    const std::string& bundle = options_.labels.empty() ? options_.model : options_.out;
    ModelDir dir = read_model_dir(bundle);
    if (!dir.classifier) {
      throw FileError(bundle, "has no classifier",
                      "give a bundle that `sequela finetune` wrote, or --labels to make one");
    }
    const auto labels =
        batches_of(options_.predict.empty() ? sides_.held_out
                                            : read_labels(options_.predict, options_.zone_rule),
                   "to predict");
    check_predicted(labels->labels());
    Motor model(dir.config, std::move(dir.parameters), device_, precision_, ways_);
    const Predictions predictions = sequela::predict(model, *dir.classifier, *labels);
    if (predictions.labels.empty()) {
      throw DataError({options_.predict.empty() ? options_.labels : options_.predict},
                      "no label to predict has a history in the records",
                      "give labels of subjects in the records, after their first event");
    }
    write_predictions(options_.predictions, predictions, labels->labels());
    report_.num_predicted = static_cast<int64_t>(predictions.labels.size());
    report_.auroc = auroc_of(predictions, labels->labels());
    for (const LabelState state : labels->states())
      ++report_.num_skipped[static_cast<size_t>(state)];
    report_.num_skipped[0] = 0;
  }

  // Warns of labels of subjects that the model has learned from in this run.
  void check_predicted(const std::vector<Label>& labels) const {
    std::unordered_set<int64_t> learned;
    for (const auto* side : {&sides_.train, &sides_.validation}) {
      for (const Label& label : *side) learned.insert(label.subject_id);
    }
    const auto seen = std::ranges::count_if(
        labels, [&](const Label& label) { return learned.contains(label.subject_id); });
    if (seen > 0)
      log_warning(str(seen, " labels to predict are of subjects that the model learned from"));
  }

  const FinetuneOptions& options_;
  const at::Device device_;
  const Precision precision_;
  LabelSides sides_;
  Fingerprints fingerprints_;
  const Ways ways_;
  RunRecipe recipe_;
  std::shared_ptr<const BundleRecords> records_;
  FinetuneReport report_;
};

}  // namespace

FinetuneReport finetune(const FinetuneOptions& options) {
  options.validate();
  const TorchThreads threads(options.num_threads);
  return FinetuneRun(options).run();
}

}  // namespace sequela
