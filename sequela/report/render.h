#pragma once

#include <string>

#include "sequela/report/page.h"

namespace sequela {

// The page as one HTML file that needs nothing else: no network, and no script but its own, which
// its content security policy names by hash. Without JavaScript all is there but the drawings. A
// figure's table is what its script draws. std::invalid_argument for a chart that names a column
// which its table lacks.
std::string render(const Page& page);

}  // namespace sequela
