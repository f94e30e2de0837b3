#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sequela/io/safetensors.h"
#include "sequela/nn/inputs.h"
#include "tests/support/npz.h"

namespace sequela {

using TensorMap = std::map<std::string, at::Tensor>;

// All tensors of a trusted safetensors file.
inline TensorMap read_tensors(const std::string& path) {
  const std::map<DType, at::ScalarType> types = {{DType::float32, at::kFloat},
                                                 {DType::float16, at::kHalf},
                                                 {DType::int64, at::kLong},
                                                 {DType::int32, at::kInt},
                                                 {DType::boolean, at::kBool}};
  const SafetensorsFile file(path);
  TensorMap tensors;
  for (const TensorView& view : file.tensors()) {
    at::Tensor tensor = at::empty(view.shape, types.at(view.dtype));
    std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
    tensors[view.name] = tensor;
  }
  return tensors;
}

template <class T>
at::Tensor npz_tensor(const NpzFile& file, const std::string& name) {
  const NpyArray<T> array = file.get<T>(name);
  return at::tensor(array.values, c10::CppTypeToScalarType<T>::value).view(array.shape);
}

// A batch of femr's processor, hierarchical tokens.
inline BatchInputs hierarchical_inputs(const NpzFile& file) {
  return {.subject_ids_S = {},
          .lengths_S = npz_tensor<int32_t>(file, "transformer.subject_lengths"),
          .token_ids_N = npz_tensor<int32_t>(file, "transformer.hierarchical_tokens"),
          .token_weights_N = npz_tensor<float>(file, "transformer.hierarchical_weights"),
          .token_offsets_T1 = npz_tensor<int32_t>(file, "transformer.token_indices"),
          .ages_days_T = npz_tensor<float>(file, "transformer.ages"),
          .time_data_T5 = npz_tensor<float>(file, "transformer.time_data"),
          .timestamps_T = npz_tensor<int64_t>(file, "transformer.timestamps"),
          .label_indices_L = npz_tensor<int32_t>(file, "transformer.label_indices")};
}

// A batch of femr 0.2.3's processor, one token per event.
inline BatchInputs flat_inputs(const NpzFile& file) {
  return {.subject_ids_S = {},
          .lengths_S = npz_tensor<int32_t>(file, "transformer.patient_lengths"),
          .token_ids_N = npz_tensor<int32_t>(file, "transformer.tokens"),
          .token_weights_N = {},
          .token_offsets_T1 = {},
          .ages_days_T = npz_tensor<float>(file, "transformer.ages"),
          .time_data_T5 = {},
          .timestamps_T = npz_tensor<int64_t>(file, "transformer.timestamps"),
          .label_indices_L = npz_tensor<int32_t>(file, "transformer.label_indices")};
}

// femr's rows are in no order; ours ascend by task.
inline MotorTargets motor_targets(const NpzFile& file) {
  const NpyArray<int32_t> offsets = file.get<int32_t>("task.time_sparse.indptr");
  const NpyArray<int32_t> tasks = file.get<int32_t>("task.time_sparse.indices");
  const NpyArray<float> seconds = file.get<float>("task.time_sparse.data");
  std::vector<std::pair<int32_t, float>> entries;
  for (size_t i = 0; i < tasks.values.size(); ++i)
    entries.emplace_back(tasks.values[i], seconds.values[i]);
  for (size_t l = 0; l + 1 < offsets.values.size(); ++l) {
    std::sort(entries.begin() + offsets.values[l], entries.begin() + offsets.values[l + 1]);
  }
  MotorTargets targets{.censor_seconds_L = npz_tensor<float>(file, "task.censor_time"),
                       .row_offsets_L1 = npz_tensor<int32_t>(file, "task.time_sparse.indptr"),
                       .task_ids_Z = at::empty({tasks.size()}, at::kInt),
                       .event_seconds_Z = at::empty({tasks.size()}, at::kFloat)};
  for (size_t i = 0; i < entries.size(); ++i) {
    targets.task_ids_Z.data_ptr<int32_t>()[i] = entries[i].first;
    targets.event_seconds_Z.data_ptr<float>()[i] = entries[i].second;
  }
  return targets;
}

inline double max_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

// |a - b| / |b|, by the 2-norm.
inline double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor expected = b.to(at::kDouble);
  return ((a.to(at::kDouble) - expected).norm() / expected.norm()).item<double>();
}

}  // namespace sequela
