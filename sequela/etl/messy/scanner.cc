#include "sequela/etl/messy/scanner.h"

#include <cctype>

#include "sequela/core/error.h"

namespace sequela {
namespace {

using Kind = MessyExpression::Kind;

bool is_word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

}  // namespace

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

void Scanner::fail(const std::string& problem) const {
  throw ConfigError(str("at character ", at_ + 1, " of the expression: ", problem));
}

void Scanner::skip_blanks() {
  while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
}

char Scanner::next() {
  skip_blanks();
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool Scanner::starts_with(std::string_view token) {
  skip_blanks();
  return text_.substr(at_).starts_with(token);
}

bool Scanner::take(std::string_view token) {
  if (!starts_with(token)) return false;
  at_ += token.size();
  return true;
}

void Scanner::expect(std::string_view token) {
  if (!take(token)) fail(str("'", token, "' was expected"));
}

std::string Scanner::word() {
  skip_blanks();
  size_t end = at_;
  while (end < text_.size() && is_word_char(text_[end])) ++end;
  return std::string(text_.substr(at_, end - at_));
}

bool Scanner::take_word(const std::string& wanted) {
  if (lower_case(word()) != wanted) return false;
  at_ += wanted.size();
  return true;
}

std::string Scanner::quoted(char quote) {
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

std::string Scanner::regex() {
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

// "11:30", "11:30:15", "1:30 p.m."; as HH:MM:SS.
std::optional<std::string> Scanner::time_of_day() {
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
  const std::string rest = lower_case(text_.substr(i, 5));
  for (const char* half : {" a.m.", " p.m.", " am", " pm"}) {
    if (!rest.starts_with(half)) continue;
    hours = hours % 12 + (half[1] == 'p' ? 12 : 0);
    i += std::string_view(half).size();
    break;
  }
  at_ = i;
  return str(hours < 10 ? "0" : "", hours, ":", minute, ":", second);
}

MessyExpression Scanner::number_or_time() {
  const std::string_view rest = text_.substr(at_);
  if (rest.size() >= 10 && rest[4] == '-' && rest[7] == '-' && is_digit(rest[5]) &&
      is_digit(rest[8])) {
    std::string date(rest.substr(0, 10));
    at_ += 10;
    if (at_ + 1 < text_.size() && (text_[at_] == ' ' || text_[at_] == 'T') &&
        is_digit(text_[at_ + 1])) {
      const size_t before = at_++;
      if (const auto time = time_of_day()) return {Kind::datetime, date + " " + *time};
      at_ = before;
    }
    return {Kind::date, date};
  }
  if (const auto time = time_of_day()) return {Kind::time, *time};
  size_t end = at_;
  bool is_real = false;
  while (end < text_.size() && (is_digit(text_[end]) || (text_[end] == '.' && !is_real))) {
    is_real = is_real || text_[end] == '.';
    ++end;
  }
  std::string number(text_.substr(at_, end - at_));
  at_ = end;
  return {is_real ? Kind::real : Kind::integer, number};
}

}  // namespace sequela
