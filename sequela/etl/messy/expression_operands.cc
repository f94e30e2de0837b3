#include <algorithm>
#include <array>

#include "sequela/etl/messy/expression_parser.h"

namespace sequela {
namespace {

using Kind = MessyExpression::Kind;

// Words that end an expression or join two.
bool is_keyword(const std::string& word) {
  static constexpr std::array kKeywords = {"if", "else", "and",  "or", "not",
                                           "as", "in",   "from", "of"};
  return std::ranges::find(kKeywords, lower_case(word)) != kKeywords.end();
}

}  // namespace

MessyExpression ExpressionParser::postfix() {
  MessyExpression value = primary();
  while (take("[")) value = slice(std::move(value));
  return value;
}

MessyExpression ExpressionParser::slice(MessyExpression of) {
  MessyExpression start, stop;
  if (!starts_with(":")) start = additive();
  if (start.kind == Kind::time) {  // [10:30] reads like a time of day
    stop = make_expression(Kind::integer, start.text.substr(3, 2));
    start = make_expression(Kind::integer, start.text.substr(0, 2));
    expect("]");
    return make_expression(Kind::slice, "",
                           list_of(std::move(of), std::move(start), std::move(stop)));
  }
  expect(":");
  if (!starts_with("]")) stop = additive();
  expect("]");
  return make_expression(Kind::slice, "",
                         list_of(std::move(of), std::move(start), std::move(stop)));
}

MessyExpression ExpressionParser::regex_match() {
  std::string pattern = regex();
  if (!take_word("in")) fail("'in' was expected behind the regular expression");
  return make_expression(Kind::match, std::move(pattern), list_of(additive()));
}

MessyExpression ExpressionParser::regex_extract() {
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
  MessyExpression extract = make_expression(Kind::extract, std::move(pattern), list_of(additive()));
  extract.group = group;
  return extract;
}

MessyExpression ExpressionParser::interpolated(const std::string& content) {
  std::vector<MessyExpression> parts;
  std::string plain;
  for (size_t i = 0; i < content.size();) {
    const char c = content[i];
    if ((c == '{' || c == '}') && i + 1 < content.size() && content[i + 1] == c) {
      plain += c;
      i += 2;
    } else if (c == '{') {
      if (!plain.empty()) parts.push_back(make_expression(Kind::text, std::move(plain)));
      plain.clear();
      ExpressionParser field(std::string_view(content).substr(i + 1), depth_ + 1);
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
  if (!plain.empty() || parts.empty())
    parts.push_back(make_expression(Kind::text, std::move(plain)));
  return make_expression(Kind::interpolate, "", std::move(parts));
}

std::vector<MessyExpression> ExpressionParser::arguments() {
  std::vector<MessyExpression> args;
  if (take(")")) return args;
  do {
    args.push_back(global_cast());
  } while (take(","));
  expect(")");
  return args;
}

MessyExpression ExpressionParser::primary() {
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
    return make_expression(Kind::text, quoted(c));
  }
  if (c == '$') {
    ++at_;
    if (at_ < text_.size() && text_[at_] == '`') {
      ++at_;
      return make_expression(Kind::column, quoted('`'));
    }
    const std::string name = word();
    if (name.empty()) fail("the name of a column was expected behind $");
    at_ += name.size();
    return make_expression(Kind::column, name);
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
    return make_expression(Kind::boolean, lower_case(name));
  if (take("(")) return make_expression(Kind::call, name, arguments());
  return make_expression(Kind::text, name);
}

}  // namespace sequela
