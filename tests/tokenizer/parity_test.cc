// Fits on the train part of femr's fixtures and compares with what femr learned there.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "sequela/core/error.h"
#include "sequela/tokenizer/fit_tokenizer.h"
#include "sequela/tokenizer/statistics.h"
#include "tests/tokenizer/cohort.h"

namespace sequela {
namespace {

constexpr double kTolerance = 1e-6;

void expect_near(double actual, double expected) {
  EXPECT_LE(std::abs(actual - expected), kTolerance * std::abs(expected))
      << actual << " is not " << expected;
}

void expect_near(const MeanStd& actual, const MeanStd& expected) {
  expect_near(actual.mean, expected.mean);
  expect_near(actual.std, expected.std);
}

std::string name_of(const VocabularyEntry& entry) {
  if (entry.type == VocabularyEntry::Type::code) return "code " + entry.code_string;
  if (entry.type == VocabularyEntry::Type::text) {
    return "text " + entry.property + " " + entry.text_string;
  }
  return str("numeric ", entry.property, " ", entry.val_start, " ", entry.val_end);
}

// End of the run of entries from `first` on whose weights are equal but for rounding.
size_t tie_end(const std::vector<VocabularyEntry>& entries, size_t first) {
  size_t end = first;
  while (end < entries.size() && std::abs(entries[end].weight - entries[first].weight) <=
                                     1e-9 * std::abs(entries[first].weight)) {
    ++end;
  }
  return end;
}

// The same entries in the same order; within a tie as sets, and in the tie at the cut any of them.
void expect_same_entries(const Vocabulary& actual, const Vocabulary& expected) {
  ASSERT_EQ(actual.entries.size(), expected.entries.size());
  for (size_t i = 0; i < actual.entries.size(); ++i) {
    expect_near(actual.entries[i].weight, expected.entries[i].weight);
  }
  for (size_t first = 0; first < expected.entries.size();) {
    const size_t end = tie_end(expected.entries, first);
    if (end == expected.entries.size()) break;
    std::set<std::string> actual_names, expected_names;
    for (size_t i = first; i < end; ++i) {
      actual_names.insert(name_of(actual.entries[i]));
      expected_names.insert(name_of(expected.entries[i]));
    }
    EXPECT_EQ(actual_names, expected_names) << "entries " << first << " to " << end;
    first = end;
  }
}

Vocabulary fit(const Cohort& cohort, const std::string& name) {
  const Json settings = parity_settings(name);
  TokenizerOptions options;
  options.vocab_size = settings.at("vocab").get<int32_t>();
  options.num_numeric = settings.value("num_numeric", name == "g60" ? 100 : 1'000);
  options.min_fraction = settings.at("min_fraction").get<double>();
  options.fit_on_train_only = true;
  return fit_tokenizer(cohort.store, cohort.ontology, cohort.sides, options);
}

void expect_parity(const Vocabulary& actual, const std::string& name) {
  const Vocabulary expected =
      Vocabulary::read(reference_path("motor/" + name + "/tokenizer/dictionary.msgpack"));
  expect_same_entries(actual, expected);
  expect_near(actual.age_stats.age, expected.age_stats.age);
  expect_near(actual.age_stats.log_age, expected.age_stats.log_age);
  expect_near(actual.age_stats.delta, expected.age_stats.delta);
  expect_near(actual.age_stats.log_delta, expected.age_stats.log_delta);
}

class TokenizerParity : public OnReference {};

TEST_P(TokenizerParity, G60Dictionary) {
  expect_parity(fit(g60(), "g60"), "g60");
}

TEST_P(TokenizerParity, TutorialDictionary) {
  expect_parity(fit(tutorial(), "tutorial"), "tutorial");
}

// Bins equal to the last bit, since their edges decide which token a value becomes.
TEST_P(TokenizerParity, BinEdgesAreExact) {
  const Vocabulary actual = fit(g60(), "g60");
  const Vocabulary expected =
      Vocabulary::read(reference_path("motor/g60/tokenizer/dictionary.msgpack"));
  std::set<std::pair<double, double>> actual_bins, expected_bins;
  for (const auto& entry : actual.entries) {
    if (entry.type == VocabularyEntry::Type::numeric)
      actual_bins.insert({entry.val_start, entry.val_end});
  }
  for (const auto& entry : expected.entries) {
    if (entry.type == VocabularyEntry::Type::numeric) {
      expected_bins.insert({entry.val_start, entry.val_end});
    }
  }
  EXPECT_EQ(actual_bins, expected_bins);
  EXPECT_GE(expected_bins.size(), 60u);
}

void expect_same_statistics(const Cohort& cohort, const std::string& name) {
  const std::string path = reference_path("motor/" + name + "/tokenizer_statistics.json");
  const Json expected = parse_json(read_file(path), path);
  TokenizerOptions options;
  options.fit_on_train_only = true;
  const auto statistics = collect_statistics(cohort.store, cohort.ontology, cohort.sides, options);
  size_t num_codes = 0;
  for (int32_t node = 0; node < cohort.ontology.num_nodes(); ++node) {
    const int64_t count = statistics.node_subjects[node];
    if (count == 0) continue;
    ++num_codes;
    const std::string& code = cohort.ontology.code(node);
    ASSERT_TRUE(expected["code_counts"].contains(code)) << code;
    expect_near(static_cast<double>(count) / static_cast<double>(statistics.num_subjects),
                expected["code_counts"][code].get<double>());
  }
  EXPECT_EQ(num_codes, expected["code_counts"].size());
  const Json& numeric = expected["properties"]["numeric_value"];
  auto samples = numeric["numeric_samples"].get<std::vector<double>>();
  std::sort(samples.begin(), samples.end());
  const PropertyStatistics& values = statistics.properties[0];
  EXPECT_EQ(std::vector<double>(values.samples.begin(), values.samples.end()), samples);
  // femr counts each number times the subjects too; a factor that all properties share.
  expect_near(
      static_cast<double>(values.numeric_count) * static_cast<double>(statistics.num_subjects),
      numeric["numeric_count"].get<double>());
}

TEST_P(TokenizerParity, G60Statistics) {
  expect_same_statistics(g60(), "g60");
}

TEST_P(TokenizerParity, TutorialStatistics) {
  expect_same_statistics(tutorial(), "tutorial");
}

SEQUELA_ON_REFERENCES(TokenizerParity);

}  // namespace
}  // namespace sequela
