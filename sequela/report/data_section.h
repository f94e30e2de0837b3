#pragma once

#include "sequela/core/json.h"
#include "sequela/report/page.h"

namespace sequela {

// What records hold, in counts: evaluation.json's `data` (docs/formats.md): events per subject,
// codes by vocabulary, values.
Section data_section(const Json& data);

// The figures of data_section() alone, as far as they are there.
std::vector<ShownFigure> data_figures(const Json& data);

}  // namespace sequela
