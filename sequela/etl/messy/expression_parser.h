#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sequela/etl/messy/expression.h"
#include "sequela/etl/messy/scanner.h"

namespace sequela {

// Not as a braced list: GCC 12 destroys such a list's expressions twice where an argument throws.
template <class... Each>
std::vector<MessyExpression> list_of(Each... each) {
  std::vector<MessyExpression> list;
  (list.push_back(std::move(each)), ...);
  return list;
}

inline MessyExpression make_expression(MessyExpression::Kind kind, std::string text,
                                       std::vector<MessyExpression> args = {}) {
  return {kind, std::move(text), std::move(args)};
}

// Recursive descent, loosest first; grammar.lark of dftly 0.7 has the same order.
class ExpressionParser : private Scanner {
 public:
  explicit ExpressionParser(std::string_view text, int depth = 0) : Scanner(text), depth_(depth) {}

  MessyExpression parse();

 private:
  // Operators.
  MessyExpression global_cast();
  MessyExpression conditional();
  MessyExpression coalesced();
  MessyExpression either();
  MessyExpression both();
  MessyExpression comparison();
  MessyExpression additive();
  MessyExpression multiplicative();
  MessyExpression power();
  MessyExpression local_cast();
  MessyExpression unary();
  MessyExpression cast_of(MessyExpression value);

  // What stands between operators.
  MessyExpression postfix();
  MessyExpression primary();
  MessyExpression slice(MessyExpression of);
  MessyExpression interpolated(const std::string& content);
  MessyExpression regex_extract();
  MessyExpression regex_match();
  std::vector<MessyExpression> arguments();

  int depth_;
};

}  // namespace sequela
