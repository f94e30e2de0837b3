#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sequela/etl/messy/expression.h"

namespace sequela {

// Takes the words, signs and literals of an expression's text, one after another.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

 protected:
  void skip_blanks();
  // The character behind blanks; '\0' at the end.
  char next();
  bool starts_with(std::string_view token);
  bool take(std::string_view token);
  void expect(std::string_view token);
  // The word that starts here, not taken; empty = none.
  std::string word();
  bool take_word(const std::string& wanted);  // in any case

  std::string quoted(char quote);            // at_ stands behind the opening quote
  std::string regex();                       // at_ stands behind the opening slash
  std::optional<std::string> time_of_day();  // "11:30", "1:30 p.m." as HH:MM:SS; not taken if none
  MessyExpression number_or_time();          // at_ stands at a digit

  [[noreturn]] void fail(const std::string& problem) const;

  std::string_view text_;
  size_t at_ = 0;
};

bool is_digit(char c);
std::string lower_case(std::string_view text);

}  // namespace sequela
