#include "sequela/pipeline/prepare_stages.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/stopwatch.h"
#include "sequela/pipeline/coverage.h"
#include "sequela/pipeline/stage_options.h"
#include "sequela/pipeline/store_facts.h"

namespace fs = std::filesystem;

namespace sequela {

PrepareStages::PrepareStages(const PrepareOptions& options)
    : options_(options),
      fingerprints_({options.fingerprint_cache, options.num_threads}),
      manifest_(options.out, fingerprints_),
      recipes_(options, manifest_, fingerprints_),
      joined_(options.out, recipes_.whole(), options.rank, options.num_ranks) {
  manifest_.reload();  // another run may just have ended
}

void PrepareStages::stage(const RunRecipe& recipe, const Make& make,
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

bool PrepareStages::is_made(const RunRecipe& recipe) {
  if (joined_.work().is_alone()) return false;
  manifest_.reload();
  return manifest_.why_stale(recipe).empty();
}

void PrepareStages::record(const RunRecipe& recipe, const Json& report) {
  once("manifest", [&] {
    if (!joined_.work().is_alone()) manifest_.reload();
    manifest_.record(recipe, report);
  });
}

void PrepareStages::once(const char* name, const std::function<void()>& body) {
  bool is_done = false;
  joined_.work().run(
      name, {1}, 1, [&](int64_t) { return is_done; },
      [&](int64_t, int) {
        body();
        is_done = true;
      });
}

const EventStore& PrepareStages::store() {
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

void PrepareStages::check_usable() const {
  for (int64_t i = 0; i < store_->num_subjects(); ++i) {
    if (store_->subject(i).birth_us != kNoTime) return;
  }
  throw DataError({options_.meds},
                  str("none of its ", store_->num_subjects(), " subjects can be used: none has a ",
                      kBirthCode, " event with a time"),
                  str("give each subject an event with the code ", kBirthCode));
}

}  // namespace sequela
