#include "sequela/pipeline/live/live_scorer.h"

#include <algorithm>
#include <cmath>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/suggest.h"
#include "sequela/meds/event_store.h"
#include "sequela/model/encoder_config.h"
#include "sequela/pipeline/data_ontology.h"

namespace sequela {
namespace {

constexpr double kSecondsPerDay = 86'400;
constexpr const char* kEvents = "live events";

Ontology read_ontology(const LiveOptions& options) {
  options.validate();
  if (!Vocabulary::read(options.model + "/dictionary.msgpack").is_hierarchical) return {};
  return BundleOntology{.model = options.model,
                        .ontology = options.ontology,
                        .athena = options.athena,
                        .codes_parquet = options.codes,
                        .scratch_folder = {},
                        .num_threads = options.num_threads}
      .read_for_any_data();
}

std::vector<std::string> tasks_of(const LiveOptions& options) {
  std::vector<std::string> codes;
  const ModelConfig config = read_model_config(options.model + "/config.json");
  if (!config.motor) return codes;
  for (const MotorHeadConfig::Task& task : config.motor->tasks) codes.push_back(task.code);
  return codes;
}

// The places of the wanted tasks among the model's.
std::vector<int64_t> find_tasks(const LiveOptions& options, const std::vector<std::string>& known) {
  std::vector<int64_t> found;
  for (const std::string& task : options.tasks) {
    const auto place = std::ranges::find(known, task);
    if (known.empty()) {
      throw ConfigError(str(options.model,
                            ": the model has no MOTOR head, so no risks. Fix: leave out the "
                            "tasks, or take a bundle of `sequela pretrain`."));
    }
    if (place == known.end()) {
      const std::string suggestion = did_you_mean(task, known);
      throw ConfigError(str("task: the model has no task '", task, "'", suggestion,
                            suggestion.empty() ? "." : "", " Fix: give one of the ", known.size(),
                            " codes under task_config in ", options.model, "/config.json."));
    }
    if (std::ranges::count(known, task) > 1) {
      throw ConfigError(str("task: '", task,
                            "' is several tasks of the model, ranges of a value. Fix: give a code "
                            "that is one task."));
    }
    found.push_back(place - known.begin());
  }
  return found;
}

EmbedderOptions embedder_options(const LiveOptions& options,
                                 const std::vector<std::string>& known) {
  EmbedderOptions result;
  result.precision = options.precision;
  result.keys = options.keys;
  result.patients.memory_bytes = options.memory_bytes;
  result.patients.spill_folder = options.spill_folder;
  result.tasks = find_tasks(options, known);
  return result;
}

void check_event(const LiveEvent& event, int64_t row, int64_t last_us) {
  if (event.code.empty()) {
    throw DataError({.path = kEvents, .row = row, .column = "code", .subject_id = event.subject_id},
                    "an empty code", "give every event a code");
  }
  try {
    LiveSequence::check(event, last_us);
  } catch (const DataError& error) {
    throw error.within({.path = kEvents, .row = row});
  }
}

// A patient who is not there yet.
struct Newcomer {
  int64_t first_row = 0;
  int64_t birth_us = kNoTime;
};

}  // namespace

void LiveOptions::validate() const {
  if (model.empty()) throw ConfigError("model", "", "a model bundle");
  if (!(horizon_days > 0) || std::isinf(horizon_days)) {
    throw ConfigError("horizon", str(horizon_days), "a number of days above 0");
  }
  if (num_threads < 1) throw ConfigError("threads", str(num_threads), "a number of at least 1");
}

KeyPrecision to_key_precision(const std::string& text) {
  if (text == "fp32") return KeyPrecision::fp32;
  if (text == "bf16") return KeyPrecision::bf16;
  throw ConfigError("keys", text, "fp32 or bf16");
}

const char* to_text(KeyPrecision keys) {
  return keys == KeyPrecision::bf16 ? "bf16" : "fp32";
}

const char* to_text(EventOutcome outcome) {
  switch (outcome) {
    case EventOutcome::new_token:
      return "new_token";
    case EventOutcome::grew_birth_bag:
      return "grew_birth_bag";
    case EventOutcome::nothing_new:
      return "nothing_new";
    default:
      return "nothing_yet";
  }
}

LiveScorer::LiveScorer(const LiveOptions& options)
    : LiveScorer(options, TorchThreads(options.num_threads)) {}

LiveScorer::LiveScorer(const LiveOptions& options, const TorchThreads&)
    : options_(options),
      ontology_(read_ontology(options)),
      known_tasks_(tasks_of(options)),
      embedder_(Embedder::open(options.model, ontology_, embedder_options(options, known_tasks_))) {
  if (options.tasks.empty()) return;
  risk_.emplace_back(embedder_.config().motor->time_bins, options.horizon_days * kSecondsPerDay);
}

LiveScorer::Births LiveScorer::check(std::span<const LiveEvent> events) const {
  std::unordered_map<int64_t, Newcomer> newcomers;
  std::unordered_map<int64_t, int64_t> last_us;
  for (size_t i = 0; i < events.size(); ++i) {
    const LiveEvent& event = events[i];
    const auto row = static_cast<int64_t>(i);
    const bool is_known = embedder_.patients().holds(event.subject_id);
    const auto [last, is_first] = last_us.try_emplace(event.subject_id, kNoTime);
    if (is_first && is_known) last->second = embedder_.patients().last_event_us(event.subject_id);
    check_event(event, row, last->second);
    last->second = event.time_us;
    if (is_known) continue;
    Newcomer& newcomer = newcomers.try_emplace(event.subject_id, Newcomer{row}).first->second;
    // In order of time, the first is the earliest.
    if (event.code == kBirthCode && newcomer.birth_us == kNoTime) newcomer.birth_us = event.time_us;
  }
  Births births;
  for (const auto& [subject_id, newcomer] : newcomers) {
    if (newcomer.birth_us == kNoTime) {
      throw DataError({.path = kEvents, .row = newcomer.first_row, .subject_id = subject_id},
                      "a new patient without a MEDS_BIRTH that has a time",
                      "send MEDS_BIRTH with the patient's first events");
    }
    births[subject_id] = newcomer.birth_us;
  }
  return births;
}

void LiveScorer::admit(const Births& births) {
  std::vector<int64_t> admitted;
  try {
    for (const auto& [subject_id, birth_us] : births) {
      embedder_.admit(subject_id, birth_us);
      admitted.push_back(subject_id);
    }
  } catch (...) {
    for (const int64_t subject_id : admitted) embedder_.discharge(subject_id);
    throw;
  }
}

void LiveScorer::fill_risks(int64_t num_events) {
  const auto num_tasks = static_cast<int64_t>(tasks().size());
  risks_.resize(num_events * num_tasks);
  if (risk_.empty()) return;
  for (int64_t i = 0; i < num_events; ++i) {
    const float* rates_KS = log2_rates_.data() + i * risk_[0].num_bins() * num_tasks;
    for (int64_t s = 0; s < num_tasks; ++s)
      risks_[i * num_tasks + s] = risk_[0](rates_KS + s, num_tasks);
  }
}

void LiveScorer::add(std::span<const LiveEvent> events,
                     const std::function<void(const LiveRows&)>& take) {
  const TorchThreads threads(options_.num_threads);
  admit(check(events));
  const auto at_once = static_cast<size_t>(embedder_.max_events_at_once());
  for (size_t begin = 0; begin < events.size(); begin += at_once) {
    if (begin > 0) throw_if_stopped();
    const auto part = events.subspan(begin, std::min(at_once, events.size() - begin));
    embeddings_.resize(part.size() * hidden_size());
    outcomes_.resize(part.size());
    if (!risk_.empty()) log2_rates_.resize(part.size() * risk_[0].num_bins() * tasks().size());
    embedder_.add(part, {.embeddings_nH = embeddings_.data(),
                         .log2_rates_nKC = risk_.empty() ? nullptr : log2_rates_.data(),
                         .outcomes_n = outcomes_.data()});
    fill_risks(static_cast<int64_t>(part.size()));
    take({static_cast<int64_t>(begin), static_cast<int64_t>(part.size()), embeddings_.data(),
          risks_.data(), outcomes_.data()});
  }
}

}  // namespace sequela
