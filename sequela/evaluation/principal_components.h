#pragma once

#include <array>
#include <vector>

#include "sequela/evaluation/matrix.h"

namespace sequela {

// Rows on the two directions in which they vary most, for a picture.
struct PlanarMap {
  std::vector<double> x, y;                  // by row
  std::array<double, 2> explained = {0, 0};  // shares of the rows' variance
};

// Principal components by orthogonal iteration from a fixed start. Columns are centred, not scaled.
// A direction's sign is such that its largest entry is positive. With fewer than two rows, or rows
// that are all equal, everything is 0.
PlanarMap find_planar_map(const DenseMatrix& rows);

}  // namespace sequela
