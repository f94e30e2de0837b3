#include "sequela/etl/messy/expression.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "sequela/core/error.h"

namespace sequela {
namespace {

using Kind = Expression::Kind;

constexpr int kMaxDepth = 64;

bool is_word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// Words that end an expression or join two.
bool is_keyword(const std::string& word) {
  static constexpr std::array kKeywords = {"if", "else", "and",  "or", "not",
                                           "as", "in",   "from", "of"};
  return std::ranges::find(kKeywords, lower(word)) != kKeywords.end();
}

Expression make(Kind kind, std::string text, std::vector<Expression> args = {}) {
  return {kind, std::move(text), std::move(args)};
}

// Recursive descent, loosest first; grammar.lark of dftly 0.7 has the same order.
class Parser {
 public:
  explicit Parser(std::string_view text, int depth = 0) : text_(text), depth_(depth) {}

  Expression parse() {
    Expression whole = global_cast();
    skip_blanks();
    if (at_ < text_.size()) fail("nothing more was expected");
    return whole;
  }

 private:
  Expression global_cast();
  Expression conditional();
  Expression coalesced();
  Expression either();
  Expression both();
  Expression comparison();
  Expression additive();
  Expression multiplicative();
  Expression power();
  Expression local_cast();
  Expression unary();
  Expression postfix();
  Expression primary();
  Expression number_or_time();
  Expression slice(Expression of);
  Expression interpolated(const std::string& content);
  Expression regex_extract();
  Expression regex_match();
  Expression cast_of(Expression value);
  std::vector<Expression> arguments();

  void skip_blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool starts_with(std::string_view token) {
    skip_blanks();
    return text_.substr(at_).starts_with(token);
  }
  bool take(std::string_view token) {
    if (!starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) fail(str("'", token, "' was expected"));
  }
  // The word that starts here, not taken.
  std::string word() {
    skip_blanks();
    size_t end = at_;
    while (end < text_.size() && is_word_char(text_[end])) ++end;
    return std::string(text_.substr(at_, end - at_));
  }
  bool take_word(const std::string& wanted) {
    if (lower(word()) != wanted) return false;
    at_ += wanted.size();
    return true;
  }
  std::string quoted(char quote);  // at_ stands behind the opening quote
  std::string regex();             // at_ stands behind the opening slash
  std::optional<std::string> time_text();
  [[noreturn]] void fail(const std::string& problem) const {
    throw ConfigError(str("at character ", at_ + 1, " of the expression: ", problem));
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_;
};

Expression Parser::cast_of(Expression value) {
  const bool is_lenient = take("?");
  skip_blanks();
  const char next = at_ < text_.size() ? text_[at_] : '\0';
  Expression cast;
  if (next == '"' || next == '\'') {
    ++at_;
    cast = make(Kind::strptime, quoted(next), {std::move(value)});
  } else {
    const std::string type = word();
    if (type.empty()) fail("a type or a format was expected");
    at_ += type.size();
    cast = make(Kind::cast, type, {std::move(value)});
  }
  cast.is_lenient = is_lenient;
  return cast;
}

Expression Parser::global_cast() {
  if (++depth_ > kMaxDepth) fail("it is nested too deeply");
  Expression value = conditional();
  while (true) {
    if (take_word("as")) {
      value = cast_of(std::move(value));
    } else if (take("@")) {
      skip_blanks();
      const auto time = time_text();
      if (!time) fail("a time of day was expected");
      value = make(Kind::call, "set_time", {std::move(value), make(Kind::time, *time)});
    } else {
      --depth_;
      return value;
    }
  }
}

Expression Parser::conditional() {
  Expression value = coalesced();
  if (!take_word("if")) return value;
  std::vector<Expression> args = {std::move(value), coalesced()};
  if (take_word("else")) args.push_back(conditional());
  return make(Kind::conditional, "", std::move(args));
}

Expression Parser::coalesced() {
  Expression left = either();
  while (take("??")) left = make(Kind::call, "coalesce", {std::move(left), either()});
  return left;
}

Expression Parser::either() {
  Expression left = both();
  while (take("||") || take_word("or")) left = make(Kind::binary, "or", {std::move(left), both()});
  return left;
}

Expression Parser::both() {
  Expression left = comparison();
  while (take("&&") || take_word("and"))
    left = make(Kind::binary, "and", {std::move(left), comparison()});
  return left;
}

Expression Parser::comparison() {
  Expression left = additive();
  for (const char* op : {"==", "!=", ">=", "<=", ">", "<"}) {
    if (take(op)) return make(Kind::binary, op, {std::move(left), additive()});
  }
  return left;
}

Expression Parser::additive() {
  Expression left = multiplicative();
  while (starts_with("+") || starts_with("-")) {
    const std::string op(1, text_[at_++]);
    left = make(Kind::binary, op, {std::move(left), multiplicative()});
  }
  return left;
}

Expression Parser::multiplicative() {
  Expression left = power();
  while ((starts_with("*") && !starts_with("**")) || starts_with("/")) {
    const std::string op(1, text_[at_++]);
    left = make(Kind::binary, op, {std::move(left), power()});
  }
  return left;
}

Expression Parser::power() {
  Expression left = local_cast();
  if (take("**")) return make(Kind::binary, "**", {std::move(left), power()});
  return left;
}

Expression Parser::local_cast() {
  Expression value = unary();
  while (take("::")) value = cast_of(std::move(value));
  return value;
}

Expression Parser::unary() {
  if (take_word("not") || (starts_with("!") && !starts_with("!=") && take("!"))) {
    return make(Kind::unary, "not", {unary()});
  }
  if (take("-")) return make(Kind::unary, "-", {unary()});
  if (take("+")) return make(Kind::unary, "+", {unary()});
  return postfix();
}

Expression Parser::postfix() {
  Expression value = primary();
  while (take("[")) value = slice(std::move(value));
  return value;
}

Expression Parser::slice(Expression of) {
  Expression start, stop;
  if (!starts_with(":")) start = additive();
  if (start.kind == Kind::time) {  // [10:30] reads like a time of day
    stop = make(Kind::integer, start.text.substr(3, 2));
    start = make(Kind::integer, start.text.substr(0, 2));
    expect("]");
    return make(Kind::slice, "", {std::move(of), std::move(start), std::move(stop)});
  }
  expect(":");
  if (!starts_with("]")) stop = additive();
  expect("]");
  return make(Kind::slice, "", {std::move(of), std::move(start), std::move(stop)});
}

std::string Parser::quoted(char quote) {
  std::string out;
  while (at_ < text_.size() && text_[at_] != quote) {
    if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
      const char next = text_[++at_];
      ++at_;
      if (next == 'n')
        out += '\n';
      else if (next == 't')
        out += '\t';
      else if (next == '\\' || next == '"' || next == '\'')
        out += next;
      else
        out += {'\\', next};
      continue;
    }
    out += text_[at_++];
  }
  if (at_ == text_.size()) fail(str("the ", quote, " is not closed"));
  ++at_;
  return out;
}

std::string Parser::regex() {
  std::string out;
  while (at_ < text_.size() && text_[at_] != '/') {
    if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
      if (text_[at_ + 1] != '/') out += '\\';
      ++at_;
    }
    out += text_[at_++];
  }
  if (at_ == text_.size()) fail("the / of the regular expression is not closed");
  ++at_;
  return out;
}

Expression Parser::regex_match() {
  std::string pattern = regex();
  if (!take_word("in")) fail("'in' was expected behind the regular expression");
  return make(Kind::match, std::move(pattern), {additive()});
}

Expression Parser::regex_extract() {
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
  Expression extract = make(Kind::extract, std::move(pattern), {additive()});
  extract.group = group;
  return extract;
}

Expression Parser::interpolated(const std::string& content) {
  std::vector<Expression> parts;
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

// "11:30", "11:30:15", "1:30 p.m."; as HH:MM:SS.
std::optional<std::string> Parser::time_text() {
  size_t i = at_;
  const auto digits = [&](size_t most) {
    std::string out;
    while (out.size() < most && i < text_.size() && is_digit(text_[i])) out += text_[i++];
    return out;
  };
  const std::string hour = digits(2);
  if (hour.empty() || i >= text_.size() || text_[i] != ':') return std::nullopt;
  ++i;
  const std::string minute = digits(2);
  if (minute.size() != 2) return std::nullopt;
  std::string second = "00";
  if (i + 2 < text_.size() && text_[i] == ':' && is_digit(text_[i + 1])) {
    ++i;
    second = digits(2);
  }
  int hours = std::stoi(hour);
  const std::string rest = lower(text_.substr(i, 5));
  for (const char* half : {" a.m.", " p.m.", " am", " pm"}) {
    if (!rest.starts_with(half)) continue;
    hours = hours % 12 + (half[1] == 'p' ? 12 : 0);
    i += std::string_view(half).size();
    break;
  }
  at_ = i;
  return str(hours < 10 ? "0" : "", hours, ":", minute, ":", second);
}

Expression Parser::number_or_time() {
  const std::string_view rest = text_.substr(at_);
  if (rest.size() >= 10 && rest[4] == '-' && rest[7] == '-' && is_digit(rest[5]) &&
      is_digit(rest[8])) {
    std::string date(rest.substr(0, 10));
    at_ += 10;
    if (at_ + 1 < text_.size() && (text_[at_] == ' ' || text_[at_] == 'T') &&
        is_digit(text_[at_ + 1])) {
      const size_t before = at_++;
      if (const auto time = time_text()) return make(Kind::datetime, date + " " + *time);
      at_ = before;
    }
    return make(Kind::date, date);
  }
  if (const auto time = time_text()) return make(Kind::time, *time);
  size_t end = at_;
  bool is_real = false;
  while (end < text_.size() && (is_digit(text_[end]) || (text_[end] == '.' && !is_real))) {
    is_real = is_real || text_[end] == '.';
    ++end;
  }
  std::string number(text_.substr(at_, end - at_));
  at_ = end;
  return make(is_real ? Kind::real : Kind::integer, number);
}

std::vector<Expression> Parser::arguments() {
  std::vector<Expression> args;
  if (take(")")) return args;
  do {
    args.push_back(global_cast());
  } while (take(","));
  expect(")");
  return args;
}

Expression Parser::primary() {
  skip_blanks();
  if (at_ == text_.size()) fail("a value was expected");
  const char c = text_[at_];
  if (take("(")) {
    Expression inner = global_cast();
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
  if (lower(name) == "extract" && (starts_with("/") || lower(word()) == "group"))
    return regex_extract();
  if (lower(name) == "true" || lower(name) == "false") return make(Kind::boolean, lower(name));
  if (take("(")) return make(Kind::call, name, arguments());
  return make(Kind::text, name);
}

void collect(const Expression& expression, std::vector<std::string>* columns) {
  if (expression.kind == Kind::column &&
      std::ranges::find(*columns, expression.text) == columns->end()) {
    columns->push_back(expression.text);
  }
  for (const Expression& arg : expression.args) collect(arg, columns);
}

}  // namespace

Expression parse_expression(std::string_view text) {
  return Parser(text).parse();
}

std::vector<std::string> columns_of(const Expression& expression) {
  std::vector<std::string> columns;
  collect(expression, &columns);
  return columns;
}

}  // namespace sequela
