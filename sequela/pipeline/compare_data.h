#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "sequela/evaluation/matrix.h"
#include "sequela/pipeline/compare.h"
#include "sequela/pipeline/evaluation/label_task.h"
#include "sequela/pipeline/evaluation/records.h"
#include "sequela/tokenizer/sequence/code_vocabulary.h"
#include "sequela/tokenizer/sequence/visits.h"

namespace sequela {

// What the labels of a task may see: one row a label, in the task's order.
struct CompareData {
  std::vector<Label> labels;
  PatientVisits visits;  // a "patient" is a row; codes are ids of the vocabulary, 0 = unknown
  double coverage = 0;   // share of the events whose code the vocabulary knows
};

CompareData read_compare_data(const CompareOptions& options, const EvaluationRecords& records,
                              const LabelTask& task, const CodeVocabulary& vocabulary);

// The given rows, in this order.
PatientVisits select_patients(const PatientVisits& visits, std::span<const int64_t> rows);

// A row a label: the mean of the table's rows over the distinct known codes of its visits, 0 where
// there is none.
//   table_WE  float32 [vocabulary, size]
DenseMatrix mean_embeddings(const PatientVisits& visits, const at::Tensor& table_WE);

}  // namespace sequela
