#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sequela/label/task.h"

namespace sequela {

// A predicate with its inputs resolved; the inputs stand before it.
struct PlanPredicate {
  enum class Source {
    any_event,     // every row
    record_start,  // the first row
    record_end,    // the last row
    plain,         // a row counts its events that fit
    constant,      // of demographics: the same count everywhere
    all,           // a row at which every input occurs
    any,           // a row at which some input occurs
  };
  std::string name;
  Source source = Source::any_event;
  int plain = -1;           // of plain and constant: index into Plan::plains
  std::vector<int> inputs;  // of all and any: indices of predicates
};

// A place in time that windows begin or end at. Point 0 is the trigger.
struct PlanPoint {
  enum class Kind { trigger, offset, next, previous, record_start, record_end };
  Kind kind = Kind::trigger;
  int base = 0;  // an earlier point
  int64_t offset_us = 0;
  int predicate = -1;        // of next and previous
  bool may_be_base = false;  // an event at the base's own time is one
  std::string missing_text;  // why there may be none: "no discharge after gap.start"
};

struct PlanCount {
  int predicate = 0;
  std::optional<int64_t> min, max;
  std::string text;  // "admission occurs more than 0 times"
};

struct PlanWindow {
  std::string name;
  std::vector<int> own_points;  // found for this window, in order
  int start = 0, end = 0;       // points
  bool is_start_inclusive = true, is_end_inclusive = true;
  std::vector<PlanCount> has;
};

struct PlanLabel {
  int window = -1;  // index into Plan::windows; -1 = no label
  int predicate = -1;
  int competing = -1;
  LabelAs as = LabelAs::present;
  std::string name;  // of the predicate
};

// A task made ready: names are numbers, windows stand behind those that they refer to.
struct Plan {
  std::vector<Predicate> plains;  // those that matter
  std::vector<PlanPredicate> predicates;
  std::vector<int> criteria;  // plains that a subject must have without a time
  int trigger = 0;
  std::vector<PlanPoint> points;
  std::vector<PlanWindow> windows;  // in the order in which they are looked at
  PlanLabel label;
  int index_point = 0;  // whose time is the prediction time; -1 = none is written
  bool is_aces_exact = false;
  // By --aces-exact: a subject with a trigger that comes to this point and has no event for it gets
  // a row of nulls; -1 = none does. `null_row_window` holds the counts that it must satisfy with
  // zeros; -1 = none.
  int null_row_point = -1;
  int null_row_window = -1;
};

enum class AcesMode { documented, exact };

// Throws ConfigError with the task's name, line and key, and the nearest known name.
Plan make_plan(const Task& task, AcesMode mode);

}  // namespace sequela
