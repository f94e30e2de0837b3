#include "sequela/features/stream_embedder.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/sha256.h"
#include "sequela/features/stream/live_pass.h"
#include "sequela/features/stream/live_sequence.h"
#include "sequela/features/stream/live_tokenizer.h"
#include "sequela/io/file.h"
#include "sequela/model/model_dir.h"
#include "sequela/model/step/step_model.h"

namespace sequela {
namespace {

// What a state is tied to: every weight, and all of the dictionary that shapes tokens.
Digest digest_of(const ModelConfig& config, const Parameters& parameters,
                 const Vocabulary& vocabulary) {
  Sha256 hash;
  const auto add = [&](const std::string& text) {
    const uint64_t size = text.size();
    hash.update(&size, sizeof(size));
    hash.update(text.data(), text.size());
  };
  add(to_config_json(config));
  for (const Parameter& item : parameters.items) {
    add(item.name);
    const at::Tensor value = item.value.contiguous();
    hash.update(value.const_data_ptr(), value.nbytes());
  }
  for (const VocabularyEntry& entry : vocabulary.entries) {
    add(entry.code_string);
    add(entry.property);
    add(entry.text_string);
    const double numbers[] = {static_cast<double>(entry.type), entry.val_start, entry.val_end};
    hash.update(numbers, sizeof(numbers));
  }
  hash.update(&vocabulary.age_stats, sizeof(vocabulary.age_stats));
  return hash.finish();
}

SequenceLayout layout_of(const Vocabulary& vocabulary) {
  return vocabulary.is_hierarchical ? SequenceLayout::birth_bag : SequenceLayout::every_event;
}

}  // namespace

void EmbedderOptions::validate() const {
  if (events_per_pass < 1) {
    throw ConfigError("events_per_pass", str(events_per_pass), "a number of at least 1");
  }
}

struct Embedder::State {
  State(const ModelConfig& config, const Parameters& parameters, const Vocabulary& vocabulary,
        const Ontology& ontology, const EmbedderOptions& options)
      : events_per_pass(options.events_per_pass),
        tokenizer(ontology, vocabulary),
        sequence(tokenizer, vocabulary.age_stats, layout_of(vocabulary)),
        model(config, parameters, options.precision, options.keys),
        format(model.layout(), sequence.num_seen_words(),
               digest_of(config, parameters, vocabulary)),
        patients(format, options.patients),
        pass(sequence, model) {
    if (!options.tasks.empty()) model.keep_tasks(options.tasks);
  }

  void check(std::span<const LiveEvent> events);
  size_t pass_size(std::span<const LiveEvent> events) const;
  void gather(std::span<const LiveEvent> events);
  void run_pass(std::span<const LiveEvent> events, const EmbedderOutput& output);

  const int64_t events_per_pass;
  LiveTokenizer tokenizer;
  LiveSequence sequence;
  StepModel model;
  PatientStateFormat format;
  PatientStore patients;
  LivePass pass;
  std::vector<PatientState*> pass_patients;          // per event
  std::unordered_map<int64_t, int64_t> pass_events;  // their number, by subject id
};

// That each event may follow those before it.
void Embedder::State::check(std::span<const LiveEvent> events) {
  std::unordered_map<int64_t, int64_t> last_event_us;
  for (const LiveEvent& event : events) {
    const auto [last, is_first] = last_event_us.try_emplace(event.subject_id, kNoTime);
    if (is_first) last->second = patients.last_event_us(event.subject_id);
    try {
      LiveSequence::check(event, last->second);
    } catch (const DataError& error) {
      throw error.within({.path = "live events"});
    }
    last->second = event.time_us;
  }
}

// The first events that make one pass: so many that their patients fit into memory together.
size_t Embedder::State::pass_size(std::span<const LiveEvent> events) const {
  const auto most = std::min(events.size(), static_cast<size_t>(events_per_pass));
  const auto max_patients = static_cast<size_t>(patients.max_pinned());
  std::unordered_set<int64_t> subject_ids;
  for (size_t i = 0; i < most; ++i) {
    subject_ids.insert(events[i].subject_id);
    if (subject_ids.size() > max_patients) return i;
  }
  return most;
}

// Brings the patients of a pass into memory and makes room for what its events may add.
void Embedder::State::gather(std::span<const LiveEvent> events) {
  patients.begin_use();
  pass_patients.clear();
  pass_events.clear();
  for (const LiveEvent& event : events) {
    pass_patients.push_back(&patients.get(event.subject_id));
    ++pass_events[event.subject_id];
  }
  int64_t growth = 0;
  for (const auto& [subject_id, count] : pass_events) {
    const PatientState& patient = patients.get(subject_id);
    growth +=
        format.memory_bytes(patient.encoder.num_tokens + count + 1) - format.memory_bytes(patient);
  }
  patients.make_room(growth);
}

void Embedder::State::run_pass(std::span<const LiveEvent> events, const EmbedderOutput& output) {
  gather(events);
  try {
    pass.run(events, pass_patients, output.outcomes_n, output.embeddings_nH);
  } catch (...) {
    for (const auto& [subject_id, count] : pass_events) patients.erase(subject_id);
    throw;
  }
  for (const auto& [subject_id, count] : pass_events) patients.update(subject_id);
  if (output.log2_rates_nKC == nullptr) return;
  const auto n = static_cast<int64_t>(events.size());
  const MotorHeadConfig& motor = *model.config().motor;
  model.log2_rates(
      at::from_blob(output.embeddings_nH, {n, model.config().encoder.hidden_size}, at::kFloat),
      at::from_blob(output.log2_rates_nKC, {n, motor.num_bins(), motor.num_tasks()}, at::kFloat));
}

Embedder::Embedder(const ModelConfig& config, const Parameters& parameters,
                   const Vocabulary& vocabulary, const Ontology& ontology,
                   const EmbedderOptions& options) {
  options.validate();
  state_ = std::make_unique<State>(config, parameters, vocabulary, ontology, options);
}

Embedder Embedder::open(const std::string& bundle, const Ontology& ontology,
                        const EmbedderOptions& options) {
  ModelDir dir = read_model_dir(bundle);
  const Vocabulary vocabulary = Vocabulary::read(dir.dictionary_path);
  Motor model(dir.config, std::move(dir.parameters), at::kCPU, Precision::fp32);
  return {dir.config, model.parameters(), vocabulary, ontology, options};
}

Embedder::Embedder(Embedder&&) noexcept = default;
Embedder::~Embedder() = default;

const ModelConfig& Embedder::config() const {
  return state_->model.config();
}
const PatientStore& Embedder::patients() const {
  return state_->patients;
}
int64_t Embedder::max_bytes_per_patient() const {
  return state_->format.max_memory_bytes();
}
int64_t Embedder::bytes_per_event() const {
  return state_->model.matrix_bytes();
}

void Embedder::admit(int64_t subject_id, int64_t birth_us) {
  if (birth_us < kMinTimeUs || birth_us > kMaxTimeUs) {
    throw DataError({.path = "live events", .subject_id = subject_id}, "an impossible birth",
                    "give the birth as microseconds since 1970");
  }
  PatientState patient;
  patient.sequence.subject_id = subject_id;
  patient.sequence.birth_us = birth_us;
  state_->patients.insert(std::move(patient));
}

void Embedder::discharge(int64_t subject_id) {
  state_->patients.erase(subject_id);
}

void Embedder::set_memory_bytes(int64_t bytes) {
  state_->patients.set_memory_bytes(bytes);
}

void Embedder::add(std::span<const LiveEvent> events, const EmbedderOutput& output) {
  if (output.embeddings_nH == nullptr) throw std::invalid_argument("embeddings_nH must be given");
  if (output.log2_rates_nKC != nullptr && !config().motor)
    throw std::invalid_argument("the model has no MOTOR head");
  state_->check(events);
  EmbedderOutput rest = output;
  for (bool is_first = true; !events.empty(); is_first = false) {
    if (!is_first) throw_if_stopped();
    const size_t size = state_->pass_size(events);
    state_->run_pass(events.first(size), rest);
    events = events.subspan(size);
    rest.embeddings_nH += size * config().encoder.hidden_size;
    if (rest.outcomes_n != nullptr) rest.outcomes_n += size;
    if (rest.log2_rates_nKC != nullptr)
      rest.log2_rates_nKC += size * config().motor->num_bins() * config().motor->num_tasks();
  }
}

int64_t Embedder::max_events_at_once() const {
  return std::min(state_->events_per_pass, state_->patients.max_pinned());
}

void Embedder::save(int64_t subject_id, const std::string& path) {
  state_->patients.begin_use();
  write_file(path, state_->format.to_bytes(state_->patients.get(subject_id)));
}

int64_t Embedder::load(const std::string& path) {
  state_->patients.begin_use();
  PatientState patient = state_->format.from_bytes(MappedFile(path).text(), path);
  const int64_t subject_id = patient.sequence.subject_id;
  state_->patients.insert(std::move(patient));
  return subject_id;
}

}  // namespace sequela
