#pragma once

#include <string>
#include <vector>

#include "sequela/evaluation/bootstrap.h"
#include "sequela/evaluation/probe.h"

namespace sequela {

// A table for the terminal: columns padded to their widest cell (counted in UTF-8 characters), the
// first to the left and the others to the right, a rule below the header, two spaces between
// columns.
std::string format_text_table(const std::vector<std::string>& header,
                              const std::vector<std::vector<std::string>>& rows);

// Cells of a difference: "+0.041 (-0.003 to +0.085)", without the interval where it is not defined;
// and of its p-value, "0.034" or "<0.001". "-" for NaN.
std::string signed_text(const Interval& interval);
std::string p_text(double p_value);

// One row a result: name, rows, positives, AUROC, average precision and Brier score with intervals,
// calibration slope.
std::string format_results(const std::vector<ProbeResult>& results);

}  // namespace sequela
