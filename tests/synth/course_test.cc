#include "sequela/synth/course.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace sequela {
namespace {

// Share of (positive, negative) pairs that the score orders right; ties count half.
double auroc(std::vector<std::pair<double, bool>> scored) {
  std::sort(scored.begin(), scored.end());
  double num_below = 0, num_pairs_right = 0, num_positive = 0;
  for (const auto& [score, is_positive] : scored) {
    if (is_positive) {
      num_pairs_right += num_below;
      ++num_positive;
    } else {
      ++num_below;
    }
  }
  return num_pairs_right / (num_below * num_positive);
}

struct Scores {
  std::vector<std::pair<double, bool>> by_truth, by_age;
  double sum_probability = 0, sum_variance = 0, num_positive = 0;
};

std::array<Scores, 3> score_cohort(int num_subjects) {
  const SynthVocabulary vocabulary = build_vocabulary();
  std::array<Scores, 3> all;
  SynthRecord record;
  for (int64_t id = 1; id <= num_subjects; ++id) {
    generate_subject(vocabulary, 11, id, record);
    for (const TaskLabel& label : record.labels) {
      Scores& scores = all[static_cast<size_t>(label.task)];
      const double age = static_cast<double>(label.prediction_time_us) -
                         static_cast<double>(to_time_us(record.person.birth));
      scores.by_truth.emplace_back(label.probability, label.value);
      scores.by_age.emplace_back(age, label.value);
      scores.sum_probability += label.probability;
      scores.sum_variance += label.probability * (1 - label.probability);
      scores.num_positive += label.value;
    }
  }
  return all;
}

TEST(SynthCourse, OutcomesFollowTheTruthAndTheTruthBeatsAge) {
  for (const Scores& scores : score_cohort(5000)) {
    const double truth = auroc(scores.by_truth), age = auroc(scores.by_age);
    EXPECT_GT(truth, 0.72);
    EXPECT_LT(truth, 0.96);
    EXPECT_GT(truth, age + 0.12);
  }
}

TEST(SynthCourse, ProbabilitiesAreCalibrated) {
  const auto all = score_cohort(5000);
  for (const SynthTask task : {SynthTask::in_hospital_mortality, SynthTask::readmission_30d}) {
    const Scores& scores = all[static_cast<size_t>(task)];
    const double error = scores.num_positive - scores.sum_probability;
    EXPECT_LT(std::abs(error), 4 * std::sqrt(scores.sum_variance)) << task_name(task);
  }
  // That of an onset does not know what changes within the year.
  const Scores& onset = all[static_cast<size_t>(SynthTask::chronic_onset_1y)];
  EXPECT_NEAR(onset.num_positive / onset.sum_probability, 1, 0.2);
}

TEST(SynthCourse, ASubjectDependsOnSeedAndIdAlone) {
  const SynthVocabulary vocabulary = build_vocabulary();
  SynthRecord first, second;
  generate_subject(vocabulary, 1, 7, first);
  generate_subject(vocabulary, 1, 8, second);
  generate_subject(vocabulary, 1, 7, second);
  ASSERT_EQ(first.events.size(), second.events.size());
  for (size_t i = 0; i < first.events.size(); ++i) {
    EXPECT_EQ(first.events[i].time_us, second.events[i].time_us);
    EXPECT_EQ(first.events[i].code, second.events[i].code);
  }
}

TEST(SynthHazards, StrikeAsOftenAsTheyPromise) {
  constexpr int kPeople = 40'000;
  double expected = 0, variance = 0;
  int num_outbreaks = 0;
  for (int id = 0; id < kPeople; ++id) {
    Random random(hash_key(3, id));
    Person person = draw_person(id, random);
    Hazards hazards(person, random);
    hazards.live_unseen(person.enrolled);
    if (person.has(kDiabetes)) continue;
    // Rates frozen: the sum of one disease's two stages within a year.
    const double probability = hazards.outbreak_probability(kDiabetes, 365);
    expected += probability;
    variance += probability * (1 - probability);
    double left = 365;
    while (left > 0 && !person.has(kDiabetes)) {
      int which = -1;
      const double days = hazards.next_strike(left, which);
      hazards.pass(days);
      left -= days;
      if (which == Hazards::kDeath) break;
      if (which >= 0) hazards.progress(which, person.enrolled + 365 - left);
    }
    num_outbreaks += person.has(kDiabetes);
  }
  EXPECT_NEAR(num_outbreaks, expected, 4 * std::sqrt(variance) + 0.04 * expected);
}

}  // namespace
}  // namespace sequela
