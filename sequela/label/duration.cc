#include "sequela/label/duration.h"

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <string>

#include "sequela/core/time.h"

namespace sequela {
namespace {

constexpr double kMaxSeconds = 3.2e11;  // some ten thousand years

struct Unit {
  std::string_view names;  // each between blanks
  double seconds;
};
constexpr Unit kUnits[] = {{" w wk wks week weeks ", 604'800},
                           {" d day days ", 86'400},
                           {" h hr hrs hour hours ", 3'600},
                           {" m min mins minute minutes ", 60},
                           {" s sec secs second seconds ", 1}};

std::optional<double> unit_seconds(const std::string& name) {
  for (const Unit& unit : kUnits) {
    if (unit.names.find(' ' + name + ' ') != std::string_view::npos) return unit.seconds;
  }
  return std::nullopt;
}

// Reads a text from left to right.
class DurationReader {
 public:
  explicit DurationReader(std::string_view text) : text_(text) {}

  std::optional<double> seconds() {
    const bool is_negative = sign();
    double total = 0;
    for (skip(); at_ < text_.size(); skip()) {
      const auto part = clock_or_number();
      if (!part) return std::nullopt;
      total += *part;
    }
    if (num_parts_ == 0 || !(total <= kMaxSeconds)) return std::nullopt;
    return is_negative ? -total : total;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip() {
    while (peek() == ' ' || (num_parts_ > 0 && peek() == ',')) ++at_;
  }

  bool sign() {
    skip();
    const bool is_negative = peek() == '-';
    if (is_negative || peek() == '+') ++at_;
    return is_negative;
  }

  std::optional<double> number() {
    const size_t begin = at_;
    while (is_digit(peek()) || peek() == '.') ++at_;
    const std::string digits(text_.substr(begin, at_ - begin));
    char* end = nullptr;
    const double value = std::strtod(digits.c_str(), &end);
    if (digits.empty() || digits == "." || *end != '\0') return std::nullopt;
    return value;
  }

  // "14:20:16", "90:30", or a number with its unit.
  std::optional<double> clock_or_number() {
    auto value = number();
    if (!value) return std::nullopt;
    ++num_parts_;
    if (peek() == ':') {
      for (int i = 0; i < 2 && peek() == ':'; ++i) {
        ++at_;
        const auto next = number();
        if (!next || *next >= 60) return std::nullopt;
        value = *value * 60 + *next;
      }
      return value;
    }
    skip();
    std::string name;
    while (std::isalpha(static_cast<unsigned char>(peek()))) {
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(text_[at_++])));
    }
    const auto unit = unit_seconds(name);
    if (!unit) return std::nullopt;
    return *value * *unit;
  }

  std::string_view text_;
  size_t at_ = 0;
  int num_parts_ = 0;
};

}  // namespace

std::optional<int64_t> parse_duration(std::string_view text) {
  const auto seconds = DurationReader(text).seconds();
  if (!seconds) return std::nullopt;
  return std::llround(*seconds * static_cast<double>(kMicrosPerSecond));
}

}  // namespace sequela
