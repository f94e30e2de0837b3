#include "sequela/label/plan.h"

#include <algorithm>
#include <map>

#include "sequela/core/error.h"
#include "sequela/core/suggest.h"
#include "sequela/label/plan_predicates.h"

namespace sequela {
namespace {

using Kind = Boundary::Kind;

// How one side of a window refers to the other.
bool refers_to(const Boundary& boundary, const char* side) {
  return boundary.kind != Kind::record_edge && boundary.reference == side;
}

class Planner {
 public:
  Planner(const Task& task, AcesMode mode) : task_(task), predicates_(task, &plan_) {
    plan_.is_aces_exact = mode == AcesMode::exact;
  }
  Plan make();

 private:
  [[noreturn]] void fail(int line, const std::string& key, const std::string& problem) const {
    throw ConfigError(str(task_.name, ": line ", line, ": ", key, ": ", problem));
  }
  bool is_exact() const { return plan_.is_aces_exact; }
  void check_sides(const TaskWindow& window) const;
  bool is_ready(const TaskWindow& window) const;
  void check_reference(const TaskWindow& window, const Boundary& boundary,
                       const std::string& key) const;
  int add_point(const TaskWindow& window, Edge edge, int base, PlanWindow* planned);
  PlanPoint record_point(const TaskWindow& window, Edge edge, int base, bool is_inner) const;
  void add_window(const TaskWindow& window);
  void add_counts(const TaskWindow& window, PlanWindow* planned);
  void add_label(const TaskWindow& window, int index);
  void add_index(const TaskWindow& window, const PlanWindow& planned);
  void find_null_row();

  const Task& task_;
  Plan plan_;
  PlanPredicates predicates_;
  std::map<std::string, int> edges_;  // "gap.end" -> point
  bool has_index_ = false;
};

// True if the window's start is found from its end.
bool starts_from_end(const TaskWindow& window) {
  return window.start.kind == Kind::record_edge || refers_to(window.start, "end");
}
bool ends_from_start(const TaskWindow& window) {
  return window.end.kind == Kind::record_edge || refers_to(window.end, "start");
}

void Planner::check_sides(const TaskWindow& window) const {
  const std::string key = "windows." + window.name;
  const bool is_start_bound = starts_from_end(window);
  const bool is_end_bound = ends_from_start(window);
  if (refers_to(window.start, "start") || refers_to(window.end, "end")) {
    fail(window.line, key, "a side of the window refers to itself");
  }
  if (is_start_bound == is_end_bound) {
    fail(
        window.line, key,
        "exactly one of start and end must refer to the other, or be NULL; the other one refers to "
        "trigger, WINDOW.start or WINDOW.end");
  }
  const Boundary& bound = is_start_bound ? window.start : window.end;
  const bool is_backward = bound.kind == Kind::previous || bound.offset_us < 0;
  const bool is_forward = bound.kind == Kind::next || bound.offset_us > 0;
  if (is_start_bound ? is_forward : is_backward) {
    fail(bound.line, key + (is_start_bound ? ".start" : ".end"),
         "the window would end before it starts");
  }
}

// Says what is wrong with a reference to another window, if anything is.
void Planner::check_reference(const TaskWindow& window, const Boundary& boundary,
                              const std::string& key) const {
  const std::string name = boundary.reference.substr(0, boundary.reference.find('.'));
  if (name == "trigger") return;
  std::vector<std::string> names;
  for (const TaskWindow& other : task_.windows) names.push_back(other.name);
  const bool is_known = std::ranges::find(names, name) != names.end() && name != window.name;
  if (is_known) return;
  const std::string suggestion = did_you_mean(name, names);
  fail(boundary.line, key,
       str("there is no other window '", name, "'", suggestion.empty() ? "." : suggestion));
}

const Boundary& outer_side(const TaskWindow& window) {
  return starts_from_end(window) ? window.end : window.start;
}

bool Planner::is_ready(const TaskWindow& window) const {
  const std::string& reference = outer_side(window).reference;
  return reference == "trigger" || edges_.contains(reference);
}

PlanPoint Planner::record_point(const TaskWindow& window, Edge edge, int base,
                                bool is_inner) const {
  const bool is_start = edge == Edge::start;
  PlanPoint point{.kind = is_start ? PlanPoint::Kind::record_start : PlanPoint::Kind::record_end,
                  .base = base};
  // The record's edge is a place, no event that a window could leave out; ACES makes it one.
  point.may_be_base =
      !is_exact() || (is_inner && (is_start ? window.is_start_inclusive : window.is_end_inclusive));
  point.missing_text = is_start ? str("the record begins after ", window.name, ".end")
                                : str("the record ends before ", window.name, ".start");
  return point;
}

// The point of one side of a window, found from the point `base`.
int Planner::add_point(const TaskWindow& window, Edge edge, int base, PlanWindow* planned) {
  const bool is_start = edge == Edge::start;
  const Boundary& boundary = is_start ? window.start : window.end;
  const std::string key = str("windows.", window.name, is_start ? ".start" : ".end");
  if (boundary.kind == Kind::same) return base;
  const bool is_inner = boundary.kind == Kind::record_edge || boundary.reference == "start" ||
                        boundary.reference == "end";
  PlanPoint point;
  const bool is_edge_of_record = boundary.kind == Kind::record_edge ||
                                 (is_start && boundary.predicate == kRecordStart) ||
                                 (!is_start && boundary.predicate == kRecordEnd);
  if (is_edge_of_record) {
    point = record_point(window, edge, base, is_inner);
  } else if (boundary.kind == Kind::offset) {
    point = {.kind = PlanPoint::Kind::offset, .base = base, .offset_us = boundary.offset_us};
  } else {
    const bool is_next = boundary.kind == Kind::next;
    point = {.kind = is_next ? PlanPoint::Kind::next : PlanPoint::Kind::previous, .base = base};
    point.predicate = predicates_.add(boundary.predicate, boundary.line, key);
    const bool by_aces = is_next ? window.is_end_inclusive : window.is_start_inclusive;
    const bool by_both = window.is_start_inclusive && window.is_end_inclusive;
    point.may_be_base = is_inner && (is_exact() ? by_aces : by_both);
    point.missing_text =
        str("no ", boundary.predicate, is_next ? " after " : " before ",
            is_inner ? window.name + "." + boundary.reference : boundary.reference);
  }
  plan_.points.push_back(point);
  planned->own_points.push_back(static_cast<int>(plan_.points.size()) - 1);
  return planned->own_points.back();
}

std::string count_text(const CountRule& rule) {
  if (!rule.max) return str(rule.predicate, " occurs fewer than ", *rule.min, " times");
  if (!rule.min) return str(rule.predicate, " occurs more than ", *rule.max, " times");
  return str(rule.predicate, " does not occur ", *rule.min, " to ", *rule.max, " times");
}

void Planner::add_counts(const TaskWindow& window, PlanWindow* planned) {
  for (const CountRule& rule : window.has) {
    const int predicate =
        predicates_.add(rule.predicate, rule.line, str("windows.", window.name, ".has"));
    planned->has.push_back({predicate, rule.min, rule.max, count_text(rule)});
  }
  const Boundary& inner = starts_from_end(window) ? window.start : window.end;
  if (is_exact() && inner.kind == Kind::same) planned->has.clear();  // ACES drops the window
}

void Planner::add_label(const TaskWindow& window, int index) {
  if (window.label.empty()) return;
  const std::string key = str("windows.", window.name, ".label");
  if (plan_.label.window >= 0) {
    fail(window.label_line, key,
         str("a second label; the first is that of ", plan_.windows[plan_.label.window].name));
  }
  plan_.label = {.window = index,
                 .predicate = predicates_.add(window.label, window.label_line, key),
                 .as = window.label_as,
                 .name = window.label};
  if (!window.competing.empty()) {
    plan_.label.competing = predicates_.add(window.competing, window.label_line,
                                            str("windows.", window.name, ".competing"));
  }
  const bool needs_events = window.label_as >= LabelAs::first && window.label_as <= LabelAs::code;
  const bool is_plain =
      plan_.predicates[plan_.label.predicate].source == PlanPredicate::Source::plain;
  if (needs_events && !is_plain) {
    fail(window.label_line, key,
         str("label_as: ", to_text(window.label_as), " needs a predicate with a code"));
  }
}

void Planner::add_index(const TaskWindow& window, const PlanWindow& planned) {
  if (!window.index_timestamp) return;
  if (has_index_) fail(window.line, "windows." + window.name, "a second index_timestamp");
  has_index_ = true;
  bool is_start = *window.index_timestamp == Edge::start;
  // ACES takes the two sides of "start: end - 24h" one for the other.
  if (is_exact() && starts_from_end(window) && window.start.kind == Kind::offset) {
    is_start = !is_start;
  }
  plan_.index_point = is_start ? planned.start : planned.end;
}

void Planner::add_window(const TaskWindow& window) {
  PlanWindow planned{.name = window.name,
                     .is_start_inclusive = window.is_start_inclusive,
                     .is_end_inclusive = window.is_end_inclusive};
  const std::string& reference = outer_side(window).reference;
  const int outer = reference == "trigger" ? 0 : edges_.at(reference);
  if (starts_from_end(window)) {
    planned.end = add_point(window, Edge::end, outer, &planned);
    planned.start = add_point(window, Edge::start, planned.end, &planned);
  } else {
    planned.start = add_point(window, Edge::start, outer, &planned);
    planned.end = add_point(window, Edge::end, planned.start, &planned);
  }
  edges_[window.name + ".start"] = planned.start;
  edges_[window.name + ".end"] = planned.end;
  add_counts(window, &planned);
  add_label(window, static_cast<int>(plan_.windows.size()));
  add_index(window, planned);
  plan_.windows.push_back(std::move(planned));
}

// ACES keeps a row of nulls where its tree of points is a single chain and the last one is an event
// that does not come.
void Planner::find_null_row() {
  if (!is_exact() || plan_.points.size() < 2) return;
  for (size_t i = 1; i < plan_.points.size(); ++i) {
    if (plan_.points[i].base != static_cast<int>(i) - 1) return;
  }
  const int last = static_cast<int>(plan_.points.size()) - 1;
  if (plan_.points[last].kind == PlanPoint::Kind::offset) return;
  plan_.null_row_point = last;
  for (size_t w = 0; w < plan_.windows.size(); ++w) {
    const auto& own = plan_.windows[w].own_points;
    const auto& task_window =
        *std::ranges::find(task_.windows, plan_.windows[w].name, &TaskWindow::name);
    const int inner = starts_from_end(task_window) ? plan_.windows[w].start : plan_.windows[w].end;
    if (!own.empty() && own.back() == last && inner == last) {
      plan_.null_row_window = static_cast<int>(w);
    }
  }
}

Plan Planner::make() {
  plan_.points.push_back({});
  plan_.trigger = predicates_.add(task_.trigger, task_.trigger_line, "trigger");
  for (const TaskWindow& window : task_.windows) {
    check_sides(window);
    check_reference(window, outer_side(window),
                    str("windows.", window.name, starts_from_end(window) ? ".end" : ".start"));
  }
  std::vector<const TaskWindow*> left;
  for (const TaskWindow& window : task_.windows) left.push_back(&window);
  while (!left.empty()) {
    const auto ready =
        std::ranges::find_if(left, [&](const TaskWindow* w) { return is_ready(*w); });
    if (ready == left.end()) {
      fail(left[0]->line, "windows." + left[0]->name, "windows refer to each other in a circle");
    }
    add_window(**ready);
    left.erase(ready);
  }
  if (!has_index_) plan_.index_point = is_exact() ? -1 : 0;
  predicates_.add_criteria();
  find_null_row();
  return std::move(plan_);
}

}  // namespace

Plan make_plan(const Task& task, AcesMode mode) {
  return Planner(task, mode).make();
}

}  // namespace sequela
