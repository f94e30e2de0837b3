#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "sequela/evaluation/matrix.h"
#include "sequela/pipeline/compare_data.h"

namespace sequela {

// A row a label: the mean of the table's rows over the distinct known codes of its visits, 0 where
// there is none.
//   table_WE  float32 [vocabulary, size]
DenseMatrix mean_embeddings(const PatientVisits& visits, const at::Tensor& table_WE);

// P(outcome) of each row of the test visits, by logistic regression on mean embeddings of the rows
// `train`; its regularisation is chosen by cross-validation over their subjects. num_threads
// changes no digit.
std::vector<double> score_probe(const CompareData& data, std::span<const int64_t> train,
                                const PatientVisits& test_visits, const at::Tensor& table_WE,
                                uint64_t seed, int num_threads);

}  // namespace sequela
