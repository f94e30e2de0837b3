#include <cmath>

#include "sequela/core/error.h"
#include "sequela/evaluation/few_shot.h"
#include "sequela/pipeline/evaluate_methods.h"
#include "sequela/pipeline/evaluation/methods.h"
#include "sequela/pipeline/evaluation/methods/hazards.h"

namespace sequela {

LeakRule to_leak_rule(const std::string& text) {
  for (const LeakRule rule : {LeakRule::warn, LeakRule::fail, LeakRule::off}) {
    if (text == to_text(rule)) return rule;
  }
  throw ConfigError("leaks", text, "warn, fail or off");
}

const char* to_text(LeakRule rule) {
  if (rule == LeakRule::warn) return "warn";
  return rule == LeakRule::fail ? "fail" : "off";
}

EvaluateMethodsOptions::EvaluateMethodsOptions()
    : shots(std::begin(kFewShots), std::end(kFewShots)) {}

void EvaluateMethodsOptions::validate() const {
  if (meds.empty()) throw ConfigError("meds", "", "a MEDS data set or a meds_reader database");
  if (out.empty()) throw ConfigError("--out is missing. Fix: name a folder for the metrics.");
  if (labels.empty() && tasks.empty()) {
    throw ConfigError("there is no task. Fix: give --labels, or --task to make some.");
  }
  if (num_bootstraps < 1) throw ConfigError("--bootstraps", str(num_bootstraps), "1 or more");
  if (num_draws < 1) throw ConfigError("draws", str(num_draws), "1 or more");
  if (max_labels < 0) throw ConfigError("max-labels", str(max_labels), "0 or more");
  for (const int64_t k : shots) {
    if (k < 1) throw ConfigError("shots", str(k), "1 or more");
  }
  for (const double days : horizons) {
    if (!(days > 0) || std::isinf(days)) throw ConfigError("horizons", str(days), "days above 0");
  }
  for (const std::string& hazard : hazards) parse_hazard(hazard);
  check_method_words(*this);
  EmbedOptions{.tokens_per_batch = tokens_per_batch}.validate();
  if (!model.empty()) to_device(device);
}

}  // namespace sequela
