#include "sequela/label/code_matcher.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/io/regex.h"

namespace sequela {

CodeMatcher::CodeMatcher(const Plan& plan, const Descendants& descendants)
    : plan_(plan), descendants_(descendants) {}

std::vector<uint8_t> CodeMatcher::matches(const Predicate& plain,
                                          const std::vector<std::string_view>& codes) const {
  const CodeRule& rule = plain.code;
  if (rule.kind == CodeRule::Kind::regex) {
    try {
      return match_regex(rule.texts[0], codes);
    } catch (const ConfigError& error) {
      throw ConfigError(str("predicates.", plain.name, ".code.regex: ", error.what()));
    }
  }
  std::vector<uint8_t> is_match(codes.size(), 0);
  for (const std::string& text : rule.texts) {
    const bool is_under = rule.kind == CodeRule::Kind::under;
    const auto* under = is_under ? &descendants_.at(text) : nullptr;
    for (size_t i = 0; i < codes.size(); ++i) {
      if (is_under ? under->contains(std::string(codes[i])) : codes[i] == text) is_match[i] = 1;
    }
  }
  return is_match;
}

void CodeMatcher::learn(const std::vector<std::string_view>& codes) {
  std::vector<std::vector<int>> plains(codes.size());
  for (size_t p = 0; p < plan_.plains.size(); ++p) {
    const std::vector<uint8_t> is_match = matches(plan_.plains[p], codes);
    for (size_t i = 0; i < codes.size(); ++i) {
      if (is_match[i]) plains[i].push_back(static_cast<int>(p));
    }
  }
  for (size_t i = 0; i < codes.size(); ++i) {
    int32_t number = 0;
    if (!plains[i].empty()) {
      number = static_cast<int32_t>(plains_.size());
      plains_.push_back(std::move(plains[i]));
      codes_.emplace_back(codes[i]);
    }
    numbers_.emplace(codes[i], number);
  }
}

void CodeMatcher::number(std::span<const std::string_view> codes, std::vector<int32_t>* numbers) {
  std::vector<std::string_view> unknown;
  for (const std::string_view code : codes) {
    if (!numbers_.contains(code)) unknown.push_back(code);
  }
  std::ranges::sort(unknown);
  unknown.erase(std::unique(unknown.begin(), unknown.end()), unknown.end());
  if (!unknown.empty()) learn(unknown);
  numbers->resize(codes.size());
  for (size_t i = 0; i < codes.size(); ++i) (*numbers)[i] = numbers_.find(codes[i])->second;
}

}  // namespace sequela
