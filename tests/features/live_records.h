#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sequela/batch/builder.h"
#include "sequela/batch/tensors.h"
#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/features/stream_embedder.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/event_store.h"
#include "sequela/ontology/code_metadata.h"
#include "sequela/ontology/ontology.h"
#include "sequela/tokenizer/event_tokenizer.h"
#include "sequela/tokenizer/fit_tokenizer.h"
#include "tests/features/ingested_store.h"
#include "tests/support/reference.h"
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

// A model with its dictionary and ontology, and records to embed.
struct LiveModel {
  TestFolder folder;
  EventStore store;
  Ontology ontology;
  Vocabulary vocabulary;
  EventTokenizer tokenizer;
  Motor model;
  ModelConfig config;

  template <class ReadOntology, class MakeVocabulary, class MakeModel>
  LiveModel(const std::string& meds, ReadOntology read_ontology, MakeVocabulary make_vocabulary,
            MakeModel make_model)
      : store(ingest_and_open(meds, folder / "store")),
        ontology(read_ontology(store)),
        vocabulary(make_vocabulary(store, ontology)),
        tokenizer(store, ontology, vocabulary),
        model(make_model(vocabulary)),
        config(model.config()) {}

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
};

// Records (those of the other reference are the MIMIC-IV demo) with a dictionary fitted to them and
// a small model of fresh weights.
struct Demo : LiveModel {
  explicit Demo(int64_t attention_width = 100)
      : LiveModel(is_own_reference() ? reference_path("motor/g60/meds")
                                     : shared_path("data/mimic4_demo_meds"),
                  read_ontology, fit, [&](const Vocabulary& fitted) {
                    return Motor(model_config(fitted, attention_width), 7, at::kCPU,
                                 Precision::fp32);
                  }) {
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

 private:
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
    options.vocab_size = 3'000;
    options.num_numeric = 100;
    options.bins_per_code = 4;
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

// What answers may differ from those of another way of computing them.
inline constexpr double kLiveTolerance = 1e-5;

// A record's answers from an embedder, in calls of `step` events.
inline LiveAnswers send(Embedder& embedder, const LiveRecord& record, size_t begin, size_t end,
                        size_t step) {
  LiveAnswers answers(record.events.size(), embedder.config().encoder.hidden_size);
  for (size_t i = begin; i < end; i += step) {
    const size_t size = std::min(step, end - i);
    embedder.add(std::span(record.events).subspan(i, size), answers.output(i));
  }
  return answers;
}

// Events of many patients, each in order, shuffled together.
struct Crowd {
  std::vector<LiveRecord> records;
  std::vector<LiveEvent> events;
  std::vector<std::pair<size_t, size_t>> sources;  // (record, event) of each

  Crowd(const LiveModel& demo, size_t num_patients, size_t most_events) {
    for (const Subject& subject : demo.subjects(num_patients))
      records.emplace_back(demo.store, subject);
    std::vector<size_t> next(records.size(), 0);
    Random random(3);
    for (size_t left = records.size(); left > 0;) {
      const size_t r = random.below(records.size());
      const size_t end = std::min(most_events, records[r].events.size());
      if (next[r] == end) continue;
      events.push_back(records[r].events[next[r]]);
      sources.emplace_back(r, next[r]);
      if (++next[r] == end) --left;
    }
  }
};

}  // namespace sequela
