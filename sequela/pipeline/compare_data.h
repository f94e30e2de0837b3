#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sequela/evaluation/matrix.h"
#include "sequela/pipeline/compare.h"
#include "sequela/tokenizer/sequence/code_vocabulary.h"
#include "sequela/tokenizer/sequence/visits.h"

namespace sequela {

// The labels of a task with what each may see: one row a label.
struct CompareData {
  PatientVisits visits;  // a "patient" is a row; codes are ids of the vocabulary, 0 = unknown
  SparseMatrix counts;   // ln(1 + count) of the data set's codes, and the age in years
  std::vector<uint8_t> outcomes;
  std::vector<int64_t> subject_ids;
  std::vector<int64_t> train, validation, test;  // row numbers
  // Without a value, of unknown subjects, or of subjects whose split has a name that is unknown.
  int64_t num_labels_skipped = 0;
  double coverage = 0;  // share of the events whose code the vocabulary knows
};

// Reads labels and events. DataError if a part lacks one of the two outcomes.
CompareData read_compare_data(const CompareOptions& options, const CodeVocabulary& vocabulary);

// The given rows, in this order.
PatientVisits select_patients(const PatientVisits& visits, std::span<const int64_t> rows);
std::vector<uint8_t> outcomes_of(const CompareData& data, std::span<const int64_t> rows);

}  // namespace sequela
