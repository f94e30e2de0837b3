// Predicates and labels beyond ACES's.

#include <gtest/gtest.h>

#include "tests/label/support.h"

namespace sequela {
namespace {

// Counts a predicate over the whole record.
Texts count_of(const std::vector<TestEvent>& events, const std::string& predicate,
               const Descendants& descendants = {}) {
  return labels_of(events,
                   "predicates:\n  p: " + predicate +
                       "\ntrigger: _RECORD_START\nwindows:\n"
                       "  all: {start: trigger, end: NULL, start_inclusive: true,\n"
                       "        end_inclusive: true, label: p, label_as: count}\n",
                   AcesMode::documented, descendants);
}

Texts at_zero(int count) {
  return {str("1 at 0: ", count)};
}

TEST(Predicates, MatchCodes) {
  const std::vector<TestEvent> events = {
      {1, 0, "LAB//K"}, {1, 1, "LAB//NA"}, {1, 2, "XLAB//K"}, {1, 3, "a'b"}};
  EXPECT_EQ(count_of(events, "{code: LAB//K}"), at_zero(1));
  EXPECT_EQ(count_of(events, "{code: {any: [LAB//K, \"a'b\"]}}"), at_zero(2));
  EXPECT_EQ(count_of(events, "{code: {regex: LAB//.*}}"), at_zero(3));
  EXPECT_EQ(count_of(events, "{code: {regex: '^LAB//K$'}}"), at_zero(1));
  EXPECT_EQ(count_of(events, "{code: null}"), at_zero(0));
}

TEST(Predicates, MatchDescendants) {
  const std::vector<TestEvent> events = {{1, 0, "ICD/I50"}, {1, 1, "ICD/I50.1"}, {1, 2, "ICD/J1"}};
  EXPECT_EQ(count_of(events, "{code: {under: ICD/I50}}", {{"ICD/I50", {"ICD/I50", "ICD/I50.1"}}}),
            at_zero(2));
}

TEST(Predicates, CompareValuesAsFloat32) {
  const std::vector<TestEvent> events = {{1, 0, "LAB", 1.1f}, {1, 1, "LAB", 2.0f}, {1, 2, "LAB"}};
  EXPECT_EQ(count_of(events, "{code: LAB, value_min: 1.1, value_min_inclusive: true}"), at_zero(2));
  EXPECT_EQ(count_of(events, "{code: LAB, value_min: 1.1}"), at_zero(1));
  EXPECT_EQ(count_of(events, "{code: LAB, value_max: 2, value_max_inclusive: true}"), at_zero(2));
  EXPECT_EQ(count_of(events, "{code: LAB, value_max: 2}"), at_zero(1));
  EXPECT_EQ(count_of(events, "{code: LAB}"), at_zero(3));
}

TEST(Predicates, AskForOtherColumns) {
  const std::vector<TestEvent> events = {
      {1, 0, "LAB", {}, "icu"}, {1, 1, "LAB", {}, "er"}, {1, 2, "ADM", {}, "icu"}};
  EXPECT_EQ(count_of(events, "{code: LAB, other_cols: {ward: icu}}"), at_zero(1));
  EXPECT_EQ(count_of(events, "{code: {regex: .}, other_cols: {ward: icu}}"), at_zero(2));
  EXPECT_EQ(count_of(events, "{code: {regex: .}, other_cols: {subject_id: 1}}"), at_zero(3));
  EXPECT_THROW(count_of(events, "{code: LAB, other_cols: {bed: 3}}"), DataError);
}

TEST(Predicates, TellTheFirstAndTheNthTime) {
  const std::vector<TestEvent> events = {{1, {}, "A"},      {1, 0, "B"},       {1, 1, "A", 1.0f},
                                         {1, 1, "A", 2.0f}, {1, 2, "A", 3.0f}, {1, 3, "A", 4.0f}};
  EXPECT_EQ(count_of(events, "{code: A, occurrence: first}"), at_zero(2));
  EXPECT_EQ(count_of(events, "{code: A, occurrence: 2}"), at_zero(1));
  EXPECT_EQ(count_of(events, "{code: A, occurrence: 4}"), at_zero(0));
  EXPECT_EQ(count_of(events, "{code: A, value_min: 2.5, occurrence: 2}"), at_zero(1));
}

TEST(Predicates, TellTheChangeSinceTheLastValue) {
  const std::vector<TestEvent> events = {{1, 0, "A", 1.0f}, {1, 1, "A"},       {1, 2, "A", 1.5f},
                                         {1, 3, "B", 9.0f}, {1, 4, "A", 1.2f}, {1, 5, "A", 2.2f}};
  EXPECT_EQ(count_of(events, "{code: A, change_min: 0.5, change_min_inclusive: true}"), at_zero(2));
  EXPECT_EQ(count_of(events, "{code: A, change_min: 0.5}"), at_zero(1));
  EXPECT_EQ(count_of(events, "{code: A, change_max: 0}"), at_zero(1));
  EXPECT_EQ(count_of(events, "{code: A, change_min: 0.5, value_max: 2}"), at_zero(0));
}

const std::vector<TestEvent> kLabs = {{1, 0, "ADM"},       {1, 1, "LAB", 5.0f}, {1, 2, "LAB"},
                                      {1, 3, "LAB", 9.0f}, {1, 4, "LAB", 4.0f}, {1, 9, "DIS"},
                                      {2, 0, "ADM"},       {2, 9, "DIS"}};

Texts labels_as(const std::string& form) {
  return labels_of(kLabs,
                   "predicates: {adm: {code: ADM}, lab: {code: LAB}, dis: {code: DIS}}\n"
                   "trigger: adm\nwindows:\n"
                   "  w: {start: trigger, end: start + 8h, start_inclusive: true,\n"
                   "      end_inclusive: true, label: lab, label_as: " +
                       form + "}\n");
}

TEST(LabelForms, TellWhatTheEventsAre) {
  EXPECT_EQ(labels_as("present"), (Texts{"1 at 0: true", "2 at 0: false"}));
  EXPECT_EQ(labels_as("absent"), (Texts{"1 at 0: false", "2 at 0: true"}));
  EXPECT_EQ(labels_as("count"), (Texts{"1 at 0: 4", "2 at 0: 0"}));
  EXPECT_EQ(labels_as("first"), Texts{"1 at 0: 5"});
  EXPECT_EQ(labels_as("last"), Texts{"1 at 0: 4"});
  EXPECT_EQ(labels_as("min"), Texts{"1 at 0: 4"});
  EXPECT_EQ(labels_as("max"), Texts{"1 at 0: 9"});
  EXPECT_EQ(labels_as("mean"), Texts{"1 at 0: 6"});
  EXPECT_EQ(labels_as("code"), Texts{"1 at 0: LAB"});
}

TEST(LabelForms, TimeToEvent) {
  const std::vector<TestEvent> events = {
      {1, 0, "ADM"}, {1, 48, "MI"},    {1, 60, "DEATH"},  // the event comes first
      {2, 0, "ADM"}, {2, 36, "DEATH"}, {2, 36.5, "X"},    // death does
      {3, 0, "ADM"}, {3, 12, "X"},                        // the record ends
      {4, 0, "ADM"}, {4, 500, "X"},                       // the window ends
      {5, 0, "ADM"}, {5, 24, "MI"},    {5, 24, "DEATH"}};
  const std::string text =
      "predicates: {adm: {code: ADM}, mi: {code: MI}, death: {code: DEATH}}\n"
      "trigger: adm\nwindows:\n"
      "  w: {start: trigger, end: start + 10 days, start_inclusive: false, end_inclusive: true,\n"
      "      label: mi, label_as: time_to_event, competing: death, index_timestamp: start}\n";
  EXPECT_EQ(labels_of(events, text), (Texts{"1 at 0: true 2 event", "2 at 0: false 1.5 competing",
                                            "3 at 0: false 0.5 censored",
                                            "4 at 0: false 10 censored", "5 at 0: true 1 event"}));
}

TEST(LabelForms, AnEventBeforeThePredictionIsNoTimeToIt) {
  const auto result = label_events(
      {{1, 0, "ADM"}, {1, 1, "MI"}, {1, 90, "X"}, {2, 0, "ADM"}, {2, 2, "X"}},
      "predicates: {adm: {code: ADM}, mi: {code: MI}}\ntrigger: adm\nwindows:\n"
      "  w: {start: trigger, end: start + 10 days, start_inclusive: false, end_inclusive: true,\n"
      "      label: mi, label_as: time_to_event}\n"
      "  day: {start: trigger, end: start + 24h, start_inclusive: true, end_inclusive: true,\n"
      "        index_timestamp: end}\n");
  EXPECT_EQ(result.labels, Texts{});
  const auto steps = cohort_steps(*result.plan, *result.counts);
  EXPECT_EQ(steps.back().losses[1].why, "mi comes before the prediction time");
  EXPECT_EQ(steps.back().losses[1].count, 1);
  EXPECT_EQ(steps.back().losses[2].count, 1);
}

}  // namespace
}  // namespace sequela
