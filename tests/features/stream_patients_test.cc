// What a constant-state embedder keeps of its patients, and which events it takes of them.
#include "sequela/features/stream_embedder.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "sequela/core/error.h"
#include "tests/features/live_records.h"

namespace sequela {
namespace {

TEST(StreamEmbedder, SpillsWhatMemoryDoesNotHold) {
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
    ASSERT_LT(difference(answers.row(i), expected.row(i), answers.width), kLiveTolerance);
  EXPECT_TRUE(std::filesystem::is_empty(narrow.patients.spill_folder));

  narrow.patients.spill_folder.clear();
  EXPECT_THROW(answers_of(narrow), ResourceError);
}

TEST(StreamEmbedder, KeepsRoundedKeysInHalfTheMemory) {
  Demo demo;
  const Subject subject = demo.subjects(4)[3];  // of a long record
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

}  // namespace
}  // namespace sequela
