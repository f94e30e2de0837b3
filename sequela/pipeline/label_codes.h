#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sequela/label/code_matcher.h"
#include "sequela/meds/dataset.h"
#include "sequela/pipeline/label.h"

namespace sequela {

// The codes of the data under each concept that the plan's predicates name. `read_codes` gives the
// distinct codes of the data; it is called only if there are such predicates. Warns of a concept
// under which there is nothing. ConfigError if neither the options nor the data set know parents.
Descendants find_descendants(const LabelOptions& options, const Plan& plan,
                             const std::function<std::vector<std::string>()>& read_codes);

// The distinct codes of a Parquet data set, sorted.
std::vector<std::string> read_distinct_codes(const Dataset& dataset, int num_threads);

}  // namespace sequela
