#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <vector>

#include "sequela/batch/builder.h"
#include "sequela/batch/tensors.h"
#include "sequela/features/stream_embedder.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/ingest.h"
#include "sequela/ontology/code_metadata.h"
#include "sequela/ontology/ontology.h"
#include "sequela/tokenizer/event_tokenizer.h"
#include "sequela/tokenizer/fit_tokenizer.h"
#include "tests/support/shared.h"
#include "tests/support/test_folder.h"

namespace sequela {

// A subject's record as live events; refers to the store.
struct LiveRecord {
  int64_t birth_us = 0;
  std::vector<std::vector<LiveValue>> values;
  std::vector<LiveEvent> events;

  LiveRecord(const EventStore& store, const Subject& subject)
      : birth_us(subject.birth_us), values(subject.num_events) {
    for (int64_t i = 0; i < subject.num_events; ++i) {
      for (size_t p = 0; p < store.properties().size(); ++p) {
        const Property& property = store.properties()[p];
        const PropertyValues column = subject.properties[p];
        const auto number = column.number(i);
        const int32_t text = column.text(i);
        if (number) values[i].push_back({property.name, number, {}});
        if (text >= 0) values[i].push_back({property.name, std::nullopt, property.texts[text]});
      }
      events.push_back({subject.id, subject.time_us(i), store.codes()[subject.code(i)], values[i]});
    }
  }
};

// The MIMIC-IV demo with a dictionary fitted to it and a small model of fresh weights.
struct Demo {
  TestFolder folder;
  EventStore store;
  Ontology ontology;
  Vocabulary vocabulary;
  EventTokenizer tokenizer;
  ModelConfig config;
  Motor model;

  explicit Demo(int64_t attention_width = 100)
      : store(read_store(folder / "store")),
        ontology(read_ontology(store)),
        vocabulary(fit(store, ontology)),
        tokenizer(store, ontology, vocabulary),
        config(model_config(vocabulary, attention_width)),
        model(config, 7, at::kCPU, Precision::fp32) {
    tame_squared_times();
  }

  // Squares of normalized gaps reach 9,600 in these records, other inputs of a layer are about 1.
  // With fresh weights on them, attention scores reach 1e5 and float32 leaves them no fifth digit:
  // two instruction sets of the batch computation itself then differ by 6e-5. A trained model's
  // weights on these columns are as much smaller as the columns are larger.
  void tame_squared_times() {
    constexpr int64_t kSquares = 5;
    for (int64_t i = 1; i < config.encoder.n_layers; i += 2) {
      at::Tensor& weight =
          model.parameters().get(str("transformer.layers.", i, ".input_proj.weight")).value;
      weight.narrow(1, weight.size(1) - kSquares, kSquares).mul_(0.01);
    }
    model.refresh_weights();
  }

  // Subjects of which `most` have a birth.
  std::vector<Subject> subjects(size_t most) const {
    std::vector<Subject> subjects;
    for (int64_t i = 0; i < store.num_subjects() && subjects.size() < most; ++i) {
      if (store.subject(i).birth_us != kNoTime) subjects.push_back(store.subject(i));
    }
    return subjects;
  }

  // A whole record, or its first events, as one sequence.
  BatchInputs inputs(Subject subject, int64_t num_events) {
    subject.num_events = num_events;
    Sequence sequence;
    SequenceBuilder(store, tokenizer).build(subject, sequence);
    BatchArrays batch;
    const auto length = static_cast<int32_t>(sequence.num_tokens());
    BatchBuilder(vocabulary.age_stats, FirstTimestamp::birth)
        .append(sequence, {.subject = 0, .first_token = 0, .length = length}, {}, batch);
    return to_inputs(std::move(batch));
  }

  Embedder embedder(const EmbedderOptions& options = {}) {
    return {config, model.parameters(), vocabulary, ontology, options};
  }

 private:
  static EventStore read_store(const std::string& folder) {
    IngestOptions options;
    options.meds = shared_path("data/mimic4_demo_meds");
    options.folder = folder;
    ingest(options);
    return EventStore::open(folder);
  }
  static Ontology read_ontology(const EventStore& store) {
    std::vector<Ontology::Node> nodes;
    for (size_t i = 0; i < store.codes().size(); ++i) {
      const std::string& code = store.codes()[i];
      Ontology::Node& node = nodes.emplace_back();
      node.code = code;
      // A made-up hierarchy: the text before the first "/", so that tokens have company.
      const size_t slash = code.find('/');
      if (slash != std::string::npos) node.parents = {"GROUP_" + code.substr(0, slash)};
    }
    return Ontology::build(std::move(nodes));
  }
  static Vocabulary fit(const EventStore& store, const Ontology& ontology) {
    TokenizerOptions options;
    options.vocab_size = 2'000;
    options.num_numeric = 100;
    return fit_tokenizer(store, ontology, std::vector<Side>(store.num_subjects(), Side::train),
                         options);
  }
  static ModelConfig model_config(const Vocabulary& vocabulary, int64_t attention_width) {
    ModelConfig config;
    config.encoder.vocab_size = static_cast<int64_t>(vocabulary.entries.size());
    config.encoder.hidden_size = 64;
    config.encoder.intermediate_size = 128;
    config.encoder.n_heads = 2;
    config.encoder.n_layers = 4;
    config.encoder.attention_width = attention_width;
    config.motor = MotorHeadConfig{};
    for (int i = 0; i < 11; ++i) config.motor->tasks.push_back({str("T/", i), 1e-7 * (i + 1)});
    config.motor->time_bins = {0, 1e6, 1e7, INFINITY};
    config.motor->final_layer_size = 32;
    return config;
  }
};

// Embeddings of each event of a record, and what each did.
struct LiveAnswers {
  int64_t width = 0;
  std::vector<float> embeddings;
  std::vector<EventOutcome> outcomes;

  LiveAnswers(size_t num_events, int64_t hidden)
      : width(hidden), embeddings(num_events * hidden), outcomes(num_events) {}
  EmbedderOutput output(size_t first = 0) {
    return {embeddings.data() + first * width, nullptr, outcomes.data() + first};
  }
  const float* row(size_t event) const { return embeddings.data() + event * width; }
};

inline double difference(const float* a, const float* b, int64_t size) {
  double worst = 0;
  for (int64_t k = 0; k < size; ++k) {
    const double one = std::abs(static_cast<double>(a[k]) - b[k]);
    worst = std::isnan(one) ? INFINITY : std::max(worst, one);
  }
  return worst;
}

}  // namespace sequela
