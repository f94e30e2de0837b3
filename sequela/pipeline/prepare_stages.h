#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "sequela/core/json.h"
#include "sequela/meds/event_store.h"
#include "sequela/pipeline/joined_run.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/pipeline/prepare_recipes.h"
#include "sequela/run/fingerprints.h"
#include "sequela/run/manifest.h"

namespace sequela {

// How the artifacts of one prepare come about: each when it is stale, by one of the ranks that work
// in the folder, noted in the manifest; and the decoded events that they are made of, read when the
// first of them is stale.
class PrepareStages {
 public:
  // Joins the ranks in options.out. Refers to `options`.
  explicit PrepareStages(const PrepareOptions& options);

  const PrepareRecipes& recipes() const { return recipes_; }
  const Manifest& manifest() const { return manifest_; }
  const SharedWork& work() const { return joined_.work(); }
  PrepareReport& report() { return report_; }
  std::string path(const char* name) const { return options_.out + "/" + name; }

  // Makes an artifact unless it is there. `share`, if given, is done by all ranks, then `make` by
  // one of them: it writes the artifact and returns its report.
  using Make = std::function<Json()>;
  void stage(const RunRecipe& recipe, const Make& make, const std::function<void()>& share = {});
  // The stage at work goes through so many events more.
  void count_events(int64_t num_events) { num_worked_events_ += num_events; }
  // Whether another rank has made it.
  bool is_made(const RunRecipe& recipe);
  // Runs `body` while no other rank does the same.
  void once(const char* name, const std::function<void()>& body);
  // Runs `last` if no other rank is left; then the run is over.
  void leave(const std::function<void()>& last) { joined_.leave(last); }

  // The decoded events. Ingestion itself knows what it finished before, and whether its input
  // changed. DataError if no subject can be used.
  const EventStore& store();

 private:
  void record(const RunRecipe& recipe, const Json& report);
  void check_usable() const;

  const PrepareOptions& options_;
  Fingerprints fingerprints_;
  Manifest manifest_;
  const PrepareRecipes recipes_;
  JoinedRun joined_;
  PrepareReport report_;
  int64_t num_worked_events_ = 0;  // by the stage at work
  std::optional<EventStore> store_;
};

}  // namespace sequela
