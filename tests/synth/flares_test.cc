#include "sequela/synth/flares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "sequela/core/time.h"

namespace sequela {
namespace {

constexpr int64_t kDay = kMicrosPerDay;

TEST(Flares, AreLikelierAfterAShrinkingGap) {
  const auto at = [](int64_t first, int64_t second, int64_t third) {
    return flare_probability({{{first * kDay}, {second * kDay}, {third * kDay}}});
  };
  EXPECT_GT(at(0, 90, 120), at(0, 60, 120));
  EXPECT_GT(at(0, 60, 120), at(0, 30, 120));
  EXPECT_NEAR(at(0, 60, 120), 1 / (1 + std::exp(1.0)), 1e-12);
  EXPECT_DOUBLE_EQ(at(0, 90, 120), at(0, 900, 1200));  // spacing, not time
}

TEST(Flares, AreLikelierWhereTheLaterOfTwoVisitsWasAcute) {
  const auto with = [](bool first, bool second, bool third) {
    return flare_probability({{{0, first}, {60 * kDay, second}, {120 * kDay, third}}});
  };
  EXPECT_GT(with(false, true, false), with(true, false, false));
  EXPECT_DOUBLE_EQ(with(true, true, false), with(false, false, false));
  EXPECT_DOUBLE_EQ(with(false, true, true), with(false, true, false));
}

TEST(Flares, LeaveTheRestOfTheRecordAsItIs) {
  const SynthVocabulary without = build_vocabulary(), with = build_vocabulary(Flares::yes);
  EXPECT_EQ(without.codes, with.codes);
  SynthRecord plain, flaring;
  size_t num_flares = 0;
  for (int64_t id = 1; id <= 50; ++id) {
    generate_subject(without, 3, id, plain);
    generate_subject(with, 3, id, flaring);
    num_flares += std::erase_if(flaring.events,
                                [&](const SynthEvent& event) { return event.code == with.flare; });
    std::erase_if(flaring.labels,
                  [](const TaskLabel& label) { return label.task == SynthTask::flare_30d; });
    ASSERT_EQ(plain.events.size(), flaring.events.size());
    for (size_t i = 0; i < plain.events.size(); ++i) {
      EXPECT_EQ(plain.events[i].time_us, flaring.events[i].time_us);
      EXPECT_EQ(plain.events[i].code, flaring.events[i].code);
    }
    EXPECT_EQ(plain.labels.size(), flaring.labels.size());
  }
  EXPECT_GT(num_flares, 50u);
}

TEST(Flares, FollowTheirLabelsAndTheirProbabilities) {
  const SynthVocabulary vocabulary = build_vocabulary(Flares::yes);
  SynthRecord record;
  double num_labels = 0, num_flares = 0, expected = 0, variance = 0;
  for (int64_t id = 1; id <= 500; ++id) {
    generate_subject(vocabulary, 3, id, record);
    EXPECT_TRUE(std::ranges::is_sorted(record.events, {}, &SynthEvent::time_us));
    std::vector<int64_t> flares;
    for (const SynthEvent& event : record.events) {
      if (event.code == vocabulary.flare) flares.push_back(event.time_us);
    }
    size_t num_answered = 0;
    int64_t last_us = kNoTime;
    for (const TaskLabel& label : record.labels) {
      if (label.task != SynthTask::flare_30d) continue;
      const int64_t time_us = label.prediction_time_us;
      const auto in_window = std::ranges::count_if(
          flares, [&](int64_t at) { return at > time_us && at <= time_us + 30 * kDay; });
      EXPECT_EQ(in_window, label.value ? 1 : 0);
      num_answered += in_window;
      EXPECT_TRUE(last_us == kNoTime || time_us >= last_us + 30 * kDay);
      last_us = time_us;
      ++num_labels;
      num_flares += label.value;
      expected += label.probability;
      variance += label.probability * (1 - label.probability);
    }
    EXPECT_EQ(num_answered, flares.size());
  }
  EXPECT_GT(num_labels, 1000);
  EXPECT_LT(std::abs(num_flares - expected), 4 * std::sqrt(variance));
}

}  // namespace
}  // namespace sequela
