#pragma once

#include <map>
#include <string>

namespace sequela {

// The sources that come with Sequela, etl/sources/*.yaml: name -> MESSY text. Columns of their
// tables are text whatever they look like, so that codes keep leading zeros.
const std::map<std::string, std::string>& shipped_sources();

}  // namespace sequela
