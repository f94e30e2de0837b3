#pragma once

#include <string>

#include "python/bindings.h"
#include "sequela/io/time_column.h"

namespace sequela::python {

// Gives options with a `zone_rule` the property time_zone: "utc" or "local", else ConfigError.
template <class Options>
void register_time_zone(py::class_<Options>& type) {
  type.def_property(
      "time_zone",
      [](const Options& options) { return std::string(zone_rule_name(options.zone_rule)); },
      [](Options& options, const std::string& text) { options.zone_rule = parse_zone_rule(text); });
}

}  // namespace sequela::python
