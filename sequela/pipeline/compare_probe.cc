#include "sequela/pipeline/compare_probe.h"

#include <algorithm>

#include "sequela/evaluation/probe.h"

namespace sequela {
namespace {

// Distinct known codes of a row, ascending.
std::vector<int32_t> known_codes(const PatientVisits& visits, int64_t row) {
  const int64_t first = visits.visit_offsets[row], last = visits.visit_offsets[row + 1];
  const auto begin = visits.codes.begin() + visits.code_offsets[first];
  std::vector<int32_t> codes(begin, visits.codes.begin() + visits.code_offsets[last]);
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  if (!codes.empty() && codes.front() == 0) codes.erase(codes.begin());
  return codes;
}

}  // namespace

DenseMatrix mean_embeddings(const PatientVisits& visits, const at::Tensor& table_WE) {
  const at::Tensor table = table_WE.contiguous();
  const float* rows = table.const_data_ptr<float>();
  DenseMatrix means;
  means.num_rows = visits.num_patients();
  means.num_columns = table.size(1);
  means.values.resize(means.num_rows * means.num_columns);
  for (int64_t row = 0; row < means.num_rows; ++row) {
    const std::vector<int32_t> codes = known_codes(visits, row);
    float* mean = means.values.data() + row * means.num_columns;
    for (const int32_t code : codes) {
      const float* values = rows + code * means.num_columns;
      for (int64_t c = 0; c < means.num_columns; ++c) mean[c] += values[c];
    }
    const float scale = codes.empty() ? 0 : 1 / static_cast<float>(codes.size());
    for (int64_t c = 0; c < means.num_columns; ++c) mean[c] *= scale;
  }
  return means;
}

std::vector<double> score_probe(const CompareData& data, std::span<const int64_t> train,
                                const PatientVisits& test_visits, const at::Tensor& table_WE,
                                uint64_t seed, int num_threads) {
  std::vector<int64_t> subject_ids;
  for (const int64_t row : train) subject_ids.push_back(data.subject_ids[row]);
  ProbeOptions options;
  options.seed = seed;
  options.num_threads = num_threads;
  const DenseMatrix features = mean_embeddings(select_patients(data.visits, train), table_WE);
  const Probe probe = fit_probe(features, outcomes_of(data, train), subject_ids, options);
  return probe.model.predict(mean_embeddings(test_visits, table_WE));
}

}  // namespace sequela
