// Sequences of older bundles with a flat dictionary (CLMBR), against femr 0.2.3's batches.

#include <gtest/gtest.h>

#include <map>

#include "sequela/batch/builder.h"
#include "sequela/batch/half.h"
#include "sequela/meds/labels.h"
#include "tests/batch/fixture.h"
#include "tests/support/npz.h"

namespace sequela {
namespace {

class FlatSequence : public OnReference {};

TEST_P(FlatSequence, EqualsFemrs) {
  const EventStore store = MotorFixture::ingest_and_open("clmbr", tutorial_path("meds"));
  const Vocabulary vocabulary = Vocabulary::read(tutorial_path("clmbr_model/dictionary.msgpack"));
  std::vector<Ontology::Node> nodes;
  for (const std::string& code : store.codes()) nodes.push_back({code});
  const EventTokenizer tokenizer(store, Ontology::build(nodes), vocabulary);
  SequenceBuilder sequences(store, tokenizer);
  const BatchBuilder builder(vocabulary.age_stats, FirstTimestamp::birth);

  std::map<int64_t, int64_t> prediction_times_us;
  for (const Label& label : read_labels(tutorial_path("labels.parquet"))) {
    prediction_times_us[label.subject_id] = label.prediction_time_us;
  }
  for (int b = 0; b < 2; ++b) {
    const NpzFile file(reference_path(str("motor/features/clmbr_model_tpb128_batch_", b, ".npz")));
    const auto lengths = file.get<int64_t>("transformer.patient_lengths").values;
    const auto ids = file.get<int64_t>("patient_ids").values;
    BatchArrays batch;
    int64_t token = 0;
    for (const int64_t length : lengths) {
      Sequence sequence;
      const int64_t subject = store.find_subject(ids[token]).value();
      ASSERT_TRUE(sequences.build(store.subject(subject), sequence));
      const auto at = token_at(sequence, prediction_times_us.at(ids[token]));
      ASSERT_TRUE(at.has_value());
      const int32_t tokens[1] = {*at};
      const ExactWindows plan = plan_exact_windows(subject, tokens, 64);
      ASSERT_EQ(plan.windows.size(), 1u);
      EXPECT_EQ(plan.windows[0].length, length);
      builder.append(sequence, plan.windows[0], tokens, batch);
      token += length;
    }
    const auto expect_same = [](const auto& found, const auto& expected) {
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], expected[i]) << i;
    };
    expect_same(batch.token_ids, file.get<int64_t>("transformer.tokens").values);
    expect_same(batch.ages_days, file.get<float>("transformer.ages").values);
    expect_same(batch.timestamps, file.get<int64_t>("transformer.timestamps").values);
    expect_same(batch.label_indices, file.get<int64_t>("transformer.label_indices").values);
    const auto normalized = file.get<float>("transformer.normalized_ages").values;
    for (size_t t = 0; t < normalized.size(); ++t) {
      EXPECT_EQ(from_half(batch.time_data[t * 5 + 1]), normalized[t]);
    }
  }
}

SEQUELA_ON_REFERENCES(FlatSequence);

}  // namespace
}  // namespace sequela
