#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// A task as its file says it; names are not resolved yet. docs/labels.md is the user's manual.

inline constexpr std::string_view kAnyEvent = "_ANY_EVENT";
inline constexpr std::string_view kRecordStart = "_RECORD_START";
inline constexpr std::string_view kRecordEnd = "_RECORD_END";

// Numbers between two bounds; a bound that is not given admits all.
struct ValueRange {
  std::optional<double> min, max;
  bool is_min_inclusive = false;
  bool is_max_inclusive = false;

  bool is_set() const { return min.has_value() || max.has_value(); }
  // Compared as float32, which values are. NaN is in no range.
  bool contains(float value) const;
};

// Which codes a predicate means.
struct CodeRule {
  enum class Kind { none, any_of, regex, under };
  Kind kind = Kind::none;          // none matches nothing ("code: null")
  std::vector<std::string> texts;  // codes; one pattern; or the concepts whose descendants count
};

// A further column that must hold a value: as text, or as a number where the column has numbers.
struct ColumnRule {
  std::string column;
  std::string value;
};

// and(...), or(...), or the name of a predicate.
struct Expression {
  enum class Kind { name, all, any };
  Kind kind = Kind::name;
  std::string name;
  std::vector<Expression> parts;
};

struct Predicate {
  std::string name;
  int line = 0;
  bool is_static = false;  // of patient_demographics: events without a time
  std::optional<Expression> expression;
  // Of a plain predicate.
  CodeRule code;
  ValueRange value;
  ValueRange change;  // against the value before, of any code that `code` admits
  std::vector<ColumnRule> columns;
  int occurrence = 0;  // n = the n-th time that it happens at all; 0 = each
};

// "trigger + 24h", "start -> discharge", NULL.
struct Boundary {
  enum class Kind { record_edge, same, offset, next, previous };
  Kind kind = Kind::record_edge;
  int line = 0;
  std::string reference;  // "trigger", "start", "end", "gap.end"; empty for record_edge
  int64_t offset_us = 0;
  std::string predicate;
};

// How often a predicate must occur in a window.
struct CountRule {
  std::string predicate;
  int line = 0;
  std::optional<int64_t> min, max;  // both inclusive
};

// What a label tells of its predicate in its window.
enum class LabelAs { present, absent, count, first, last, min, max, mean, code, time_to_event };

enum class Edge { start, end };

struct TaskWindow {
  std::string name;
  int line = 0;
  Boundary start, end;
  bool is_start_inclusive = true;
  bool is_end_inclusive = true;
  std::vector<CountRule> has;
  std::string label;  // a predicate; empty = none
  int label_line = 0;
  LabelAs label_as = LabelAs::present;
  std::string competing;  // a predicate that ends waiting for the label's
  std::optional<Edge> index_timestamp;
};

struct Task {
  std::string name;  // of the file, or of the built-in task
  std::string text;  // what was read, with the file of predicates: all that determines it
  std::vector<Predicate> predicates;
  std::string trigger;
  int trigger_line = 0;
  std::vector<TaskWindow> windows;
};

// "present", "absent", "count", ...
const char* to_text(LabelAs as);

}  // namespace sequela
