#include "sequela/etl/messy/expression.h"

#include <algorithm>

#include "sequela/etl/messy/expression_parser.h"

namespace sequela {
namespace {

using Kind = MessyExpression::Kind;

constexpr int kMaxDepth = 64;

void collect(const MessyExpression& expression, std::vector<std::string>* columns) {
  if (expression.kind == Kind::column &&
      std::ranges::find(*columns, expression.text) == columns->end()) {
    columns->push_back(expression.text);
  }
  for (const MessyExpression& arg : expression.args) collect(arg, columns);
}

}  // namespace

MessyExpression ExpressionParser::parse() {
  MessyExpression whole = global_cast();
  if (next() != '\0') fail("nothing more was expected");
  return whole;
}

MessyExpression ExpressionParser::cast_of(MessyExpression value) {
  const bool is_lenient = take("?");
  const char quote = next();
  MessyExpression cast;
  if (quote == '"' || quote == '\'') {
    ++at_;
    cast = make_expression(Kind::strptime, quoted(quote), list_of(std::move(value)));
  } else {
    const std::string type = word();
    if (type.empty()) fail("a type or a format was expected");
    at_ += type.size();
    cast = make_expression(Kind::cast, type, list_of(std::move(value)));
  }
  cast.is_lenient = is_lenient;
  return cast;
}

MessyExpression ExpressionParser::global_cast() {
  if (++depth_ > kMaxDepth) fail("it is nested too deeply");
  MessyExpression value = conditional();
  while (true) {
    if (take_word("as")) {
      value = cast_of(std::move(value));
    } else if (take("@")) {
      skip_blanks();
      const auto time = time_of_day();
      if (!time) fail("a time of day was expected");
      value = make_expression(Kind::call, "set_time",
                              list_of(std::move(value), make_expression(Kind::time, *time)));
    } else {
      --depth_;
      return value;
    }
  }
}

MessyExpression ExpressionParser::conditional() {
  MessyExpression value = coalesced();
  if (!take_word("if")) return value;
  std::vector<MessyExpression> args = list_of(std::move(value), coalesced());
  if (take_word("else")) args.push_back(conditional());
  return make_expression(Kind::conditional, "", std::move(args));
}

MessyExpression ExpressionParser::coalesced() {
  MessyExpression left = either();
  while (take("??"))
    left = make_expression(Kind::call, "coalesce", list_of(std::move(left), either()));
  return left;
}

MessyExpression ExpressionParser::either() {
  MessyExpression left = both();
  while (take("||") || take_word("or"))
    left = make_expression(Kind::binary, "or", list_of(std::move(left), both()));
  return left;
}

MessyExpression ExpressionParser::both() {
  MessyExpression left = comparison();
  while (take("&&") || take_word("and"))
    left = make_expression(Kind::binary, "and", list_of(std::move(left), comparison()));
  return left;
}

MessyExpression ExpressionParser::comparison() {
  MessyExpression left = additive();
  for (const char* op : {"==", "!=", ">=", "<=", ">", "<"}) {
    if (take(op)) return make_expression(Kind::binary, op, list_of(std::move(left), additive()));
  }
  return left;
}

MessyExpression ExpressionParser::additive() {
  MessyExpression left = multiplicative();
  while (starts_with("+") || starts_with("-")) {
    const std::string op(1, text_[at_++]);
    left = make_expression(Kind::binary, op, list_of(std::move(left), multiplicative()));
  }
  return left;
}

MessyExpression ExpressionParser::multiplicative() {
  MessyExpression left = power();
  while ((starts_with("*") && !starts_with("**")) || starts_with("/")) {
    const std::string op(1, text_[at_++]);
    left = make_expression(Kind::binary, op, list_of(std::move(left), power()));
  }
  return left;
}

MessyExpression ExpressionParser::power() {
  MessyExpression left = local_cast();
  if (take("**")) return make_expression(Kind::binary, "**", list_of(std::move(left), power()));
  return left;
}

MessyExpression ExpressionParser::local_cast() {
  MessyExpression value = unary();
  while (take("::")) value = cast_of(std::move(value));
  return value;
}

MessyExpression ExpressionParser::unary() {
  if (take_word("not") || (starts_with("!") && !starts_with("!=") && take("!"))) {
    return make_expression(Kind::unary, "not", list_of(unary()));
  }
  if (take("-")) return make_expression(Kind::unary, "-", list_of(unary()));
  if (take("+")) return make_expression(Kind::unary, "+", list_of(unary()));
  return postfix();
}

MessyExpression parse_expression(std::string_view text) {
  return ExpressionParser(text).parse();
}

std::vector<std::string> columns_of(const MessyExpression& expression) {
  std::vector<std::string> columns;
  collect(expression, &columns);
  return columns;
}

}  // namespace sequela
