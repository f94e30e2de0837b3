#include "sequela/tokenizer/event_tokenizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/support/npz.h"
#include "tests/tokenizer/cohort.h"

namespace sequela {
namespace {

using Type = VocabularyEntry::Type;
using Bag = std::vector<std::pair<int32_t, float>>;

VocabularyEntry code_entry(const std::string& code) {
  VocabularyEntry entry;
  entry.type = Type::code;
  entry.code_string = code;
  return entry;
}

VocabularyEntry bin_entry(const std::string& property, double start, double end) {
  VocabularyEntry entry;
  entry.type = Type::numeric;
  entry.property = property;
  entry.val_start = start;
  entry.val_end = end;
  return entry;
}

VocabularyEntry text_entry(const std::string& property, const std::string& text) {
  VocabularyEntry entry;
  entry.type = Type::text;
  entry.property = property;
  entry.text_string = text;
  return entry;
}

Bag bag_of(const EventTokenizer& tokenizer, const Subject& subject, int64_t i) {
  std::vector<BagEntry> entries;
  tokenizer.append_bag(subject, i, entries);
  Bag bag;
  for (const BagEntry& entry : entries) bag.emplace_back(entry.token, entry.weight);
  return bag;
}

TEST(EventTokenizer, SharesWeightOverTheClosureAndAddsValues) {
  const Cohort cohort = cohort_of_events({{1, 0, "MEDS_BIRTH"},
                                          {1, 1, "c"},
                                          {1, 2, "c", 1.5f},
                                          {1, 3, "c", 1.0f},
                                          {1, 4, "c", NAN},
                                          {1, 5, "c", INFINITY},
                                          {1, 6, "a", std::nullopt, "mild"},
                                          {1, 7, "a", std::nullopt, "other"},
                                          {1, 8, "a", -7.0f, "mild"}},
                                         {{"b", {"a"}}, {"c", {"b"}}});
  Vocabulary vocabulary;
  vocabulary.entries = {code_entry("c"),
                        bin_entry("numeric_value", 1.5, INFINITY),
                        code_entry("a"),
                        bin_entry("numeric_value", -INFINITY, 1.5),
                        text_entry("text_value", "mild"),
                        code_entry("unknown")};
  const EventTokenizer tokenizer(cohort.store, cohort.ontology, vocabulary);
  const Subject subject = cohort.store.subject(0);
  EXPECT_EQ(bag_of(tokenizer, subject, 0), Bag{});
  EXPECT_EQ(bag_of(tokenizer, subject, 1), (Bag{{0, 0.5f}, {2, 0.5f}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 2), (Bag{{0, 0.5f}, {2, 0.5f}, {1, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 3), (Bag{{0, 0.5f}, {2, 0.5f}, {3, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 4), (Bag{{0, 0.5f}, {2, 0.5f}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 5), (Bag{{0, 0.5f}, {2, 0.5f}, {1, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 6), (Bag{{2, 1}, {4, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 7), (Bag{{2, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 8), (Bag{{2, 1}, {3, 1}, {4, 1}}));
}

// A code's own bins come before the shared ones, whatever the dictionary's order.
TEST(EventTokenizer, TakesTheBinsOfTheCodeWhereItHasSome) {
  const Cohort cohort = cohort_of_events({{1, 0, "MEDS_BIRTH"},
                                          {1, 1, "x", 0.5f},
                                          {1, 2, "x", 7.0f},
                                          {1, 3, "x", NAN},
                                          {1, 4, "y", 0.5f},
                                          {1, 5, "x", std::nullopt, "7"},
                                          {1, 6, "y", std::nullopt, "7"}});
  Vocabulary vocabulary;
  vocabulary.entries = {bin_entry("numeric_value", -INFINITY, INFINITY),
                        bin_entry("numeric_value", 2, INFINITY),
                        bin_entry("numeric_value", -INFINITY, 2),
                        bin_entry("text_value", -INFINITY, INFINITY),
                        bin_entry("numeric_value", 0, 1),
                        text_entry("text_value", "7")};
  for (const int token : {1, 2, 3}) vocabulary.entries[token].code_string = "x";
  vocabulary.entries[4].code_string = "not in the data";
  const EventTokenizer tokenizer(cohort.store, cohort.ontology, vocabulary);
  const Subject subject = cohort.store.subject(0);
  EXPECT_EQ(bag_of(tokenizer, subject, 1), (Bag{{2, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 2), (Bag{{1, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 3), Bag{});
  EXPECT_EQ(bag_of(tokenizer, subject, 4), (Bag{{0, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 5), (Bag{{3, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 6), (Bag{{5, 1}}));
}

// A dictionary that was cut may lack bins; femr then takes the next lower one that is there.
TEST(EventTokenizer, FillsMissingBinsAsFemrDoes) {
  const Cohort cohort = cohort_of_events(
      {{1, 0, "MEDS_BIRTH"}, {1, 1, "x", 0.5f}, {1, 2, "x", 2.5f}, {1, 3, "x", 9.0f}});
  Vocabulary vocabulary;
  vocabulary.entries = {bin_entry("numeric_value", 1, 2), bin_entry("numeric_value", 3, INFINITY)};
  const EventTokenizer tokenizer(cohort.store, cohort.ontology, vocabulary);
  const Subject subject = cohort.store.subject(0);
  EXPECT_EQ(bag_of(tokenizer, subject, 1), (Bag{{0, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 2), (Bag{{0, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 3), (Bag{{1, 1}}));
}

TEST(EventTokenizer, FlatTakesOneTokenByKindOfValue) {
  const Cohort cohort = cohort_of_events({{1, 0, "MEDS_BIRTH"},
                                          {1, 1, "x"},
                                          {1, 2, "x", 1.0f},
                                          {1, 3, "x", 5.0f},
                                          {1, 4, "x", std::nullopt, "mild"},
                                          {1, 5, "x", std::nullopt, "other"},
                                          {1, 6, "y"}});
  Vocabulary vocabulary;
  vocabulary.is_hierarchical = false;
  VocabularyEntry bin = bin_entry("", 0, 2), text = text_entry("", "mild");
  bin.code_string = text.code_string = "x";
  vocabulary.entries = {code_entry("x"), bin, text, code_entry("SNOMED/184099003")};
  const EventTokenizer tokenizer(cohort.store, cohort.ontology, vocabulary);
  const Subject subject = cohort.store.subject(0);
  EXPECT_EQ(bag_of(tokenizer, subject, 0), (Bag{{3, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 1), (Bag{{0, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 2), (Bag{{1, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 3), Bag{});
  EXPECT_EQ(bag_of(tokenizer, subject, 4), (Bag{{2, 1}}));
  EXPECT_EQ(bag_of(tokenizer, subject, 5), Bag{});
  EXPECT_EQ(bag_of(tokenizer, subject, 6), Bag{});
}

// Flat tokens of a subject as femr 0.2.3 makes them: each code once a day.
std::vector<int64_t> flat_tokens(const EventTokenizer& tokenizer, const Subject& subject) {
  std::vector<int64_t> tokens;
  std::set<int32_t> seen_today;
  int64_t day = kNoTime;
  std::vector<BagEntry> bag;
  for (int64_t i = 0; i < subject.num_events; ++i) {
    if (day_of(subject.time_us(i)) != day) seen_today.clear();
    day = day_of(subject.time_us(i));
    bag.clear();
    tokenizer.append_bag(subject, i, bag);
    if (!bag.empty() && seen_today.insert(bag[0].token).second) tokens.push_back(bag[0].token);
  }
  return tokens;
}

class FlatTokens : public OnReference {};

TEST_P(FlatTokens, FlatTokensEqualFemr023) {
  const Cohort cohort = tutorial();
  const auto vocabulary = Vocabulary::read(tutorial_path("clmbr_model/dictionary.msgpack"));
  const EventTokenizer tokenizer(cohort.store, cohort.ontology, vocabulary);
  for (const char* name : {"clmbr_model_tpb128_batch_0.npz", "clmbr_model_tpb128_batch_1.npz"}) {
    const NpzFile batch(reference_path(std::string("motor/features/") + name));
    const auto tokens = batch.get<int64_t>("transformer.tokens").values;
    const auto lengths = batch.get<int64_t>("transformer.patient_lengths").values;
    const auto ids = batch.get<int64_t>("patient_ids").values;
    int64_t first = 0;
    for (int64_t length : lengths) {
      const auto index = cohort.store.find_subject(ids[first]);
      ASSERT_TRUE(index.has_value());
      auto expected = flat_tokens(tokenizer, cohort.store.subject(*index));
      ASSERT_GE(static_cast<int64_t>(expected.size()), length);
      expected.resize(length);  // a window ends at its label
      EXPECT_EQ(std::vector<int64_t>(tokens.begin() + first, tokens.begin() + first + length),
                expected)
          << "subject " << ids[first];
      first += length;
    }
  }
}

SEQUELA_ON_REFERENCES(FlatTokens);

}  // namespace
}  // namespace sequela
