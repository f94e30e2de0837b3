#include "tools/gpu/probe/tensor_batches.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "sequela/core/error.h"
#include "sequela/io/safetensors.h"

namespace sequela {
namespace {

// A batch's tensors by name, with the type that the file holds them in.
struct Field {
  const char* name;
  at::Tensor& tensor;
  at::ScalarType stored, held;
};

std::vector<Field> fields_of(MotorBatch& batch, at::ScalarType task_type) {
  BatchInputs& inputs = batch.inputs;
  MotorTargets& targets = batch.targets;
  return {{"lengths", inputs.lengths_S, at::kInt, at::kInt},
          {"token_ids", inputs.token_ids_N, at::kInt, at::kInt},
          {"token_weights", inputs.token_weights_N, at::kHalf, at::kFloat},
          {"token_offsets", inputs.token_offsets_T1, at::kInt, at::kInt},
          {"ages_days", inputs.ages_days_T, at::kFloat, at::kFloat},
          {"time_data", inputs.time_data_T5, at::kHalf, at::kFloat},
          {"label_indices", inputs.label_indices_L, at::kInt, at::kInt},
          {"censor_seconds", targets.censor_seconds_L, at::kFloat, at::kFloat},
          {"row_offsets", targets.row_offsets_L1, at::kInt, at::kInt},
          {"task_ids", targets.task_ids_Z, task_type, at::kInt},
          {"event_seconds", targets.event_seconds_Z, at::kFloat, at::kFloat}};
}

DType dtype_of(at::ScalarType type) {
  if (type == at::kHalf) return DType::float16;
  if (type == at::kShort) return DType::int16;
  return type == at::kInt ? DType::int32 : DType::float32;
}

at::Tensor read_tensor(const TensorView& view, const Field& field, const std::string& path) {
  const bool is_narrow = view.dtype == DType::int16;
  const at::ScalarType stored = is_narrow ? at::kShort : field.stored;
  if (view.dtype != dtype_of(stored))
    throw FileError(path, str("tensor ", view.name, " has another type"));
  const at::Tensor tensor = at::empty(view.shape, stored);
  std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  return tensor.to(field.held);
}

// `next`, appended to `sums` of the tokens, entries and targets so far.
at::Tensor offsets_joined(const at::Tensor& first, const at::Tensor& second) {
  return at::cat({first, second.slice(0, 1) + first[-1]});
}

MotorBatch joined(const MotorBatch& a, const MotorBatch& b) {
  const auto cat = [](const at::Tensor& x, const at::Tensor& y) { return at::cat({x, y}); };
  MotorBatch result;
  result.inputs = {
      .subject_ids_S = cat(a.inputs.subject_ids_S, b.inputs.subject_ids_S),
      .lengths_S = cat(a.inputs.lengths_S, b.inputs.lengths_S),
      .token_ids_N = cat(a.inputs.token_ids_N, b.inputs.token_ids_N),
      .token_weights_N = cat(a.inputs.token_weights_N, b.inputs.token_weights_N),
      .token_offsets_T1 = offsets_joined(a.inputs.token_offsets_T1, b.inputs.token_offsets_T1),
      .ages_days_T = cat(a.inputs.ages_days_T, b.inputs.ages_days_T),
      .time_data_T5 = cat(a.inputs.time_data_T5, b.inputs.time_data_T5),
      .timestamps_T = cat(a.inputs.timestamps_T, b.inputs.timestamps_T),
      .label_indices_L =
          cat(a.inputs.label_indices_L, b.inputs.label_indices_L + a.inputs.ages_days_T.size(0))};
  result.targets = {
      .censor_seconds_L = cat(a.targets.censor_seconds_L, b.targets.censor_seconds_L),
      .row_offsets_L1 = offsets_joined(a.targets.row_offsets_L1, b.targets.row_offsets_L1),
      .task_ids_Z = cat(a.targets.task_ids_Z, b.targets.task_ids_Z),
      .event_seconds_Z = cat(a.targets.event_seconds_Z, b.targets.event_seconds_Z)};
  return result;
}

// How many batches a file's names speak of.
int64_t count_batches(const SafetensorsFile& file) {
  int64_t count = 0;
  while (file.find(str(count, ".lengths")) != nullptr) ++count;
  return count;
}

}  // namespace

void write_tensor_batches(const std::string& path, const std::vector<MotorBatch>& batches,
                          int64_t num_tasks) {
  const at::ScalarType task_type = num_tasks <= 32'768 ? at::kShort : at::kInt;
  std::vector<at::Tensor> kept;  // the bytes
  std::vector<TensorView> views;
  for (size_t i = 0; i < batches.size(); ++i) {
    MotorBatch batch = batches[i];
    for (const Field& field : fields_of(batch, task_type)) {
      kept.push_back(field.tensor.to(field.stored).contiguous());
      views.push_back({.name = str(i, ".", field.name),
                       .dtype = dtype_of(field.stored),
                       .shape = kept.back().sizes().vec(),
                       .bytes = {static_cast<const std::byte*>(kept.back().const_data_ptr()),
                                 kept.back().nbytes()}});
    }
  }
  write_safetensors(path, std::move(views));
}

TensorBatches::TensorBatches(const std::string& path, int64_t num_joined) {
  const SafetensorsFile file(path);
  const int64_t count = count_batches(file);
  for (int64_t i = 0; i < count; ++i) {
    MotorBatch batch;
    for (const Field& field : fields_of(batch, at::kInt))
      field.tensor = read_tensor(file.get(str(i, ".", field.name)), field, path);
    batch.inputs.subject_ids_S = at::arange(batch.inputs.lengths_S.size(0), at::kLong);
    batch.inputs.timestamps_T = at::zeros({batch.inputs.ages_days_T.size(0)}, at::kLong);
    if (i % num_joined == 0) {
      batches_.push_back(std::move(batch));
    } else {
      batches_.back() = joined(batches_.back(), batch);
    }
  }
  if (count % num_joined != 0) batches_.pop_back();  // of fewer than the others
  if (batches_.empty()) throw FileError(path, str("fewer than ", num_joined, " batches"));
}

}  // namespace sequela
