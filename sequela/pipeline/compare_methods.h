#pragma once

#include <memory>
#include <vector>

#include "sequela/pipeline/compare.h"
#include "sequela/pipeline/compare_data.h"
#include "sequela/pipeline/evaluation/method.h"
#include "sequela/pipeline/evaluation/records.h"

namespace sequela {

// A method of a comparison, as an evaluation knows methods, and which one it is.
struct ComparedMethod {
  CompareMethod kind = CompareMethod::random;
  std::unique_ptr<Method> method;
};

// What is compared, in the order of the tables. All refer to the arguments, which must outlive
// them. table_WE: the pretrained embeddings, scaled to the size of a random start.
std::vector<ComparedMethod> make_compared_methods(const CompareOptions& options,
                                                  const EvaluationRecords& records,
                                                  const CompareData& data,
                                                  const at::Tensor& table_WE);

}  // namespace sequela
