// Constant-state embedding: the same numbers as the batch computation, for every prefix.
#include "sequela/features/stream_embedder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/model/model_dir.h"
#include "tests/features/live_records.h"
#include "tests/features/tutorial.h"

namespace sequela {
namespace {

// What the batch computation gives after each event of a record: one causal pass over the whole
// record has every prefix's last token among its rows; only token 0 changes while it grows, so
// each state of it is computed on its own.
class Expected {
 public:
  Expected(LiveModel& demo, const Subject& subject)
      : demo_(demo),
        subject_(subject),
        hidden_TH_(demo.model.encode(demo.inputs(subject, subject.num_events))) {}

  int64_t num_tokens() const { return hidden_TH_.size(0); }
  const float* row(int64_t token) const {
    return hidden_TH_.const_data_ptr<float>() + token * hidden_TH_.size(1);
  }
  at::Tensor birth_bag(int64_t num_events) {
    return demo_.model.encode(demo_.inputs(subject_, num_events));
  }

 private:
  LiveModel& demo_;
  const Subject subject_;
  at::Tensor hidden_TH_;
};

// Compares each event's answer; returns the largest difference.
double compare(LiveModel& demo, const Subject& subject, const LiveAnswers& answers) {
  Expected expected(demo, subject);
  double worst = 0;
  int64_t token = -1;
  for (int64_t i = 0; i < subject.num_events; ++i) {
    const bool is_birth_bag = subject.time_us(i) < (day_of(subject.birth_us) + 1) * kMicrosPerDay;
    EXPECT_EQ(answers.outcomes[i] == EventOutcome::new_token && is_birth_bag, false);
    if (answers.outcomes[i] == EventOutcome::new_token) token = std::max<int64_t>(token, 0) + 1;
    const at::Tensor bag = is_birth_bag ? expected.birth_bag(i + 1) : at::Tensor();
    EXPECT_EQ(bag.defined() ? bag.size(0) : 1, 1);
    const float* row =
        is_birth_bag ? bag.const_data_ptr<float>() : expected.row(std::max<int64_t>(token, 0));
    worst = std::max(worst, difference(answers.row(i), row, answers.width));
  }
  EXPECT_EQ(token + 1, expected.num_tokens());
  return worst;
}

class StreamOnRecords : public OnReference {};

TEST_P(StreamOnRecords, EqualsTheBatchComputationForEveryPrefixOfTheDemosRecords) {
  Demo demo;
  Embedder embedder = demo.embedder();
  int64_t num_events = 0, num_tokens = 0;
  for (const Subject& subject : demo.subjects(20)) {
    const LiveRecord record(demo.store, subject);
    LiveAnswers answers(record.events.size(), demo.config.encoder.hidden_size);
    embedder.admit(subject.id, subject.birth_us);
    // One by one first, then in ever larger calls.
    for (size_t i = 0; i < record.events.size();) {
      const size_t size = std::min(record.events.size() - i, std::max<size_t>(1, i / 50));
      embedder.add(std::span(record.events).subspan(i, size), answers.output(i));
      i += size;
    }
    const double worst = compare(demo, subject, answers);
    EXPECT_LT(worst, kLiveTolerance);
    num_events += subject.num_events;
    num_tokens += std::ranges::count(answers.outcomes, EventOutcome::new_token);
    embedder.discharge(subject.id);
  }
  EXPECT_GT(num_tokens, is_own_reference() ? 1'000 : 20'000);
  EXPECT_GT(num_events, num_tokens);
}

// femr's model after a hundred training steps on the records of g60, with their dictionary and
// ontology: weights on the squared times as training makes them.
struct TrainedModel : LiveModel {
  TrainedModel() : LiveModel(g60("meds"), read_ontology, read_vocabulary, read_model) {}

 private:
  static std::string g60(const std::string& name) { return reference_path("motor/g60/" + name); }
  static Ontology read_ontology(const EventStore& store) {
    std::set<std::string> missing(store.codes().begin(), store.codes().end());
    std::vector<Ontology::Node> nodes;
    const Json parents = parse_json(read_file(g60("ontology_parents.json")), "ontology");
    for (const auto& [code, codes] : parents["parents"].items()) {
      nodes.push_back({.code = code, .parents = codes.get<std::vector<std::string>>()});
      missing.erase(code);
    }
    for (const std::string& code : missing) nodes.push_back({.code = code});
    return Ontology::build(std::move(nodes));
  }
  static Vocabulary read_vocabulary(const EventStore&, const Ontology&) {
    return Vocabulary::read(g60("tokenizer/dictionary.msgpack"));
  }
  static Motor read_model(const Vocabulary& vocabulary) {
    TestFolder bundle;
    const std::string from = reference_path("motor/model_main/");
    std::filesystem::copy(from + "config.json", bundle / "config.json");
    std::filesystem::copy(from + "weights_after_100.safetensors", bundle / "model.safetensors");
    std::filesystem::copy(g60("tokenizer/dictionary.msgpack"), bundle / "dictionary.msgpack");
    Motor model = open_bundle(bundle.path(), at::kCPU, Precision::fp32);
    EXPECT_EQ(model.config().encoder.vocab_size, static_cast<int64_t>(vocabulary.entries.size()));
    return model;
  }
};

TEST_P(StreamOnRecords, EqualsTheBatchComputationOfATrainedModel) {
  TrainedModel trained;
  Embedder embedder = trained.embedder();
  int64_t num_tokens = 0;
  for (const Subject& subject : trained.subjects(20)) {
    const LiveRecord record(trained.store, subject);
    embedder.admit(subject.id, subject.birth_us);
    const LiveAnswers answers = send(embedder, record, 0, record.events.size(), 3);
    EXPECT_LT(compare(trained, subject, answers), kLiveTolerance);
    num_tokens += std::ranges::count(answers.outcomes, EventOutcome::new_token);
  }
  EXPECT_GT(num_tokens, is_own_reference() ? 500 : 1'000);
}

TEST(StreamEmbedder, TakesManyPatientsTogether) {
  Demo demo;
  const Crowd crowd(demo, 12, 700);
  Embedder together = demo.embedder();
  for (const LiveRecord& record : crowd.records)
    together.admit(record.events[0].subject_id, record.birth_us);
  LiveAnswers all(crowd.events.size(), demo.config.encoder.hidden_size);
  together.add(crowd.events, all.output());

  Embedder alone = demo.embedder();
  for (size_t r = 0; r < crowd.records.size(); ++r) {
    const LiveRecord& record = crowd.records[r];
    alone.admit(record.events[0].subject_id, record.birth_us);
    const LiveAnswers one = send(alone, record, 0, std::min<size_t>(700, record.events.size()), 9);
    for (size_t e = 0; e < crowd.events.size(); ++e) {
      if (crowd.sources[e].first != r) continue;
      ASSERT_LT(difference(all.row(e), one.row(crowd.sources[e].second), all.width),
                kLiveTolerance);
      ASSERT_EQ(all.outcomes[e], one.outcomes[crowd.sources[e].second]);
    }
  }
}

TEST(StreamEmbedder, GivesTheHeadsRates) {
  Demo demo;
  const Subject subject = demo.subjects(1)[0];
  const LiveRecord record(demo.store, subject);
  const auto n = std::min<int64_t>(400, subject.num_events);
  BatchInputs inputs = demo.inputs(subject, n);
  inputs.label_indices_L = at::arange(inputs.ages_days_T.size(0), at::kInt);
  const at::Tensor expected_TKC = demo.model.logits(inputs);

  Embedder embedder = demo.embedder();
  embedder.admit(subject.id, subject.birth_us);
  LiveAnswers answers(n, demo.config.encoder.hidden_size);
  const at::Tensor rates = at::empty({n, 3, 11});
  EmbedderOutput output = answers.output();
  output.log2_rates_nKC = rates.data_ptr<float>();
  embedder.add(std::span(record.events).first(n), output);
  int64_t token = 0;
  for (int64_t i = 0; i < n; ++i) {
    token += answers.outcomes[i] == EventOutcome::new_token ? 1 : 0;
    if (token == 0) continue;
    EXPECT_LT((rates[i] - expected_TKC[token]).abs().max().item<double>(), 2 * kLiveTolerance);
  }
  EXPECT_EQ(token + 1, expected_TKC.size(0));
}

TEST_P(StreamOnRecords, EqualsEmbedOnBundlesOfFemr) {
  for (const char* bundle : {"motor_model", "clmbr_model"}) {  // flat dictionaries
    SCOPED_TRACE(bundle);
    Tutorial tutorial(bundle);
    EmbedderOptions options;
    options.patients.memory_bytes = int64_t{64} << 20;
    Embedder embedder = Embedder::open(Tutorial::path(bundle), tutorial.ontology, options);
    for (int64_t s = 0; s < 30; ++s) {
      const Subject subject = tutorial.store.subject(s);
      if (subject.birth_us == kNoTime) continue;
      const LiveRecord record(tutorial.store, subject);
      std::vector<Label> labels;
      for (const LiveEvent& event : record.events)
        labels.push_back({subject.id, std::max(event.time_us, subject.birth_us)});
      const Embedded expected = tutorial.embed(labels, 8'192);
      embedder.admit(subject.id, subject.birth_us);
      const LiveAnswers answers = send(embedder, record, 0, record.events.size(), 5);
      for (size_t i = 0; i < labels.size(); ++i) {
        // A label sees all events of its time, an answer those that came so far.
        const bool is_last =
            i + 1 == labels.size() || record.events[i + 1].time_us > labels[i].prediction_time_us;
        if (!is_last || expected.states[i] != LabelState::embedded) continue;
        EXPECT_LT(difference(answers.row(i), expected.row(i), answers.width), kLiveTolerance);
      }
    }
  }
}

TEST(StreamEmbedder, ComputesABirthBagWithoutEvents) {
  Demo demo;
  Embedder embedder = demo.embedder();
  embedder.admit(1, 0);
  std::vector<float> out(2 * demo.config.encoder.hidden_size);
  EventOutcome outcomes[2];
  const std::string code = demo.store.codes()[0];
  const std::vector<LiveEvent> events = {{1, 9 * kMicrosPerDay, "a code that nobody knows", {}},
                                         {1, 9 * kMicrosPerDay + 5, code, {}}};
  embedder.add(events, {out.data(), nullptr, outcomes});
  EXPECT_EQ(outcomes[0], EventOutcome::nothing_new);
  EXPECT_EQ(outcomes[1], EventOutcome::new_token);
  EXPECT_FALSE(std::isnan(out[0]));
  EXPECT_GT(difference(out.data(), out.data() + demo.config.encoder.hidden_size, 64), 1e-3);
}

SEQUELA_ON_REFERENCES(StreamOnRecords);

}  // namespace
}  // namespace sequela
