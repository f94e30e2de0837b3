#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/label/plan.h"

namespace sequela {

// The distinct conditions on further columns of a plan's predicates, each a bit of a mask.
class ColumnRules {
 public:
  // ConfigError if there are more than 32.
  explicit ColumnRules(const Plan& plan);

  const std::vector<ColumnRule>& rules() const { return rules_; }
  // The conditions that a plain predicate needs.
  uint32_t mask_of(int plain) const { return masks_[plain]; }
  // The columns, each once.
  const std::vector<std::string>& columns() const { return columns_; }

 private:
  std::vector<ColumnRule> rules_;
  std::vector<uint32_t> masks_;
  std::vector<std::string> columns_;
};

// True if a number is what a rule's value says: "3", "true" (1), "false" (0).
bool is_rule_number(const ColumnRule& rule, double number);

}  // namespace sequela
