#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sequela/label/plan.h"

namespace sequela {

// The codes of the data that lie under a concept, by concept; the concept itself is one of them.
using Descendants = std::map<std::string, std::unordered_set<std::string>>;

// Says which plain predicates a code belongs to. Each distinct code is looked at once. Not for use
// by two threads at a time.
class CodeMatcher {
 public:
  // Both must outlive the matcher; `descendants` has every concept that the plan asks for.
  CodeMatcher(const Plan& plan, const Descendants& descendants);

  // For each code its number here: 0 if it belongs to no predicate. Throws ConfigError if a
  // predicate's pattern is none.
  void number(std::span<const std::string_view> codes, std::vector<int32_t>* numbers);

  // The plain predicates of a number that is not 0, and its code.
  const std::vector<int>& plains_of(int32_t number) const { return plains_[number]; }
  const std::string& code_of(int32_t number) const { return codes_[number]; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  void learn(const std::vector<std::string_view>& codes);
  std::vector<uint8_t> matches(const Predicate& plain,
                               const std::vector<std::string_view>& codes) const;

  const Plan& plan_;
  const Descendants& descendants_;
  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> numbers_;
  std::vector<std::vector<int>> plains_ = {{}};  // by number
  std::vector<std::string> codes_ = {""};
};

}  // namespace sequela
