#pragma once

#include <string>

#include "sequela/cli/command.h"
#include "sequela/tokenizer/sequence/visits.h"

namespace sequela {

// How a data set's events become visits. `rule` is for parse_visit_rule().
void add_visit_rule_options(CLI::App& app, VisitOptions& visits, std::string& rule);

}  // namespace sequela
