#pragma once

#include <string>
#include <vector>

#include "sequela/evaluation/probe.h"

namespace sequela {

// A table for the terminal: columns padded to their widest cell (counted in UTF-8 characters), the
// first to the left and the others to the right, a rule below the header, two spaces between
// columns.
std::string format_text_table(const std::vector<std::string>& header,
                              const std::vector<std::vector<std::string>>& rows);

// One row a result: name, rows, positives, AUROC, average precision and Brier score with intervals,
// calibration slope.
std::string format_results(const std::vector<ProbeResult>& results);

}  // namespace sequela
