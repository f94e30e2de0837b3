#include "sequela/pipeline/prepare.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/distributed/world.h"
#include "sequela/io/file.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/split.h"
#include "sequela/objective/registry.h"
#include "sequela/pipeline/coverage.h"
#include "sequela/pipeline/joined_run.h"
#include "sequela/pipeline/prepare_recipes.h"
#include "sequela/pipeline/stage_options.h"
#include "sequela/pipeline/store_facts.h"
#include "sequela/run/manifest.h"
#include "sequela/tokenizer/event_tokenizer.h"
#include "sequela/tokenizer/fit_tokenizer.h"

namespace fs = std::filesystem;

namespace sequela {

namespace {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

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
      : options_(options),
        objective_(find_objective(options.objective)),
        fingerprints_({options.fingerprint_cache, options.num_threads}),
        manifest_(options.out, fingerprints_),
        recipes_(options, manifest_, fingerprints_),
        joined_(options.out, recipes_.whole(), options.rank, options.num_ranks) {
    manifest_.reload();  // another run may just have ended
  }

  PrepareReport run();

 private:
  // Makes an artifact unless it is there. `share`, if given, is done by all ranks, then `make` by
  // one of them: it writes the artifact and returns its report.
  using Make = std::function<Json()>;
  void stage(const RunRecipe& recipe, const Make& make, const std::function<void()>& share = {});
  bool is_made(const RunRecipe& recipe);
  void record(const RunRecipe& recipe, const Json& report);
  void once(const char* name, const std::function<void()>& body);
  class BatchMaker;
  void make_dictionary();
  void check_dictionary() const;
  void make_batches(Side side, const char* name);
  void remove_other_tasks() const;
  void write_coverage();
  void check_usable() const;

  std::string path(const char* name) const { return options_.out + "/" + name; }

  const EventStore& store();
  const Ontology& ontology();
  const std::vector<Side>& sides();
  const Vocabulary& vocabulary();
  const EventTokenizer& tokenizer();
  ObjectiveRecords records() { return {store(), ontology(), vocabulary(), tokenizer(), sides()}; }

  const PrepareOptions& options_;
  const Objective& objective_;
  Fingerprints fingerprints_;
  Manifest manifest_;
  PrepareRecipes recipes_;
  JoinedRun joined_;
  PrepareReport report_;
  int64_t num_worked_events_ = 0;  // by the stage at work

  std::optional<EventStore> store_;
  std::optional<Ontology> ontology_;
  std::optional<std::vector<Side>> sides_;
  std::optional<Vocabulary> vocabulary_;
  std::optional<EventTokenizer> tokenizer_;
};

void PrepareRun::stage(const RunRecipe& recipe, const Make& make,
                       const std::function<void()>& share) {
  throw_if_stopped();
  const Stopwatch watch;
  const std::string reason = manifest_.why_stale(recipe);
  if (reason.empty()) {
    log_info(recipe.artifact + ": finished before");
    report_.stages.push_back({recipe.artifact, "", watch.seconds(), 0});
    return;
  }
  log_info(str(recipe.artifact, ": made, since ", reason));
  store();
  const Stopwatch making;
  num_worked_events_ = 0;
  fs::create_directories(fs::path(path(recipe.artifact.c_str())).parent_path());
  if (share && !joined_.work().is_alone()) share();
  joined_.work().run(
      fs::path(recipe.artifact).filename().string() + "-whole", {1}, 1,
      [&](int64_t) { return is_made(recipe); }, [&](int64_t, int) { record(recipe, make()); });
  report_.stages.push_back({recipe.artifact, reason, making.seconds(), num_worked_events_});
}

// Whether another rank has made it.
bool PrepareRun::is_made(const RunRecipe& recipe) {
  if (joined_.work().is_alone()) return false;
  manifest_.reload();
  return manifest_.why_stale(recipe).empty();
}

void PrepareRun::record(const RunRecipe& recipe, const Json& report) {
  once("manifest", [&] {
    if (!joined_.work().is_alone()) manifest_.reload();
    manifest_.record(recipe, report);
  });
}

// While no other rank does the same.
void PrepareRun::once(const char* name, const std::function<void()>& body) {
  bool is_done = false;
  joined_.work().run(
      name, {1}, 1, [&](int64_t) { return is_done; },
      [&](int64_t, int) {
        body();
        is_done = true;
      });
}

PrepareReport PrepareRun::run() {
  const Stopwatch watch;
  check_dictionary();
  const int num_threads = threads_within_memory(options_);
  if (num_threads < options_.num_threads) {
    log_info(str("memory of ", human_bytes(options_.memory_bytes), " has room for ", num_threads,
                 " of ", options_.num_threads, " threads"));
  }
  stage(recipes_.ontology(), [this, num_threads] {
    OntologyStats stats;
    const OntologyOptions wanted{options_.athena, recipes_.codes_parquet(),
                                 options_.remove_vocabularies, num_threads, options_.out};
    ontology_ = build_ontology(wanted, store().codes(), store().counts(), &stats);
    ontology_->write(path(kOntologyName));
    return to_json(stats, measure_coverage(*ontology_));
  });
  stage(recipes_.split(), [this] {
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
  stage(recipes_.dictionary(), [this] {
    make_dictionary();
    return vocabulary_report(ontology(), vocabulary());
  });
  remove_other_tasks();
  stage(recipes_.task(), [this] {
    const std::string task = path(objective_.task_file());
    num_worked_events_ = store().num_events();
    objective_.fit(records(), task_values(options_), threads_within_memory(options_), task);
    return objective_.describe(task);
  });
  make_batches(Side::train, kTrainBatchesName);
  make_batches(Side::validation, kValBatchesName);
  once("coverage", [this] { write_coverage(); });
  joined_.leave([this] {
    for (const char* name : {kTrainBatchesName, kValBatchesName}) remove_unfinished(path(name));
    if (!options_.keep_events) fs::remove_all(path(kEventsName));
  });
  report_.seconds = watch.seconds();
  report_.is_up_to_date = std::ranges::all_of(
      report_.stages, [](const PrepareStage& stage) { return stage.reason.empty(); });
  return std::move(report_);
}

void PrepareRun::make_dictionary() {
  if (options_.dictionary.empty()) {
    num_worked_events_ = store().num_events();
    fit_tokenizer(store(), ontology(), sides(), tokenizer_options(options_))
        .write(path(kDictionaryName));
    return;
  }
  write_file(path(kDictionaryName), read_file(options_.dictionary));
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
  const RunRecipe recipe = recipes_.batches(name);
  const BatchOptions options = batch_options(options_);
  const std::string key = recipe.digest().substr(0, 16);
  std::optional<BatchMaker> maker;
  const auto source = [&]() -> const BatchSource& {
    if (!maker) maker.emplace(*this);
    return maker->source();
  };
  const auto share = [&] {
    share_batches(source(), side, options, path(name), key, joined_.work(),
                  [&] { return is_made(recipe); });
  };
  const auto make = [&] {
    if (options.form == BatchForm::femr) {
      log_info(str(name, ": will take about ",
                   human_bytes(estimate_femr_bytes(source(), side, options)),
                   " on disk in femr's form"));
    }
    for (int64_t i = 0; i < store().num_subjects(); ++i) {
      if (sides()[i] == side) num_worked_events_ += store().subject(i).num_events;
    }
    const Staging staging = joined_.work().is_alone() ? Staging::remove : Staging::keep;
    const BatchReport report = write_batches(source(), side, options, path(name), key, staging);
    if (side == Side::train && report.num_batches == 0) {
      fs::remove_all(path(name));
      throw DataError({options_.meds},
                      str("no train subject has anything to predict of ", objective_.about()),
                      "check the events' times and codes, or lower task-min-fraction");
    }
    return to_json(report);
  };
  stage(recipe, make, share);
}

void PrepareRun::write_coverage() {
  const Json coverage = {{"events", manifest_.report(kEventsName)},
                         {"ontology", manifest_.report(kOntologyName)},
                         {"tokenizer", manifest_.report(kDictionaryName)},
                         {"task", manifest_.report(objective_.task_file())},
                         {"train_batches", manifest_.report(kTrainBatchesName)},
                         {"val_batches", manifest_.report(kValBatchesName)}};
  write_file(path(kCoverageName), json_text(coverage) + "\n");
  report_.coverage = coverage_lines(coverage);
}

// The decoded events. Ingestion itself knows what it finished before, and whether its input
// changed.
const EventStore& PrepareRun::store() {
  if (store_) return *store_;
  const Stopwatch watch;
  const IngestOptions wanted = ingest_options(options_, path(kEventsName));
  const IngestReport report = ingest(wanted, joined_.work());
  store_ = EventStore::open(wanted.folder);
  Json summary = to_json(report);
  summary["contents"] = store_facts(*store_);
  record(recipes_.events(), summary);
  report_.stages.push_back({"events", "needed", watch.seconds(), report.num_events});
  check_usable();
  return *store_;
}

void PrepareRun::check_usable() const {
  for (int64_t i = 0; i < store_->num_subjects(); ++i) {
    if (store_->subject(i).birth_us != kNoTime) return;
  }
  throw DataError({options_.meds},
                  str("none of its ", store_->num_subjects(), " subjects can be used: none has a ",
                      kBirthCode, " event with a time"),
                  str("give each subject an event with the code ", kBirthCode));
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
  const PrepareReport report = PrepareRun(own).run();
  meet(world, "the end of prepare");
  return report;
}

}  // namespace sequela
