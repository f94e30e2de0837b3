#pragma once

#include <vector>

#include "sequela/report/page.h"
#include "sequela/report/runs.h"

namespace sequela {

// TRIPOD+AI's checklist, its items in our words, filled as far as the runs know; the rest is for
// the authors. Added where one of the runs is an evaluation.
//
// Source: Collins et al., TRIPOD+AI statement, BMJ 385 (2024), e078378,
// doi:10.1136/bmj-2023-078378.
void add_checklist(const std::vector<FinishedRun>& runs, Page& page);

}  // namespace sequela
