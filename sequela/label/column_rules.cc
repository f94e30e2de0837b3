#include "sequela/label/column_rules.h"

#include <algorithm>
#include <charconv>

#include "sequela/core/error.h"

namespace sequela {

ColumnRules::ColumnRules(const Plan& plan) {
  for (const Predicate& plain : plan.plains) {
    uint32_t mask = 0;
    for (const ColumnRule& rule : plain.columns) {
      const auto known = std::ranges::find_if(rules_, [&](const ColumnRule& other) {
        return other.column == rule.column && other.value == rule.value;
      });
      const size_t index = known - rules_.begin();
      if (known == rules_.end()) rules_.push_back(rule);
      if (index >= 32) throw ConfigError("other_cols: more than 32 conditions on columns");
      mask |= uint32_t{1} << index;
      if (std::ranges::find(columns_, rule.column) == columns_.end()) {
        columns_.push_back(rule.column);
      }
    }
    masks_.push_back(mask);
  }
}

bool is_rule_number(const ColumnRule& rule, double number) {
  if (rule.value == "true" || rule.value == "True") return number == 1;
  if (rule.value == "false" || rule.value == "False") return number == 0;
  double value = 0;
  const char* end = rule.value.data() + rule.value.size();
  const auto result = std::from_chars(rule.value.data(), end, value);
  return result.ec == std::errc() && result.ptr == end && value == number;
}

}  // namespace sequela
