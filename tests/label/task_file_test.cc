#include "sequela/label/task_file.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/label/builtin_tasks.h"
#include "sequela/label/plan.h"

namespace sequela {
namespace {

constexpr const char* kTask = R"(predicates:
  admission:
    code: {regex: "ADMISSION//.*"}
  discharge: {code: [DISCHARGE, LEFT]}
  death:
    code: DEATH
  fever:
    code: TEMP
    value_min: 38.5
    value_min_inclusive: True
    occurrence: first
  discharge_or_death:
    expr: or(discharge, death)
trigger: admission
windows:
  input:
    start: NULL
    end: trigger + 24h
    start_inclusive: True
    end_inclusive: True
    has:
      _ANY_EVENT: (5, None)
    index_timestamp: end
  target:
    start: input.end
    end: start -> discharge_or_death
    start_inclusive: False
    end_inclusive: True
    label: death
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

// The message that a task with one text replaced by another is refused with.
std::string error_with(const std::string& from, const std::string& to) {
  try {
    make_plan(parse_task({"t.yaml", replaced(kTask, from, to)}), AcesMode::documented);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(TaskFile, ReadsPredicatesAndWindows) {
  const Task task = parse_task({"t.yaml", kTask});
  ASSERT_EQ(task.predicates.size(), 5u);
  EXPECT_EQ(task.predicates[0].code.kind, CodeRule::Kind::regex);
  EXPECT_EQ(task.predicates[1].code.texts, (std::vector<std::string>{"DISCHARGE", "LEFT"}));
  EXPECT_EQ(task.predicates[3].value.min, 38.5);
  EXPECT_TRUE(task.predicates[3].value.is_min_inclusive);
  EXPECT_EQ(task.predicates[3].occurrence, 1);
  EXPECT_EQ(task.predicates[4].expression->parts.size(), 2u);
  EXPECT_EQ(task.trigger, "admission");
  ASSERT_EQ(task.windows.size(), 2u);
  EXPECT_EQ(task.windows[0].start.kind, Boundary::Kind::record_edge);
  EXPECT_EQ(task.windows[0].end.offset_us, 86'400'000'000);
  EXPECT_EQ(task.windows[0].has[0].min, 5);
  EXPECT_FALSE(task.windows[0].has[0].max.has_value());
  EXPECT_EQ(task.windows[1].end.kind, Boundary::Kind::next);
  EXPECT_FALSE(task.windows[1].is_start_inclusive);
  EXPECT_EQ(task.windows[1].label, "death");
}

TEST(TaskFile, ASecondFileReplacesPredicates) {
  const Task task =
      parse_task({"t.yaml", kTask},
                 {"p.yaml",
                  "predicates:\n  death: {code: MEDS_DEATH}\n  extra: {code: X}\n  fever: ???\n"
                  "patient_demographics:\n  male: {code: SEX//M}\n"});
  ASSERT_EQ(task.predicates.size(), 7u);
  EXPECT_EQ(task.predicates[2].code.texts[0], "MEDS_DEATH");
  EXPECT_EQ(task.predicates[3].code.texts[0], "TEMP");
  EXPECT_TRUE(task.predicates[6].is_static);
}

TEST(TaskFile, NestsExpressions) {
  const Task task = parse_task(
      {"t.yaml", replaced(kTask, "or(discharge, death)", "or(and(fever, death), discharge)")});
  EXPECT_EQ(task.predicates[4].expression->parts[0].parts[1].name, "death");
}

TEST(TaskFile, ErrorsNameLineKeyAndNearestName) {
  for (const auto& [from, to, message] :
       std::vector<std::tuple<const char*, const char*, const char*>>{
           {"trigger: admission", "trigger: admision",
            "t.yaml: line 14: trigger: there is no predicate 'admision'; did you mean "
            "'admission'?"},
           {"trigger: admission\n", "", "t.yaml: line 1: trigger: is missing"},
           {"trigger:", "triger:", "line 14: triger: unknown key; did you mean 'trigger'?"},
           {"value_min:", "value_mim:",
            "line 9: predicates.fever.value_mim: unknown key; did you mean 'value_min'?"},
           {"38.5", "warm", "line 9: predicates.fever.value_min: 'warm' is no number"},
           {"occurrence: first", "occurrence: 0", "line 11: predicates.fever.occurrence: expected"},
           {"or(discharge, death)", "or(discharge, deth)",
            "predicates.discharge_or_death.expr: there is no predicate 'deth'; did you mean "
            "'death'?"},
           {"or(discharge, death)", "discharge + death", "expected and(a, b, ...)"},
           {"or(discharge, death)", "or(discharge_or_death, death)", "refers to itself"},
           {"trigger + 24h", "trigger + 24 moons",
            "line 18: windows.input.end: '+ 24 moons' is no length of time"},
           {"trigger + 24h", "triger + 24h", "windows.input.end: 'triger' is no place"},
           {"input.end", "inptu.end",
            "line 25: windows.target.start: there is no other window 'inptu'; did you mean "
            "'input'?"},
           {"start -> discharge_or_death", "start <- death",
            "line 26: windows.target.end: the window would end before it starts"},
           {"start -> discharge_or_death", "trigger + 2h",
            "windows.target: exactly one of start and end must refer to the other"},
           {"(5, None)", "(5)", "windows.input.has._ANY_EVENT: expected (min, max)"},
           {"(5, None)", "(None, None)", "neither a least nor a greatest count"},
           {"(5, None)", "(five, None)", "'five' is no count"},
           {"_ANY_EVENT: (5", "_ANY_EVNT: (5", "did you mean '_ANY_EVENT'?"},
           {"label: death", "label: deaths", "windows.target.label: there is no predicate"},
           {"label: death", "label: death\n    label_as: presnt", "did you mean 'present'?"},
           {"label: death", "label: death\n    label_as: mean\n    competing: fever",
            "goes with label_as: time_to_event"},
           {"label: death", "label: discharge_or_death\n    label_as: mean", "needs a predicate"},
           {"index_timestamp: end", "index_timestamp: middle", "expected start or end"},
           {"start_inclusive: False", "start_inclusive: maybe", "neither true nor false"},
           {"    start_inclusive: False\n", "", "windows.target.start_inclusive: is missing"},
           {"{regex: \"ADMISSION//.*\"}", "{regx: A}", "did you mean 'regex'?"}}) {
    EXPECT_NE(error_with(from, to).find(message), std::string::npos)
        << from << " -> " << to << ": " << error_with(from, to);
  }
}

TEST(TaskFile, WindowsMayStandInAnyOrderButNotInACircle) {
  const std::string windows =
      "trigger: a\npredicates: {a: {code: A}}\nwindows:\n"
      "  x: {start: y.end, end: start + 1h, start_inclusive: true, end_inclusive: true}\n"
      "  y: {start: trigger, end: start + 1h, start_inclusive: true, end_inclusive: true}\n";
  const Plan plan = make_plan(parse_task({"t.yaml", windows}), AcesMode::documented);
  EXPECT_EQ(plan.windows[0].name, "y");
  try {
    make_plan(parse_task({"t.yaml", replaced(windows, "start: trigger", "start: x.end")}),
              AcesMode::documented);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("in a circle"), std::string::npos) << error.what();
  }
}

TEST(BuiltinTasks, AllAreSound) {
  const auto names = builtin_task_names();
  EXPECT_EQ(names,
            (std::vector<std::string>{"abnormal_lab", "first_onset:CODES", "icu_transfer",
                                      "long_stay", "mortality_in_hospital", "readmission_30d"}));
  for (const std::string& name : names) {
    const Plan plan = make_plan(parse_task(*find_builtin_task(name)), AcesMode::documented);
    EXPECT_GE(plan.label.window, 0) << name;
    EXPECT_GE(plan.index_point, 0) << name;
  }
  EXPECT_FALSE(find_builtin_task("death").has_value());
  const auto onset = find_builtin_task("first_onset:SNOMED/1,O'Neil");
  EXPECT_EQ(parse_task(*onset).predicates[1].code.texts,
            (std::vector<std::string>{"SNOMED/1", "O'Neil"}));
  EXPECT_THROW(find_builtin_task("long_stay:A"), ConfigError);
  EXPECT_THROW(find_builtin_task("first_onset:"), ConfigError);
}

}  // namespace
}  // namespace sequela
