#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "sequela/encoders/bert/bert_input.h"
#include "sequela/io/safetensors.h"
#include "tests/support/reference.h"

namespace sequela {

inline std::string bert_path(const std::string& relative) {
  return reference_path("bert/" + relative);
}

// The tensors of a safetensors file of the fixtures.
class TensorFile {
 public:
  explicit TensorFile(const std::string& relative) : file_(bert_path(relative)) {}

  bool has(const std::string& name) const { return file_.find(name) != nullptr; }
  const std::vector<TensorView>& views() const { return file_.tensors(); }

  at::Tensor operator[](const std::string& name) const {
    const TensorView& view = file_.get(name);
    at::Tensor tensor = at::empty(view.shape, type_of(view.dtype));
    std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
    return tensor;
  }

 private:
  static at::ScalarType type_of(DType type) {
    switch (type) {
      case DType::int64:
        return at::kLong;
      case DType::int32:
        return at::kInt;
      case DType::float64:
        return at::kDouble;
      default:
        EXPECT_EQ(type, DType::float32);
        return at::kFloat;
    }
  }

  SafetensorsFile file_;
};

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) {
    ADD_FAILURE() << "shapes " << a.sizes() << " and " << b.sizes();
    return 1e30;
  }
  return a.numel() == 0 ? 0 : (a - b).abs().max().item<double>();
}

inline constexpr double kOutputTolerance = 2e-5;    // absolute
inline constexpr double kGradientTolerance = 1e-4;  // relative to the gradient's norm

inline void expect_close(const at::Tensor& a, const at::Tensor& b, const std::string& what) {
  EXPECT_LE(largest_difference(a, b), kOutputTolerance) << what;
}

// A batch of the CEHR-BERT fixtures; `prefix` as "tail." or empty.
inline PaddedBertBatch cehr_batch(const TensorFile& file, const std::string& prefix) {
  return {.ids_BL = file[prefix + "input_ids"],
          .mask_BL = file[prefix + "attention_mask"],
          .segments_BL = file[prefix + "visit_segments"],
          .visit_orders_BL = file[prefix + "visit_concept_orders"],
          .ages_BL = file[prefix + "ages"],
          .dates_BL = file[prefix + "dates"],
          .values_BL = file[prefix + "concept_values"],
          .value_mask_BL = file[prefix + "concept_value_masks"]};
}

// The rows of a padded [B, L, ...] tensor where there are tokens.
inline at::Tensor at_places(const at::Tensor& padded, const at::Tensor& places_T) {
  return padded.flatten(0, 1).index_select(0, places_T);
}

}  // namespace sequela
