// The six kinds of cases in which ACES 0.7.3 does not do what its documentation says, each by the
// documentation and by --aces-exact. tests/aces asks ACES itself. docs/labels.md lists them.

#include <gtest/gtest.h>

#include <limits>

#include "tests/label/support.h"

namespace sequela {
namespace {

const std::string kPredicates =
    "predicates:\n"
    "  adm: {code: ADM}\n"
    "  dis: {code: DIS}\n"
    "  high: {code: LAB, value_min: 6}\n";

const std::vector<TestEvent> kTwo = {
    {1, 0, "ADM"}, {1, 1, "LAB", 7.0f}, {1, 5, "DIS"}, {2, 0, "ADM"}, {2, 1, "LAB", 7.0f}};

void expect_both(const std::vector<TestEvent>& events, const std::string& yaml,
                 const Texts& documented, const Texts& exact) {
  EXPECT_EQ(labels_of(events, yaml, AcesMode::documented), documented);
  EXPECT_EQ(labels_of(events, yaml, AcesMode::exact), exact);
}

TEST(AcesDifferences, RowsWithNullBounds) {
  const std::string stay =
      "trigger: adm\nwindows:\n"
      "  stay: {start: trigger, end: start -> dis, start_inclusive: false, end_inclusive: true,\n"
      "         label: high, index_timestamp: end}\n";
  expect_both(kTwo, kPredicates + stay, {"1 at 5: true"}, {"1 at 5: true", "2 at null:"});
  // A window that asks for something has no use for a row without events.
  expect_both(kTwo,
              kPredicates +
                  "trigger: adm\nwindows:\n"
                  "  stay: {start: trigger, end: start -> dis, start_inclusive: false,\n"
                  "         end_inclusive: true, has: {high: '(1, None)'}, index_timestamp: end}\n",
              {"1 at 5:"}, {"1 at 5:"});
  // Where the tree of windows branches, ACES has no such row.
  expect_both(kTwo,
              kPredicates + stay +
                  "  day: {start: trigger, end: start + 24h, start_inclusive: true, "
                  "end_inclusive: true}\n",
              {"1 at 5: true"}, {"1 at 5: true"});
}

TEST(AcesDifferences, IndexTimestampOfAWindowThatStartsFromItsEnd) {
  const auto text = [](const std::string& edge) {
    return kPredicates +
           "trigger: dis\nwindows:\n"
           "  day: {start: end - 24h, end: trigger, start_inclusive: true, end_inclusive: true,\n"
           "        label: high, index_timestamp: " +
           edge + "}\n";
  };
  expect_both(kTwo, text("end"), {"1 at 5: true"}, {"1 at -19: true"});
  expect_both(kTwo, text("start"), {"1 at -19: true"}, {"1 at 5: true"});
}

TEST(AcesDifferences, AWindowWithoutLengthHas) {
  const std::string text =
      kPredicates +
      "  lab: {code: LAB}\ntrigger: lab\nwindows:\n"
      "  now: {start: trigger, end: start, start_inclusive: true, end_inclusive: true,\n"
      "        has: {high: '(1, None)'}}\n"
      "  day: {start: trigger, end: start + 24h, start_inclusive: true, end_inclusive: true,\n"
      "        label: dis, index_timestamp: start}\n";
  expect_both({{1, 0, "LAB", 5.0f}, {1, 1, "LAB", 7.0f}}, text, {"1 at 1: false"},
              {"1 at 0: false", "1 at 1: false"});
}

TEST(AcesDifferences, SeveralDemographics) {
  const std::vector<TestEvent> events = {{1, {}, "SEX//M"}, {1, 0, "ADM"}, {2, {}, "SEX//F"},
                                         {2, 0, "ADM"},     {3, 0, "ADM"}, {4, {}, "SEX//M"},
                                         {4, {}, "SEX//F"}, {4, 0, "ADM"}};
  const std::string demographics =
      "patient_demographics:\n  male: {code: SEX//M}\n  female: {code: SEX//F}\n";
  // Joined by a predicate, they are what it makes of them.
  expect_both(events,
              kPredicates + "  known: {expr: 'or(male, female)'}\n" +
                  "  known_adm: {expr: 'and(known, adm)'}\n" + demographics +
                  "trigger: known_adm\nwindows:\n"
                  "  now: {start: trigger, end: start + 1h, start_inclusive: true, "
                  "end_inclusive: true, index_timestamp: start}\n",
              {"1 at 0:", "2 at 0:", "4 at 0:"}, {"4 at 0:"});
  // Left alone, each is a criterion.
  const std::string alone =
      kPredicates + demographics +
      "trigger: adm\nwindows:\n"
      "  now: {start: trigger, end: start + 1h, start_inclusive: true, end_inclusive: true,\n"
      "        index_timestamp: start}\n";
  expect_both(events, alone, {"4 at 0:"}, {"4 at 0:"});
  const auto result = label_events(events, alone);
  EXPECT_EQ(result.counts->without_criterion, (std::vector<int64_t>{2, 1}));
}

TEST(AcesDifferences, DemographicsInAWindow) {
  EXPECT_EQ(labels_of({{1, {}, "SEX//M"}, {1, 0, "ADM"}, {2, 0, "ADM"}},
                      kPredicates +
                          "patient_demographics:\n  male: {code: SEX//M}\ntrigger: adm\nwindows:\n"
                          "  now: {start: trigger, end: start + 1h, start_inclusive: true,\n"
                          "        end_inclusive: true, has: {male: '(None, 0)'}}\n"),
            Texts{"2 at 0:"});
}

TEST(AcesDifferences, NanAboveAThreshold) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::string text =
      kPredicates +
      "  between: {code: LAB, value_min: 6, value_max: 9}\n"
      "  low: {code: LAB, value_max: 9}\n"
      "trigger: adm\nwindows:\n"
      "  day: {start: trigger, end: start + 24h, start_inclusive: true, end_inclusive: true,\n"
      "        index_timestamp: start, label: ";
  const std::vector<TestEvent> events = {{1, 0, "ADM"}, {1, 1, "LAB", nan}, {1, 2, "LAB"}};
  expect_both(events, text + "high}\n", {"1 at 0: false"}, {"1 at 0: true"});
  expect_both(events, text + "between}\n", {"1 at 0: false"}, {"1 at 0: false"});
  expect_both(events, text + "low}\n", {"1 at 0: false"}, {"1 at 0: false"});
}

TEST(AcesDifferences, AnEventAtTheExclusiveStart) {
  const auto text = [](const std::string& start, const std::string& end) {
    return kPredicates +
           "trigger: adm\nwindows:\n"
           "  stay: {start: trigger, end: start -> dis, start_inclusive: " +
           start + ", end_inclusive: " + end + ", index_timestamp: end}\n";
  };
  const std::vector<TestEvent> events = {{1, 0, "ADM"}, {1, 0, "DIS"}, {1, 5, "DIS"}};
  expect_both(events, text("false", "true"), {"1 at 5:"}, {"1 at 0:"});
  expect_both(events, text("true", "true"), {"1 at 0:"}, {"1 at 0:"});
  expect_both(events, text("true", "false"), {"1 at 5:"}, {"1 at 5:"});
  const auto back = [](const std::string& start, const std::string& end) {
    return kPredicates +
           "trigger: adm\nwindows:\n"
           "  before: {start: end <- dis, end: trigger, start_inclusive: " +
           start + ", end_inclusive: " + end + ", index_timestamp: start}\n";
  };
  const std::vector<TestEvent> later = {{1, 0, "DIS"}, {1, 5, "DIS"}, {1, 5, "ADM"}};
  expect_both(later, back("true", "false"), {"1 at 0:"}, {"1 at 5:"});
  expect_both(later, back("true", "true"), {"1 at 5:"}, {"1 at 5:"});
  expect_both(later, back("false", "true"), {"1 at 0:"}, {"1 at 0:"});
}

}  // namespace
}  // namespace sequela
