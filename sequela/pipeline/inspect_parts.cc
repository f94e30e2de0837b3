#include "sequela/pipeline/inspect_parts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "sequela/core/number_text.h"

namespace sequela {

void Description::add(const std::string& name, int64_t value) {
  add(name, with_thousands(value));
}

std::string Description::text() const {
  size_t width = 0;
  for (const auto& [name, value] : lines_) width = std::max(width, name.size());
  std::string text = title_ + "\n";
  for (const auto& [name, value] : lines_) {
    text += "  " + name + std::string(width - name.size() + 2, ' ') + value + "\n";
  }
  return text;
}

std::string time_text(double seconds) {
  static constexpr struct {
    double seconds;
    const char* name;
  } kUnits[] = {{365.25 * 86'400, "years"}, {86'400, "days"}, {3'600, "h"}, {60, "min"}, {1, "s"}};
  for (const auto& unit : kUnits) {
    if (std::abs(seconds) < unit.seconds && unit.seconds > 1) continue;
    char text[48];
    std::snprintf(text, sizeof(text), "%.3g %s", seconds / unit.seconds, unit.name);
    return text;
  }
  return "0 s";
}

}  // namespace sequela
