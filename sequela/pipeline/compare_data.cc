#include "sequela/pipeline/compare_data.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/tokenizer/sequence/vocabulary_mapper.h"

namespace sequela {
namespace {

// Ids of the store's codes in the vocabulary, 0 = unknown, and the share of events with one.
struct CodeIds {
  std::vector<int32_t> ids;
  double coverage = 0;
};

CodeIds map_codes(const EvaluationRecords& records, const CompareOptions& options,
                  const CodeVocabulary& vocabulary) {
  const EventStore& store = records.store();
  const auto ontology =
      options.athena.empty() ? nullptr : std::make_shared<Ontology>(records.ontology());
  VocabularyMapper mapper(vocabulary, {}, ontology);
  CodeIds codes;
  for (const std::string& code : store.codes()) {
    const CodeMatch match = mapper.match(code);
    if (match.id == 0 && match.step != MapStep::unknown) {
      throw ConfigError(str("the vocabulary in ", options.pretrained,
                            " gives id 0 to a code; a "
                            "progression model keeps it for padding. Fix: put [PAD] first."));
    }
    codes.ids.push_back(match.step == MapStep::unknown ? 0 : match.id);
  }
  const MappingReport report = mapper.report(store.codes(), store.counts());
  log_info(report.text());
  codes.coverage = report.coverage();
  return codes;
}

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

CompareData read_compare_data(const CompareOptions& options, const EvaluationRecords& records,
                              const LabelTask& task, const CodeVocabulary& vocabulary) {
  const CodeIds codes = map_codes(records, options, vocabulary);
  VisitOptions of_visits;
  of_visits.max_visits = options.max_visits;
  of_visits.max_codes = options.max_codes;
  of_visits.drop_repeats = true;
  VisitGrouper grouper(records.store(), of_visits);
  CompareData data{.labels = task.labels, .visits = {}, .coverage = codes.coverage};
  for (const Label& label : task.labels) grouper.append(*records.history(label), &data.visits);
  for (int32_t& code : data.visits.codes) code = codes.ids[code];
  return data;
}

PatientVisits select_patients(const PatientVisits& visits, std::span<const int64_t> rows) {
  PatientVisits chosen;
  for (const int64_t row : rows) {
    for (int64_t v = visits.visit_offsets[row]; v < visits.visit_offsets[row + 1]; ++v) {
      const std::span<const int32_t> codes = visits.codes_of(v);
      chosen.codes.insert(chosen.codes.end(), codes.begin(), codes.end());
      chosen.code_offsets.push_back(chosen.num_codes());
      chosen.visit_times_us.push_back(visits.visit_times_us[v]);
      chosen.visit_end_times_us.push_back(visits.visit_end_times_us[v]);
    }
    chosen.subject_ids.push_back(visits.subject_ids[row]);
    chosen.visit_offsets.push_back(chosen.num_visits());
  }
  return chosen;
}

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

}  // namespace sequela
