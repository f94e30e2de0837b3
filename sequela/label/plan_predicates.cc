#include "sequela/label/plan_predicates.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/suggest.h"

namespace sequela {
namespace {

using Source = PlanPredicate::Source;

}  // namespace

const Predicate* PlanPredicates::find(const std::string& name) const {
  const auto found = std::ranges::find(task_.predicates, name, &Predicate::name);
  return found == task_.predicates.end() ? nullptr : &*found;
}

int PlanPredicates::push(PlanPredicate predicate, const std::string& key) {
  plan_->predicates.push_back(std::move(predicate));
  const int number = static_cast<int>(plan_->predicates.size()) - 1;
  if (!key.empty()) numbers_[key] = number;
  return number;
}

int PlanPredicates::add_special(const std::string& name) {
  const Source source = name == kAnyEvent      ? Source::any_event
                        : name == kRecordStart ? Source::record_start
                                               : Source::record_end;
  return push({.name = name, .source = source}, name);
}

int PlanPredicates::add_plain(const Predicate& predicate) {
  plan_->plains.push_back(predicate);
  return push({.name = predicate.name,
               .source = predicate.is_static ? Source::constant : Source::plain,
               .plain = static_cast<int>(plan_->plains.size()) - 1},
              predicate.name);
}

int PlanPredicates::add_expression(const Predicate& owner, const Expression& expression,
                                   const std::string& name) {
  PlanPredicate predicate{
      .name = owner.name,
      .source = expression.kind == Expression::Kind::all ? Source::all : Source::any};
  for (const Expression& part : expression.parts) {
    const bool is_name = part.kind == Expression::Kind::name;
    predicate.inputs.push_back(
        is_name ? add(part.name, owner.line, str("predicates.", owner.name, ".expr"))
                : add_expression(owner, part, ""));
  }
  return push(std::move(predicate), name);
}

int PlanPredicates::add(const std::string& name, int line, const std::string& key) {
  if (const auto known = numbers_.find(name); known != numbers_.end()) return known->second;
  const Predicate* predicate = find(name);
  if (predicate == nullptr && (name == kAnyEvent || name == kRecordStart || name == kRecordEnd)) {
    return add_special(name);
  }
  if (predicate == nullptr) {
    std::vector<std::string> names = {std::string(kAnyEvent), std::string(kRecordStart),
                                      std::string(kRecordEnd)};
    for (const Predicate& known : task_.predicates) names.push_back(known.name);
    const std::string suggestion = did_you_mean(name, names);
    throw ConfigError(str(task_.name, ": line ", line, ": ", key, ": there is no predicate '", name,
                          "'", suggestion.empty() ? "." : suggestion));
  }
  if (!predicate->expression) return add_plain(*predicate);
  if (!open_.insert(name).second) {
    throw ConfigError(str(task_.name, ": line ", predicate->line, ": predicates.", name,
                          ".expr: the expression refers to itself"));
  }
  const int number = add_expression(*predicate, *predicate->expression, name);
  open_.erase(name);
  return number;
}

void PlanPredicates::add_criteria() {
  for (const Predicate& predicate : task_.predicates) {
    if (!predicate.is_static) continue;
    const bool is_used = numbers_.contains(predicate.name);
    if (predicate.expression || (is_used && !plan_->is_aces_exact)) continue;
    const int number = add(predicate.name, predicate.line, predicate.name);
    plan_->criteria.push_back(plan_->predicates[number].plain);
  }
}

}  // namespace sequela
