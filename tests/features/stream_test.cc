// Constant-state embedding: the same numbers as the batch computation, for every prefix.
#include "sequela/features/stream_embedder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/core/sha256.h"
#include "sequela/io/file.h"
#include "tests/features/live_records.h"
#include "tests/features/tutorial.h"

namespace sequela {
namespace {

constexpr double kTolerance = 1e-5;

// What the batch computation gives after each event of a record: one causal pass over the whole
// record has every prefix's last token among its rows; only token 0 changes while it grows, so
// each state of it is computed on its own.
class Expected {
 public:
  Expected(Demo& demo, const Subject& subject)
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
  Demo& demo_;
  const Subject subject_;
  at::Tensor hidden_TH_;
};

// Compares each event's answer; returns the largest difference.
double compare(Demo& demo, const Subject& subject, const LiveAnswers& answers) {
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

TEST(StreamEmbedder, EqualsTheBatchComputationForEveryPrefixOfTheDemosRecords) {
  SEQUELA_NEED_SHARED();
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
    EXPECT_LT(worst, kTolerance);
    num_events += subject.num_events;
    num_tokens += std::ranges::count(answers.outcomes, EventOutcome::new_token);
    embedder.discharge(subject.id);
  }
  EXPECT_GT(num_tokens, 20'000);
  EXPECT_GT(num_events, num_tokens);
}

// A record's answers from an embedder, in calls of `step` events.
LiveAnswers send(Embedder& embedder, const LiveRecord& record, size_t begin, size_t end,
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

  Crowd(const Demo& demo, size_t num_patients, size_t most_events) {
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

TEST(StreamEmbedder, TakesManyPatientsTogether) {
  SEQUELA_NEED_SHARED();
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
      ASSERT_LT(difference(all.row(e), one.row(crowd.sources[e].second), all.width), kTolerance);
      ASSERT_EQ(all.outcomes[e], one.outcomes[crowd.sources[e].second]);
    }
  }
}

TEST(StreamEmbedder, GivesTheHeadsRates) {
  SEQUELA_NEED_SHARED();
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
    EXPECT_LT((rates[i] - expected_TKC[token]).abs().max().item<double>(), 2 * kTolerance);
  }
  EXPECT_EQ(token + 1, expected_TKC.size(0));
}

TEST(StreamEmbedder, EqualsEmbedOnBundlesOfFemr) {
  SEQUELA_NEED_SHARED();
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
        EXPECT_LT(difference(answers.row(i), expected.row(i), answers.width), kTolerance);
      }
    }
  }
}

TEST(StreamEmbedder, MovesPatientsBetweenEmbeddersAndPrecisions) {
  SEQUELA_NEED_SHARED();
  Demo demo;
  const Subject subject = demo.subjects(1)[0];
  const LiveRecord record(demo.store, subject);
  const size_t end = record.events.size();
  Embedder whole = demo.embedder();
  whole.admit(subject.id, subject.birth_us);
  const LiveAnswers expected = send(whole, record, 0, end, 1);
  for (const size_t cut : {size_t{0}, size_t{1}, size_t{4}, end / 3, end - 1}) {
    SCOPED_TRACE(cut);
    Embedder from = demo.embedder(), to = demo.embedder();
    from.admit(subject.id, subject.birth_us);
    send(from, record, 0, cut, 1);
    from.save(subject.id, demo.folder / "patient.state");
    EXPECT_EQ(to.load(demo.folder / "patient.state"), subject.id);
    const LiveAnswers answers = send(to, record, cut, end, 1);
    for (size_t i = cut; i < end; ++i)
      ASSERT_EQ(difference(answers.row(i), expected.row(i), answers.width), 0);
  }
  EmbedderOptions options;
  options.precision = Precision::bf16;
  Embedder rounded = demo.embedder(options);
  rounded.load(demo.folder / "patient.state");
  const LiveAnswers answers = send(rounded, record, end - 1, end, 1);
  EXPECT_LT(difference(answers.row(end - 1), expected.row(end - 1), answers.width), 0.1);
}

TEST(StreamEmbedder, ContinuesInAnotherProcess) {
  SEQUELA_NEED_SHARED();
  Demo demo;
  const Subject subject = demo.subjects(2)[1];
  const LiveRecord record(demo.store, subject);
  const size_t half = record.events.size() / 2;
  Embedder embedder = demo.embedder();
  embedder.admit(subject.id, subject.birth_us);
  send(embedder, record, 0, half, 1);
  // In this style the other process is the test binary started anew; it comes here too, with the
  // first one's file.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  if (std::getenv("SEQUELA_TEST_STATE") == nullptr) {
    embedder.save(subject.id, demo.folder / "patient.state");
    setenv("SEQUELA_TEST_STATE", (demo.folder / "patient.state").c_str(), 1);
  }
  const std::string path = std::getenv("SEQUELA_TEST_STATE");
  const LiveAnswers expected = send(embedder, record, half, record.events.size(), 1);
  EXPECT_EXIT(
      {
        Embedder continued = demo.embedder();
        continued.load(path);
        const LiveAnswers answers = send(continued, record, half, record.events.size(), 1);
        bool is_equal = true;
        for (size_t i = half; i < record.events.size(); ++i)
          is_equal &= difference(answers.row(i), expected.row(i), answers.width) == 0;
        std::_Exit(is_equal ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
  unsetenv("SEQUELA_TEST_STATE");
}

TEST(StreamEmbedder, SpillsWhatMemoryDoesNotHold) {
  SEQUELA_NEED_SHARED();
  Demo demo;
  const Crowd crowd(demo, 12, 300);
  const auto answers_of = [&](const EmbedderOptions& options) {
    Embedder embedder = demo.embedder(options);
    for (const LiveRecord& record : crowd.records)
      embedder.admit(record.events[0].subject_id, record.birth_us);
    LiveAnswers answers(crowd.events.size(), demo.config.encoder.hidden_size);
    for (size_t i = 0; i < crowd.events.size(); i += 5) {
      const size_t size = std::min<size_t>(5, crowd.events.size() - i);
      embedder.add(std::span(crowd.events).subspan(i, size), answers.output(i));
      EXPECT_LE(embedder.patients().memory_bytes(), options.patients.memory_bytes);
    }
    EXPECT_EQ(embedder.patients().num_patients(), 12);
    if (!options.patients.spill_folder.empty()) {
      EXPECT_LT(embedder.patients().num_in_memory(), 12);
      EXPECT_GT(std::distance(std::filesystem::directory_iterator(options.patients.spill_folder),
                              std::filesystem::directory_iterator()),
                0);
    }
    return answers;
  };
  EmbedderOptions narrow;
  narrow.patients.memory_bytes = 2 * demo.embedder().max_bytes_per_patient() + 1'000;
  narrow.patients.spill_folder = demo.folder / "spilled";
  const LiveAnswers expected = answers_of({}), answers = answers_of(narrow);
  for (size_t i = 0; i < crowd.events.size(); ++i)
    ASSERT_LT(difference(answers.row(i), expected.row(i), answers.width), kTolerance);
  EXPECT_TRUE(std::filesystem::is_empty(narrow.patients.spill_folder));

  narrow.patients.spill_folder.clear();
  EXPECT_THROW(answers_of(narrow), ResourceError);
}

TEST(StreamEmbedder, KeepsRoundedKeysInHalfTheMemory) {
  SEQUELA_NEED_SHARED();
  Demo demo;
  const Subject subject = demo.subjects(1)[0];
  const LiveRecord record(demo.store, subject);
  EmbedderOptions options;
  options.keys = KeyPrecision::bf16;
  Embedder exact = demo.embedder(), rounded = demo.embedder(options);
  EXPECT_LT(rounded.max_bytes_per_patient(), 0.6 * exact.max_bytes_per_patient());
  exact.admit(subject.id, subject.birth_us);
  rounded.admit(subject.id, subject.birth_us);
  const size_t end = record.events.size();
  const LiveAnswers a = send(exact, record, 0, end, 64), b = send(rounded, record, 0, end, 64);
  for (size_t i = 0; i < end; ++i) ASSERT_LT(difference(a.row(i), b.row(i), a.width), 0.05);
}

TEST(StreamEmbedder, RefusesWhatCannotFollow) {
  SEQUELA_NEED_SHARED();
  Demo demo;
  Embedder embedder = demo.embedder();
  embedder.admit(1, 0);
  embedder.admit(2, 0);
  std::vector<float> out(4 * demo.config.encoder.hidden_size);
  const std::string code = demo.store.codes()[0];
  const auto add = [&](std::vector<LiveEvent> events) { embedder.add(events, {out.data()}); };
  EXPECT_THROW(embedder.admit(1, 0), std::invalid_argument);
  EXPECT_THROW(embedder.admit(3, kNoTime), DataError);
  EXPECT_THROW(add({{3, 0, code, {}}}), std::invalid_argument);
  EXPECT_THROW(add({{1, kMaxTimeUs + 1, code, {}}}), DataError);
  // All or nothing: the first event of the call is not taken either.
  EXPECT_THROW(add({{2, 50 * kMicrosPerDay, code, {}}, {1, 9, code, {}}, {1, 8, code, {}}}),
               DataError);
  add({{2, 40 * kMicrosPerDay, code, {}}});
  EXPECT_THROW(add({{2, 39 * kMicrosPerDay, code, {}}}), DataError);
  EXPECT_THROW(add({{2, kNoTime, code, {}}}), DataError);
  embedder.discharge(2);
  EXPECT_THROW(embedder.discharge(2), std::invalid_argument);
  EmbedderOptions options;
  options.patients.memory_bytes = 1'000;
  EXPECT_THROW(demo.embedder(options), ConfigError);
  options = {.events_per_pass = 0};
  EXPECT_THROW(demo.embedder(options), ConfigError);
}

TEST(StreamEmbedder, ComputesABirthBagWithoutEvents) {
  SEQUELA_NEED_SHARED();
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

TEST(StreamState, RefusesDamagedAndForeignFiles) {
  SEQUELA_NEED_SHARED();
  Demo demo(20);
  const Subject subject = demo.subjects(1)[0];
  const LiveRecord record(demo.store, subject);
  Embedder embedder = demo.embedder();
  embedder.admit(subject.id, subject.birth_us);
  send(embedder, record, 0, 60, 20);
  const std::string path = demo.folder / "patient.state", broken = demo.folder / "broken.state";
  embedder.save(subject.id, path);
  EXPECT_THROW(embedder.load(path), std::invalid_argument);  // is live already
  embedder.discharge(subject.id);
  const std::string bytes = read_file(path);

  const auto refuses = [&](const std::string& content) {
    write_file(broken, content);
    EXPECT_THROW(embedder.load(broken), FileError);
  };
  for (const size_t size :
       {size_t{0}, size_t{7}, size_t{111}, size_t{143}, bytes.size() / 2, bytes.size() - 1})
    refuses(bytes.substr(0, size));
  refuses(bytes + "x");
  Random random(1);
  for (size_t i = 0; i < 160; ++i) {  // every byte of the header, then any
    std::string changed = bytes;
    changed[i < 112 ? i : random.below(bytes.size())] ^= static_cast<char>(1 + random.below(255));
    refuses(changed);
  }
  EXPECT_THROW(embedder.load(demo.folder / "none.state"), FileError);

  // Headers that lie under a right checksum.
  for (size_t field = 8; field < 112; field += 4) {
    for (const uint32_t value : {0xffffffffu, 0x7fffffffu, 0x80000000u, 77u}) {
      std::string changed = bytes.substr(0, bytes.size() - sizeof(Digest));
      std::memcpy(changed.data() + field, &value, sizeof(value));
      const Digest digest = sha256(changed.data(), changed.size());
      changed.append(reinterpret_cast<const char*>(digest.data()), digest.size());
      write_file(broken, changed);
      try {  // a subject id or a possible time may be anything; nothing else may pass, or crash
        const int64_t loaded = embedder.load(broken);
        LiveAnswers answers(1, demo.config.encoder.hidden_size);
        LiveEvent next = record.events.back();
        next.subject_id = loaded;
        next.time_us = kMaxTimeUs;
        embedder.add({&next, 1}, answers.output());
        embedder.discharge(loaded);
      } catch (const FileError&) {
      }
    }
  }

  Motor other(demo.config, 8, at::kCPU, Precision::fp32);
  Embedder foreign(demo.config, other.parameters(), demo.vocabulary, demo.ontology, {});
  EXPECT_THROW(foreign.load(path), FileError);
  EmbedderOptions options;
  options.keys = KeyPrecision::bf16;
  EXPECT_THROW(demo.embedder(options).load(path), FileError);
  EXPECT_EQ(embedder.load(path), subject.id);
}

}  // namespace
}  // namespace sequela
