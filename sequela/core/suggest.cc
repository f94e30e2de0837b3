#include "sequela/core/suggest.h"

#include <algorithm>
#include <limits>

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr size_t kLettersPerFault = 3;  // a name may have one fault for so many letters

// Edits (insert, delete, change, swap of neighbours) that turn `given` into `known`, or into the
// part of `known` that fits best if its ends are free. Optimal string alignment.
size_t count_edits(std::string_view given, std::string_view known, bool are_ends_free) {
  std::vector<std::vector<size_t>> edits(given.size() + 1, std::vector<size_t>(known.size() + 1));
  for (size_t k = 0; k <= known.size(); ++k) edits[0][k] = are_ends_free ? 0 : k;
  for (size_t g = 1; g <= given.size(); ++g) {
    edits[g][0] = g;
    for (size_t k = 1; k <= known.size(); ++k) {
      const size_t change = given[g - 1] == known[k - 1] ? 0 : 1;
      size_t fewest =
          std::min({edits[g - 1][k] + 1, edits[g][k - 1] + 1, edits[g - 1][k - 1] + change});
      const bool is_swap =
          g > 1 && k > 1 && given[g - 1] == known[k - 2] && given[g - 2] == known[k - 1];
      if (is_swap) fewest = std::min(fewest, edits[g - 2][k - 2] + 1);
      edits[g][k] = fewest;
    }
  }
  const std::vector<size_t>& last = edits.back();
  return are_ends_free ? *std::ranges::min_element(last) : last.back();
}

// The names in "hybrid, encounter, day or hours" and "fp32, bf16 or int8".
std::vector<std::string> listed_names(std::string_view list) {
  std::vector<std::string> names;
  std::string name;
  const auto end_name = [&] {
    if (!name.empty() && name != "or") names.push_back(name);
    name.clear();
  };
  for (const char c : list) {
    if (c == ' ' || c == ',' || c == '.' || c == ';' || c == '(' || c == ')') {
      end_name();
    } else {
      name += c;
    }
  }
  end_name();
  return names;
}

}  // namespace

std::string closest_name(std::string_view given, const std::vector<std::string>& known) {
  const size_t max_edits = std::max<size_t>(1, given.size() / kLettersPerFault);
  std::string closest;
  size_t fewest = std::numeric_limits<size_t>::max();
  for (const std::string& name : known) {
    // Of two that fit as well, the one that fits as a whole.
    const size_t whole = 2 * count_edits(given, name, false);
    const size_t part = given.size() > kLettersPerFault ? 2 * count_edits(given, name, true) + 1
                                                        : std::numeric_limits<size_t>::max();
    const bool is_longer = name.size() > kLettersPerFault && given.starts_with(name);
    const size_t score = is_longer ? 1 : std::min(whole, part);
    if (score < fewest && score <= 2 * max_edits + 1 && score < 2 * given.size()) {
      fewest = score;
      closest = name;
    }
  }
  return closest;
}

std::string did_you_mean(std::string_view given, const std::vector<std::string>& known) {
  const std::string name = closest_name(given, known);
  return name.empty() ? "" : str("; did you mean '", name, "'?");
}

std::string with_suggestion(const std::string& message) {
  constexpr std::string_view kMiddle = "' is not allowed. Fix: give ";
  const size_t middle = message.find(kMiddle);
  const size_t quote = middle == std::string::npos ? middle : message.find(": '");
  if (quote == std::string::npos || quote + 3 > middle) return message;
  const std::string given = message.substr(quote + 3, middle - quote - 3);
  const std::string suggestion =
      did_you_mean(given, listed_names(std::string_view(message).substr(middle + kMiddle.size())));
  if (suggestion.empty()) return message;
  return message.substr(0, middle) + "' is not allowed" + suggestion +
         message.substr(middle + std::string_view("' is not allowed.").size());
}

}  // namespace sequela
