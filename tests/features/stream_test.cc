// Constant-state embedding: the same numbers as the batch computation, for every prefix.
#include "sequela/features/stream_embedder.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
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

}  // namespace
}  // namespace sequela
