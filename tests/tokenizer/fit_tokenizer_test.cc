#include "sequela/tokenizer/fit_tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sequela/core/error.h"
#include "sequela/tokenizer/statistics.h"
#include "tests/support/bad_inputs.h"
#include "tests/tokenizer/cohort.h"

namespace sequela {
namespace {

using Type = VocabularyEntry::Type;

Vocabulary fit(const Cohort& cohort, TokenizerOptions options = {}) {
  return fit_tokenizer(cohort.store, cohort.ontology, cohort.sides, options);
}

std::string bytes_of(const Vocabulary& vocabulary) {
  TestFolder folder;
  vocabulary.write(folder / "dictionary.msgpack");
  return read_file(folder / "dictionary.msgpack");
}

const VocabularyEntry* find(const Vocabulary& vocabulary, const std::string& text) {
  for (const VocabularyEntry& entry : vocabulary.entries) {
    if (entry.code_string == text || entry.text_string == text) return &entry;
  }
  return nullptr;
}

double entropy(double share) {
  return share * std::log(share) + (1 - share) * std::log(1 - share);
}

void expect_sane(const Vocabulary& vocabulary) {
  const AgeStats& ages = vocabulary.age_stats;
  for (const MeanStd& stats : {ages.age, ages.log_age, ages.delta, ages.log_delta}) {
    EXPECT_TRUE(std::isfinite(stats.mean));
    EXPECT_TRUE(std::isfinite(stats.std));
    EXPECT_GE(stats.mean, 0);
    EXPECT_GT(stats.std, 0);
  }
  for (const VocabularyEntry& entry : vocabulary.entries) {
    EXPECT_LT(entry.weight, 0);
    EXPECT_FALSE(std::isnan(entry.val_start) || std::isnan(entry.val_end));
    EXPECT_TRUE(entry.type != Type::numeric || entry.val_start < entry.val_end);
  }
}

TEST(FitTokenizer, GivesTheSameBytesForAnyNumberOfThreads) {
  for (const Cohort& cohort : {g60(), tutorial(), cohort_of_chunks()}) {
    TokenizerOptions options;
    options.reservoir_size = 100;  // full, so that sampling is tested too
    options.bins_per_code = 10;
    const std::string expected = bytes_of(fit(cohort, options));
    for (int num_threads : {2, 5}) {
      options.num_threads = num_threads;
      EXPECT_EQ(bytes_of(fit(cohort, options)), expected) << num_threads << " threads";
    }
  }
}

// x has 1 to 8 in two of four subjects, y always the same number, z numbers that are none.
TEST(FitTokenizer, GivesCodesBinsOfTheirOwn) {
  std::vector<TestEvent> events;
  for (int64_t subject = 1; subject <= 4; ++subject) {
    events.push_back({subject, 0, "MEDS_BIRTH"});
    for (int i = 0; i < 4; ++i) {
      if (subject <= 2) events.push_back({subject, 1.0 + i, "x", 4.0f * (subject - 1) + i + 1});
      events.push_back({subject, 1.0 + i, "y", 3.0f});
      events.push_back({subject, 1.0 + i, "z", i == 0 ? NAN : INFINITY});
    }
  }
  const Cohort cohort = cohort_of_events(events);
  TokenizerOptions options;
  const auto own_bins = [&] {
    std::vector<VocabularyEntry> bins;
    for (const VocabularyEntry& entry : fit(cohort, options).entries) {
      if (entry.type == Type::numeric && !entry.code_string.empty()) bins.push_back(entry);
    }
    return bins;
  };
  EXPECT_TRUE(own_bins().empty());
  options.bins_per_code = 2;
  const std::vector<VocabularyEntry> bins = own_bins();
  ASSERT_EQ(bins.size(), 2u);
  for (const VocabularyEntry& bin : bins) {
    EXPECT_EQ(bin.code_string, "x");
    EXPECT_EQ(bin.property, "numeric_value");
    EXPECT_DOUBLE_EQ(bin.weight, entropy(2 / (2 * 4.0)));
  }
  EXPECT_EQ(bins[0].val_start, -INFINITY);
  EXPECT_EQ(bins[0].val_end, 4.5);
  EXPECT_EQ(bins[1].val_start, 4.5);
  EXPECT_EQ(bins[1].val_end, INFINITY);
}

// Also the first and the last of the store's codes.
TEST(FitTokenizer, EveryCodeMayHaveBinsOfItsOwn) {
  std::vector<TestEvent> events;
  for (int64_t subject = 1; subject <= 2; ++subject) {
    events.push_back({subject, 0, "MEDS_BIRTH"});
    for (const float day : {1.0f, 2.0f}) {
      if (subject == 2) continue;
      for (const char* code : {"A", "z"}) events.push_back({subject, day, code, day});
    }
  }
  TokenizerOptions options;
  options.bins_per_code = 2;
  std::map<std::string, int> bins;
  for (const VocabularyEntry& entry : fit(cohort_of_events(events), options).entries) {
    if (entry.type == Type::numeric) ++bins[entry.code_string];
  }
  EXPECT_EQ(bins["A"], 2);
  EXPECT_EQ(bins["z"], 2);
}

TEST(FitTokenizer, WeighsACodeAgainstItsParents) {
  // a occurs in all four subjects, its child b in two, b's child c in one.
  const Cohort cohort = cohort_of_events({{1, 0, "MEDS_BIRTH"},
                                          {1, 1, "c"},
                                          {2, 0, "MEDS_BIRTH"},
                                          {2, 1, "b"},
                                          {3, 0, "MEDS_BIRTH"},
                                          {3, 1, "a"},
                                          {4, 0, "MEDS_BIRTH"},
                                          {4, 1, "a"}},
                                         {{"b", {"a"}}, {"c", {"b"}}});
  const Vocabulary vocabulary = fit(cohort);
  ASSERT_EQ(vocabulary.entries.size(), 3u);
  EXPECT_EQ(find(vocabulary, "a"), nullptr);  // tells nothing
  EXPECT_DOUBLE_EQ(find(vocabulary, "b")->weight, entropy(0.5));
  EXPECT_DOUBLE_EQ(find(vocabulary, "c")->weight, 0.5 * entropy(0.5));
  EXPECT_DOUBLE_EQ(find(vocabulary, "MEDS_BIRTH")->weight, entropy(0.5));
}

TEST(FitTokenizer, TakesTextsByShareOfSubjectsAndNumbersInTextAsNumbers) {
  const Cohort cohort = cohort_of_events({{1, 0, "MEDS_BIRTH"},
                                          {1, 1, "x", std::nullopt, "mild"},
                                          {1, 2, "x", std::nullopt, "mild"},
                                          {2, 0, "MEDS_BIRTH"},
                                          {2, 1, "x", std::nullopt, "3.5"},
                                          {3, 0, "MEDS_BIRTH"},
                                          {3, 1, "x", std::nullopt, "nan"},
                                          {4, 0, "MEDS_BIRTH"},
                                          {4, 1, "x", std::nullopt, "-inf"}});
  const Vocabulary vocabulary = fit(cohort);
  expect_sane(vocabulary);
  const VocabularyEntry* mild = find(vocabulary, "mild");
  ASSERT_NE(mild, nullptr);
  EXPECT_EQ(mild->property, "text_value");
  EXPECT_DOUBLE_EQ(mild->weight, entropy(0.25));
  const auto num_bins =
      std::count_if(vocabulary.entries.begin(), vocabulary.entries.end(),
                    [](const auto& entry) { return entry.type == Type::numeric; });
  EXPECT_EQ(num_bins, 1);  // one value has no inner edge
  EXPECT_EQ(find(vocabulary, "nan"), nullptr);
  EXPECT_EQ(find(vocabulary, "-inf"), nullptr);
}

TEST(FitTokenizer, SharesBinsOverPropertiesByTheirNumbers) {
  std::vector<TestEvent> events = {{1, 0, "MEDS_BIRTH"}};
  for (int i = 0; i < 300; ++i) events.push_back({1, 1.0 + i, "x", static_cast<float>(i)});
  for (int i = 0; i < 100; ++i) {
    events.push_back({1, 400.0 + i, "x", std::nullopt, std::to_string(i)});
  }
  TokenizerOptions options;
  options.num_numeric = 40;
  const Vocabulary vocabulary = fit(cohort_of_events(events), options);
  int num_numbers = 0, num_texts = 0;
  for (const VocabularyEntry& entry : vocabulary.entries) {
    if (entry.type != Type::numeric) continue;
    ++(entry.property == "numeric_value" ? num_numbers : num_texts);
  }
  EXPECT_EQ(num_numbers, 30);
  EXPECT_EQ(num_texts, 10);
}

TEST(FitTokenizer, LeavesOutSubjectsWithoutBirth) {
  const Cohort cohort =
      cohort_of_events({{1, 0, "MEDS_BIRTH"}, {1, 1, "a"}, {2, 0, "MEDS_BIRTH"}, {3, 1, "b"}});
  const Vocabulary vocabulary = fit(cohort);
  EXPECT_EQ(find(vocabulary, "b"), nullptr);
  EXPECT_DOUBLE_EQ(find(vocabulary, "a")->weight, entropy(0.5));
}

TEST(FitTokenizer, StaysFiniteOnBadValuesAndTimes) {
  BadInputs inputs;
  for (const char* name : {"06_meds_events_before_birth", "07_meds_duplicate_births",
                           "08_meds_far_future", "09_meds_nan_inf_values"}) {
    SCOPED_TRACE(name);
    expect_sane(fit(cohort_of_meds(inputs.path(name))));
  }
}

TEST(FitTokenizer, LeavesOutNumbersThatAreNotFinite) {
  const float inf = INFINITY;
  const Cohort cohort = cohort_of_events({{1, 0, "MEDS_BIRTH"},
                                          {1, 1, "x", NAN},
                                          {1, 2, "x", inf},
                                          {1, 3, "x", -inf},
                                          {1, 4, "x", 2.0f}});
  const auto statistics = collect_statistics(cohort.store, cohort.ontology, cohort.sides, {});
  EXPECT_EQ(statistics.properties[0].samples, std::vector<float>{2.0f});
  EXPECT_EQ(static_cast<int64_t>(statistics.properties[0].numeric_count), 5);
}

TEST(FitTokenizer, GivesAnEmptyDictionaryWithoutSubjects) {
  Cohort no_births = cohort_of_events({{1, 0, "a", 1.0f}, {2, 1, "b", std::nullopt, "mild"}});
  const Vocabulary vocabulary = fit(no_births);
  EXPECT_TRUE(vocabulary.entries.empty());
  expect_sane(vocabulary);

  Cohort no_train = cohort_of_events({{1, 0, "MEDS_BIRTH"}, {1, 1, "a", 1.0f}});
  no_train.sides = {Side::validation};
  TokenizerOptions options;
  options.fit_on_train_only = true;
  EXPECT_TRUE(fit(no_train, options).entries.empty());
  EXPECT_FALSE(fit(no_train).entries.empty());
}

TEST(FitTokenizer, RefusesOptionsOutOfRange) {
  TokenizerOptions options;
  options.vocab_size = 0;
  EXPECT_THROW(options.validate(), ConfigError);
  options = {};
  options.min_fraction = NAN;
  EXPECT_THROW(options.validate(), ConfigError);
}

}  // namespace
}  // namespace sequela
