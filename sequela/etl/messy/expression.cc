#include "sequela/etl/messy/expression.h"

#include <algorithm>
#include <array>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/etl/messy/scanner.h"

namespace sequela {
namespace {

using Kind = MessyExpression::Kind;

constexpr int kMaxDepth = 64;

// Words that end an expression or join two.
bool is_keyword(const std::string& word) {
  static constexpr std::array kKeywords = {"if", "else", "and",  "or", "not",
                                           "as", "in",   "from", "of"};
  return std::ranges::find(kKeywords, lower_case(word)) != kKeywords.end();
}

// Not as a braced list: GCC 12 destroys such a list's expressions twice where an argument throws.
template <class... Each>
std::vector<MessyExpression> list_of(Each... each) {
  std::vector<MessyExpression> list;
  (list.push_back(std::move(each)), ...);
  return list;
}

MessyExpression make(Kind kind, std::string text, std::vector<MessyExpression> args = {}) {
  return {kind, std::move(text), std::move(args)};
}

// Recursive descent, loosest first; grammar.lark of dftly 0.7 has the same order.
class Parser : private Scanner {
 public:
  explicit Parser(std::string_view text, int depth = 0) : Scanner(text), depth_(depth) {}

  MessyExpression parse() {
    MessyExpression whole = global_cast();
    if (next() != '\0') fail("nothing more was expected");
    return whole;
  }

 private:
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
  MessyExpression postfix();
  MessyExpression primary();
  MessyExpression slice(MessyExpression of);
  MessyExpression interpolated(const std::string& content);
  MessyExpression regex_extract();
  MessyExpression regex_match();
  MessyExpression cast_of(MessyExpression value);
  std::vector<MessyExpression> arguments();

  int depth_;
};

MessyExpression Parser::cast_of(MessyExpression value) {
  const bool is_lenient = take("?");
  const char quote = next();
  MessyExpression cast;
  if (quote == '"' || quote == '\'') {
    ++at_;
    cast = make(Kind::strptime, quoted(quote), list_of(std::move(value)));
  } else {
    const std::string type = word();
    if (type.empty()) fail("a type or a format was expected");
    at_ += type.size();
    cast = make(Kind::cast, type, list_of(std::move(value)));
  }
  cast.is_lenient = is_lenient;
  return cast;
}

MessyExpression Parser::global_cast() {
  if (++depth_ > kMaxDepth) fail("it is nested too deeply");
  MessyExpression value = conditional();
  while (true) {
    if (take_word("as")) {
      value = cast_of(std::move(value));
    } else if (take("@")) {
      skip_blanks();
      const auto time = time_of_day();
      if (!time) fail("a time of day was expected");
      value = make(Kind::call, "set_time", list_of(std::move(value), make(Kind::time, *time)));
    } else {
      --depth_;
      return value;
    }
  }
}

MessyExpression Parser::conditional() {
  MessyExpression value = coalesced();
  if (!take_word("if")) return value;
  std::vector<MessyExpression> args = list_of(std::move(value), coalesced());
  if (take_word("else")) args.push_back(conditional());
  return make(Kind::conditional, "", std::move(args));
}

MessyExpression Parser::coalesced() {
  MessyExpression left = either();
  while (take("??")) left = make(Kind::call, "coalesce", list_of(std::move(left), either()));
  return left;
}

MessyExpression Parser::either() {
  MessyExpression left = both();
  while (take("||") || take_word("or"))
    left = make(Kind::binary, "or", list_of(std::move(left), both()));
  return left;
}

MessyExpression Parser::both() {
  MessyExpression left = comparison();
  while (take("&&") || take_word("and"))
    left = make(Kind::binary, "and", list_of(std::move(left), comparison()));
  return left;
}

MessyExpression Parser::comparison() {
  MessyExpression left = additive();
  for (const char* op : {"==", "!=", ">=", "<=", ">", "<"}) {
    if (take(op)) return make(Kind::binary, op, list_of(std::move(left), additive()));
  }
  return left;
}

MessyExpression Parser::additive() {
  MessyExpression left = multiplicative();
  while (starts_with("+") || starts_with("-")) {
    const std::string op(1, text_[at_++]);
    left = make(Kind::binary, op, list_of(std::move(left), multiplicative()));
  }
  return left;
}

MessyExpression Parser::multiplicative() {
  MessyExpression left = power();
  while ((starts_with("*") && !starts_with("**")) || starts_with("/")) {
    const std::string op(1, text_[at_++]);
    left = make(Kind::binary, op, list_of(std::move(left), power()));
  }
  return left;
}

MessyExpression Parser::power() {
  MessyExpression left = local_cast();
  if (take("**")) return make(Kind::binary, "**", list_of(std::move(left), power()));
  return left;
}

MessyExpression Parser::local_cast() {
  MessyExpression value = unary();
  while (take("::")) value = cast_of(std::move(value));
  return value;
}

MessyExpression Parser::unary() {
  if (take_word("not") || (starts_with("!") && !starts_with("!=") && take("!"))) {
    return make(Kind::unary, "not", list_of(unary()));
  }
  if (take("-")) return make(Kind::unary, "-", list_of(unary()));
  if (take("+")) return make(Kind::unary, "+", list_of(unary()));
  return postfix();
}

MessyExpression Parser::postfix() {
  MessyExpression value = primary();
  while (take("[")) value = slice(std::move(value));
  return value;
}

MessyExpression Parser::slice(MessyExpression of) {
  MessyExpression start, stop;
  if (!starts_with(":")) start = additive();
  if (start.kind == Kind::time) {  // [10:30] reads like a time of day
    stop = make(Kind::integer, start.text.substr(3, 2));
    start = make(Kind::integer, start.text.substr(0, 2));
    expect("]");
    return make(Kind::slice, "", list_of(std::move(of), std::move(start), std::move(stop)));
  }
  expect(":");
  if (!starts_with("]")) stop = additive();
  expect("]");
  return make(Kind::slice, "", list_of(std::move(of), std::move(start), std::move(stop)));
}

MessyExpression Parser::regex_match() {
  std::string pattern = regex();
  if (!take_word("in")) fail("'in' was expected behind the regular expression");
  return make(Kind::match, std::move(pattern), list_of(additive()));
}

MessyExpression Parser::regex_extract() {
  int group = 0;
  if (take_word("group")) {
    const std::string number = word();
    if (number.empty() || !std::ranges::all_of(number, is_digit) || number.size() > 2)
      fail("the number of a group was expected");
    at_ += number.size();
    group = std::stoi(number);
    if (!take_word("of")) fail("'of' was expected");
  }
  expect("/");
  std::string pattern = regex();
  if (!take_word("from")) fail("'from' was expected");
  MessyExpression extract = make(Kind::extract, std::move(pattern), list_of(additive()));
  extract.group = group;
  return extract;
}

MessyExpression Parser::interpolated(const std::string& content) {
  std::vector<MessyExpression> parts;
  std::string plain;
  for (size_t i = 0; i < content.size();) {
    const char c = content[i];
    if ((c == '{' || c == '}') && i + 1 < content.size() && content[i + 1] == c) {
      plain += c;
      i += 2;
    } else if (c == '{') {
      if (!plain.empty()) parts.push_back(make(Kind::text, std::move(plain)));
      plain.clear();
      Parser field(std::string_view(content).substr(i + 1), depth_ + 1);
      parts.push_back(field.global_cast());
      field.expect("}");
      i += 1 + field.at_;
    } else if (c == '}') {
      fail("a } in an f-string that closes nothing; write }} for the character");
    } else {
      plain += c;
      ++i;
    }
  }
  if (!plain.empty() || parts.empty()) parts.push_back(make(Kind::text, std::move(plain)));
  return make(Kind::interpolate, "", std::move(parts));
}

std::vector<MessyExpression> Parser::arguments() {
  std::vector<MessyExpression> args;
  if (take(")")) return args;
  do {
    args.push_back(global_cast());
  } while (take(","));
  expect(")");
  return args;
}

MessyExpression Parser::primary() {
  skip_blanks();
  if (at_ == text_.size()) fail("a value was expected");
  const char c = text_[at_];
  if (take("(")) {
    MessyExpression inner = global_cast();
    expect(")");
    return inner;
  }
  if (c == '/') {
    ++at_;
    return regex_match();
  }
  if (c == '"' || c == '\'') {
    ++at_;
    return make(Kind::text, quoted(c));
  }
  if (c == '$') {
    ++at_;
    if (at_ < text_.size() && text_[at_] == '`') {
      ++at_;
      return make(Kind::column, quoted('`'));
    }
    const std::string name = word();
    if (name.empty()) fail("the name of a column was expected behind $");
    at_ += name.size();
    return make(Kind::column, name);
  }
  if (is_digit(c)) return number_or_time();
  const std::string name = word();
  if (name.empty() || is_keyword(name)) fail("a value was expected");
  at_ += name.size();
  const char next = at_ < text_.size() ? text_[at_] : '\0';
  if (name == "f" && (next == '"' || next == '\'')) {
    ++at_;
    return interpolated(quoted(next));
  }
  if (lower_case(name) == "extract" && (starts_with("/") || lower_case(word()) == "group"))
    return regex_extract();
  if (lower_case(name) == "true" || lower_case(name) == "false")
    return make(Kind::boolean, lower_case(name));
  if (take("(")) return make(Kind::call, name, arguments());
  return make(Kind::text, name);
}

void collect(const MessyExpression& expression, std::vector<std::string>* columns) {
  if (expression.kind == Kind::column &&
      std::ranges::find(*columns, expression.text) == columns->end()) {
    columns->push_back(expression.text);
  }
  for (const MessyExpression& arg : expression.args) collect(arg, columns);
}

}  // namespace

MessyExpression parse_expression(std::string_view text) {
  return Parser(text).parse();
}

std::vector<std::string> columns_of(const MessyExpression& expression) {
  std::vector<std::string> columns;
  collect(expression, &columns);
  return columns;
}

}  // namespace sequela
