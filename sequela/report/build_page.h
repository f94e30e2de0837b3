#pragma once

#include <optional>
#include <vector>

#include "sequela/report/page.h"
#include "sequela/report/runs.h"
#include "sequela/report/timeline.h"

namespace sequela {

// The page of one or several runs: results on top, a part a run, a patient, then TRIPOD+AI's
// checklist where there is an evaluation, the manifests last.
Page build_page(const std::vector<FinishedRun>& runs,
                const std::optional<PatientTimeline>& patient = {});

}  // namespace sequela
