#include <gtest/gtest.h>

#include "tests/label/support.h"

namespace sequela {
namespace {

const std::string kPredicates =
    "predicates:\n"
    "  adm: {code: ADM}\n"
    "  dis: {code: DIS}\n"
    "  death: {code: DEATH}\n"
    "  lab: {code: LAB}\n"
    "  high: {code: LAB, value_min: 6}\n"
    "  end: {expr: 'or(dis, death)'}\n";

std::string window(const std::string& name, const std::string& start, const std::string& end,
                   const std::string& inclusive, const std::string& more = "") {
  return "  " + name + ":\n    start: " + start + "\n    end: " + end +
         "\n    start_inclusive: " + (inclusive[0] == 'i' ? "true" : "false") +
         "\n    end_inclusive: " + (inclusive[1] == 'i' ? "true" : "false") + "\n" + more;
}

std::string task(const std::string& trigger, const std::string& windows) {
  return kPredicates + "trigger: " + trigger + "\nwindows:\n" + windows;
}

const std::vector<TestEvent> kStay = {{1, {}, "SEX//M"},   {1, 0, "ADM"},       {1, 1, "LAB", 5.0f},
                                      {1, 2, "LAB", 7.0f}, {1, 2, "LAB", 8.0f}, {1, 5, "DIS"},
                                      {1, 30, "ADM"},      {1, 31, "DEATH"}};

TEST(Windows, CountByTheirEdges) {
  for (const auto& [inclusive, count] :
       std::vector<std::pair<std::string, int>>{{"ii", 3}, {"xi", 2}, {"ix", 1}, {"xx", 0}}) {
    // Labs at 1, 2 and 2 hours in the window from 1 to 2 hours.
    const auto labels = labels_of(
        kStay, task("adm", window("w", "trigger + 1h", "start + 1h", inclusive,
                                  "    label: lab\n    label_as: count\n") +
                               window("first", "NULL", "trigger", "ii",
                                      "    has:\n      adm: (1, 1)\n    index_timestamp: end\n")));
    EXPECT_EQ(labels, Texts{str("1 at 0: ", count)}) << inclusive;
  }
}

TEST(Windows, GoToTheNextAndThePreviousEvent) {
  EXPECT_EQ(labels_of(kStay, task("adm", window("w", "trigger", "start -> end", "xi",
                                                "    label: death\n    index_timestamp: end\n"))),
            (Texts{"1 at 5: false", "1 at 31: true"}));
  EXPECT_EQ(labels_of(kStay, task("end", window("w", "end <- adm", "trigger", "ii",
                                                "    label: high\n    label_as: count\n"
                                                "    index_timestamp: start\n"))),
            (Texts{"1 at 0: 2", "1 at 30: 0"}));
  EXPECT_EQ(labels_of(kStay, task("dis", window("w", "trigger -> adm", "start + 2h", "ii",
                                                "    label: death\n    index_timestamp: start\n"))),
            Texts{"1 at 30: true"});
  EXPECT_EQ(labels_of(kStay, task("death", window("w", "trigger <- lab", "start + 1h", "ii",
                                                  "    label: lab\n    label_as: count\n"
                                                  "    index_timestamp: start\n"))),
            Texts{"1 at 2: 2"});
}

TEST(Windows, KnowTheRecordsEdges) {
  EXPECT_EQ(labels_of(kStay, task("dis", window("w", "trigger", "NULL", "xi",
                                                "    label: _ANY_EVENT\n    label_as: count\n"
                                                "    index_timestamp: end\n"))),
            Texts{"1 at 31: 2"});
  EXPECT_EQ(labels_of(kStay, task("_RECORD_START",
                                  window("w", "trigger", "start -> _RECORD_END", "ii",
                                         "    label: _RECORD_END\n    index_timestamp: start\n"))),
            Texts{"1 at 0: true"});
  EXPECT_EQ(labels_of(kStay, task("_ANY_EVENT", "")).size(), 6u);
  // The record ends before the gap does.
  EXPECT_EQ(
      labels_of(kStay, task("death", window("gap", "trigger", "start + 1h", "xi") +
                                         window("w", "gap.end", "NULL", "xi", "    label: adm\n"))),
      Texts{});
}

TEST(Windows, FollowEachOther) {
  // A gap without discharge, then what comes within a day of its end.
  const std::string windows =
      window("target", "gap.end", "start + 1 day", "xi", "    label: death\n") +
      window("gap", "trigger", "start + 4h", "xi",
             "    has:\n      dis: (None, 0)\n    index_timestamp: end\n");
  EXPECT_EQ(labels_of(kStay, task("adm", windows)), (Texts{"1 at 4: false", "1 at 34: false"}));
  EXPECT_EQ(labels_of(kStay, task("lab", windows)), Texts{});
}

TEST(Windows, ExpressionsCountRows) {
  const std::vector<TestEvent> events = {
      {1, 0, "ADM"}, {1, 0, "DIS"}, {1, 1, "DIS"}, {1, 1, "DIS"}, {1, 2, "DEATH"}};
  const std::string expressions = kPredicates +
                                  "  both: {expr: 'and(adm, dis)'}\n"
                                  "  nested: {expr: 'or(and(adm, dis), death)'}\n"
                                  "trigger: _RECORD_START\nwindows:\n";
  for (const auto& [name, count] : std::vector<std::pair<std::string, int>>{
           {"both", 1}, {"end", 3}, {"nested", 2}, {"dis", 3}}) {
    EXPECT_EQ(
        labels_of(events, expressions + window("w", "trigger", "NULL", "ii",
                                               "    label: " + name + "\n    label_as: count\n")),
        Texts{str("1 at 0: ", count)})
        << name;
  }
}

TEST(Windows, WithoutAnIndexTheTriggerIsThePredictionTime) {
  EXPECT_EQ(
      labels_of(kStay, task("adm", window("w", "trigger", "start + 6h", "xi", "    label: dis\n"))),
      (Texts{"1 at 0: true", "1 at 30: false"}));
}

TEST(Cohort, TellsWhoFellOutWhere) {
  const auto result = label_events(
      {{1, 0, "ADM"}, {1, 9, "DIS"}, {2, 0, "ADM"}, {3, 0, "LAB"}, {4, 0, "ADM"}, {4, 1, "DIS"}},
      task("adm", window("gap", "trigger", "start + 4h", "xi", "    has:\n      dis: (None, 0)\n") +
                      window("target", "gap.end", "start -> dis", "xi", "    label: death\n")));
  EXPECT_EQ(result.labels, Texts{"1 at 0: false"});
  const auto steps = cohort_steps(*result.plan, *result.counts);
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[0].before, 4);
  EXPECT_EQ(steps[0].after, 3);
  EXPECT_EQ(steps[1].before, 3);
  EXPECT_EQ(steps[1].losses[0].why, "dis occurs more than 0 times");
  EXPECT_EQ(steps[1].losses[0].count, 1);
  EXPECT_EQ(steps[2].losses[0].why, "no dis after target.start");
  EXPECT_EQ(steps[2].losses[0].count, 1);
  EXPECT_EQ(steps[2].after, 1);
  EXPECT_EQ(emptied_by(steps), "");
  EXPECT_EQ(result.counts->num_false, 1);
}

TEST(Cohort, SaysWhichWindowEmptiedIt) {
  const auto result = label_events(
      kStay, task("adm", window("gap", "trigger", "start + 40h", "xi",
                                "    has:\n      lab: (9, None)\n") +
                             window("w", "gap.end", "NULL", "xi", "    label: dis\n")));
  EXPECT_EQ(result.labels, Texts{});
  EXPECT_EQ(emptied_by(cohort_steps(*result.plan, *result.counts)),
            "windows.gap leaves none of 2 trigger events: lab occurs fewer than 9 times (2)");
  const auto none = label_events(kStay, task("end", ""));
  EXPECT_EQ(none.labels.size(), 2u);
}

TEST(Scan, TakesEventsInAnyOrderOfTime) {
  std::vector<TestEvent> shuffled(kStay.rbegin(), kStay.rend());
  const std::string text = task("adm", window("w", "trigger", "start -> end", "xi",
                                              "    label: high\n    label_as: count\n"
                                              "    index_timestamp: end\n"));
  EXPECT_EQ(labels_of(shuffled, text), labels_of(kStay, text));
  EXPECT_EQ(labels_of(kStay, text), (Texts{"1 at 5: 2", "1 at 31: 0"}));
}

TEST(Scan, RefusesASubjectThatStandsTwice) {
  try {
    labels_of({{1, 0, "ADM"}, {2, 0, "ADM"}, {1, 1, "DIS"}}, task("adm", ""));
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().subject_id, 1);
    EXPECT_NE(std::string(error.what()).find("stand apart"), std::string::npos) << error.what();
  }
}

TEST(Scan, ABadPatternIsAConfigError) {
  try {
    labels_of(kStay, "predicates: {a: {code: {regex: 'A('}}}\ntrigger: a\n");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("predicates.a.code.regex"), std::string::npos);
  }
}

}  // namespace
}  // namespace sequela
