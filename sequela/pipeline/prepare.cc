#include "sequela/pipeline/prepare.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/stopwatch.h"
#include "sequela/distributed/world.h"
#include "sequela/io/file.h"
#include "sequela/meds/split.h"
#include "sequela/objective/registry.h"
#include "sequela/pipeline/coverage.h"
#include "sequela/pipeline/prepare_stages.h"
#include "sequela/pipeline/stage_options.h"
#include "sequela/tokenizer/event_tokenizer.h"
#include "sequela/tokenizer/fit_tokenizer.h"

namespace fs = std::filesystem;

namespace sequela {

namespace {

std::string human_bytes(int64_t bytes) {
  if (bytes < 10'000'000) return str(bytes / 1'000 + 1, " kB");
  if (bytes < 10'000'000'000) return str(bytes / 1'000'000, " MB");
  return str(bytes / 1'000'000'000, " GB");
}

// One run. Things that several stages read are loaded when first asked for, so that a run that
// finds all artifacts finished loads none.
class PrepareRun {
 public:
  explicit PrepareRun(const PrepareOptions& options)
      : options_(options), objective_(find_objective(options.objective)), stages_(options) {}

  PrepareReport run();

 private:
  class BatchMaker;
  void make_dictionary();
  void make_task();
  void check_dictionary() const;
  void make_batches(Side side, const char* name);
  void remove_other_tasks() const;
  void write_coverage();

  std::string path(const char* name) const { return stages_.path(name); }

  const EventStore& store() { return stages_.store(); }
  const Ontology& ontology();
  const std::vector<Side>& sides();
  const Vocabulary& vocabulary();
  const EventTokenizer& tokenizer();
  ObjectiveRecords records() { return {store(), ontology(), vocabulary(), tokenizer(), sides()}; }

  const PrepareOptions& options_;
  const Objective& objective_;
  PrepareStages stages_;

  std::optional<Ontology> ontology_;
  std::optional<std::vector<Side>> sides_;
  std::optional<Vocabulary> vocabulary_;
  std::optional<EventTokenizer> tokenizer_;
};

PrepareReport PrepareRun::run() {
  const Stopwatch watch;
  check_dictionary();
  const int num_threads = threads_within_memory(options_);
  if (num_threads < options_.num_threads) {
    log_info(str("memory of ", human_bytes(options_.memory_bytes), " has room for ", num_threads,
                 " of ", options_.num_threads, " threads"));
  }
  stages_.stage(stages_.recipes().ontology(), [this, num_threads] {
    OntologyStats stats;
    const OntologyOptions wanted{options_.athena, stages_.recipes().codes_parquet(),
                                 options_.remove_vocabularies, num_threads, options_.out};
    ontology_ = build_ontology(wanted, store().codes(), store().counts(), &stats);
    ontology_->write(path(kOntologyName));
    return to_json(stats, measure_coverage(*ontology_));
  });
  stages_.stage(stages_.recipes().split(), [this] {
    if (!options_.split.empty()) {
      Split::read(options_.split);
      write_file(path(kSplitName), read_file(options_.split));
      return Json::object();
    }
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < store().num_subjects(); ++i) ids.push_back(store().subject_id(i));
    Split::build(ids, options_.split_seed, options_.val_fraction).write(path(kSplitName));
    return Json::object();
  });
  stages_.stage(stages_.recipes().dictionary(), [this] {
    make_dictionary();
    return vocabulary_report(ontology(), vocabulary());
  });
  remove_other_tasks();
  stages_.stage(stages_.recipes().task(), [this] {
    make_task();
    return objective_.describe(path(objective_.task_file()));
  });
  make_batches(Side::train, kTrainBatchesName);
  make_batches(Side::validation, kValBatchesName);
  stages_.once("coverage", [this] { write_coverage(); });
  stages_.leave([this] {
    for (const char* name : {kTrainBatchesName, kValBatchesName}) remove_unfinished(path(name));
    if (!options_.keep_events) fs::remove_all(path(kEventsName));
  });
  stages_.report().seconds = watch.seconds();
  stages_.report().is_up_to_date = std::ranges::all_of(
      stages_.report().stages, [](const PrepareStage& stage) { return stage.reason.empty(); });
  return std::move(stages_.report());
}

void PrepareRun::make_dictionary() {
  if (options_.dictionary.empty()) {
    stages_.count_events(store().num_events());
    fit_tokenizer(store(), ontology(), sides(), tokenizer_options(options_))
        .write(path(kDictionaryName));
    return;
  }
  write_file(path(kDictionaryName), read_file(options_.dictionary));
}

void PrepareRun::make_task() {
  const std::string task = path(objective_.task_file());
  if (options_.task_file.empty()) {
    stages_.count_events(store().num_events());
    objective_.fit(records(), task_values(options_), threads_within_memory(options_), task);
    return;
  }
  objective_.describe(options_.task_file);  // throws if it is of another kind
  write_file(task, read_file(options_.task_file));
}

// Flat dictionaries are those of femr up to 0.2.3, whose batches had another form.
void PrepareRun::check_dictionary() const {
  if (options_.dictionary.empty() || Vocabulary::read(options_.dictionary).is_hierarchical) return;
  if (!objective_.takes_flat_dictionary()) {
    throw ConfigError("dictionary", options_.dictionary,
                      str("a hierarchical dictionary, as ", objective_.name(), " needs one"));
  }
  if (options_.batch_format == BatchForm::femr) {
    throw ConfigError("batch-format", "femr", "compact: femr 0.2.4 has no flat dictionaries");
  }
}

// Files of the objectives that the folder was prepared for before: they would mislead.
void PrepareRun::remove_other_tasks() const {
  for (const Objective* other : objectives()) {
    if (other != &objective_) fs::remove(path(other->task_file()));
  }
}

// What batches are made of. Refers to what the run has loaded.
class PrepareRun::BatchMaker {
 public:
  explicit BatchMaker(PrepareRun& run)
      : targets_(run.objective_.targets(run.records(), run.path(run.objective_.task_file()))),
        source_{run.store(), run.tokenizer(), run.vocabulary().age_stats, *targets_, run.sides()} {}
  const BatchSource& source() const { return source_; }

 private:
  const std::unique_ptr<TargetRule> targets_;
  const BatchSource source_;
};

void PrepareRun::make_batches(Side side, const char* name) {
  const RunRecipe recipe = stages_.recipes().batches(name);
  const BatchOptions options = batch_options(options_);
  const std::string key = recipe.digest().substr(0, 16);
  std::optional<BatchMaker> maker;
  const auto source = [&]() -> const BatchSource& {
    if (!maker) maker.emplace(*this);
    return maker->source();
  };
  const auto share = [&] {
    share_batches(source(), side, options, path(name), key, stages_.work(),
                  [&] { return stages_.is_made(recipe); });
  };
  const auto make = [&] {
    if (options.form == BatchForm::femr) {
      log_info(str(name, ": will take about ",
                   human_bytes(estimate_femr_bytes(source(), side, options)),
                   " on disk in femr's form"));
    }
    for (int64_t i = 0; i < store().num_subjects(); ++i) {
      if (sides()[i] == side) stages_.count_events(store().subject(i).num_events);
    }
    const Staging staging = stages_.work().is_alone() ? Staging::remove : Staging::keep;
    const BatchReport report = write_batches(source(), side, options, path(name), key, staging);
    if (side == Side::train && report.num_batches == 0) {
      fs::remove_all(path(name));
      throw DataError({options_.meds},
                      str("no train subject has anything to predict of ", objective_.about()),
                      "check the events' times and codes, or lower task-min-fraction");
    }
    return to_json(report);
  };
  stages_.stage(recipe, make, share);
}

void PrepareRun::write_coverage() {
  const Json coverage = {{"events", stages_.manifest().report(kEventsName)},
                         {"ontology", stages_.manifest().report(kOntologyName)},
                         {"tokenizer", stages_.manifest().report(kDictionaryName)},
                         {"task", stages_.manifest().report(objective_.task_file())},
                         {"train_batches", stages_.manifest().report(kTrainBatchesName)},
                         {"val_batches", stages_.manifest().report(kValBatchesName)}};
  write_file(path(kCoverageName), json_text(coverage) + "\n");
  stages_.report().coverage = coverage_lines(coverage);
}

const Ontology& PrepareRun::ontology() {
  if (!ontology_) ontology_ = Ontology::read(path(kOntologyName));
  return *ontology_;
}

const std::vector<Side>& PrepareRun::sides() {
  if (!sides_) {
    sides_ = Split::read(path(kSplitName)).sides(store());
    if (std::ranges::find(*sides_, Side::train) == sides_->end()) {
      throw DataError({options_.split.empty() ? path(kSplitName) : options_.split},
                      "none of the data's subjects is on the train side",
                      "lower val-fraction, or give a split.csv of this data set");
    }
  }
  return *sides_;
}

const Vocabulary& PrepareRun::vocabulary() {
  if (!vocabulary_) vocabulary_ = Vocabulary::read(path(kDictionaryName));
  return *vocabulary_;
}

const EventTokenizer& PrepareRun::tokenizer() {
  if (!tokenizer_) tokenizer_.emplace(store(), ontology(), vocabulary());
  return *tokenizer_;
}

}  // namespace

PrepareReport prepare(const PrepareOptions& options) {
  options.validate();
  World& world = process_world();
  PrepareOptions own = options;
  if (options.num_ranks == 0) {
    own.rank = world.rank();
    own.num_ranks = world.size();
  }
  PrepareReport report;
  succeed_together(world, "prepare", [&] { report = PrepareRun(own).run(); });
  return report;
}

}  // namespace sequela
