#pragma once

#include <vector>

#include "sequela/evaluation/matrix.h"

namespace sequela {

// How columns were brought to one scale.
struct ColumnScales {
  std::vector<double> means;    // what is taken off: 0 for sparse columns
  std::vector<double> factors;  // 1 / standard deviation, 0 for constant columns
};

// Brings columns to standard deviation 1, those of a dense matrix to mean 0 as well.
ColumnScales standardize(DenseMatrix& matrix);
ColumnScales standardize(SparseMatrix& matrix);

}  // namespace sequela
