#pragma once

#include <map>
#include <set>
#include <string>

#include "sequela/label/plan.h"

namespace sequela {

// Numbers the predicates that a plan uses, inputs first.
class PlanPredicates {
 public:
  PlanPredicates(const Task& task, Plan* plan) : task_(task), plan_(plan) {}

  // The number of a predicate. `line` and `key` are where it is named. ConfigError if there is none
  // of that name, or its expression refers to itself.
  int add(const std::string& name, int line, const std::string& key);
  // The demographics that subjects must have: by the documentation those that no other predicate
  // or window refers to, by ACES's program all.
  void add_criteria();

 private:
  const Predicate* find(const std::string& name) const;
  int add_special(const std::string& name);
  int add_plain(const Predicate& predicate);
  int add_expression(const Predicate& owner, const Expression& expression, const std::string& name);
  int push(PlanPredicate predicate, const std::string& key);

  const Task& task_;
  Plan* plan_;
  std::map<std::string, int> numbers_;
  std::set<std::string> open_;  // whose expressions are being resolved
};

}  // namespace sequela
