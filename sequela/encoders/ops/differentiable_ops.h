#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "sequela/encoders/bert/bert_model.h"
#include "sequela/encoders/ops/bert_ops.h"
#include "sequela/encoders/progression/named_tensors.h"

namespace sequela {

// Tensor operations in float32 (or with bfloat16 linear layers) under autograd, with dropout and,
// if asked for, attention probabilities. Attention by kernels/attention where nothing asks for the
// probabilities.
class DifferentiableOps : public BertOps {
 public:
  struct Options {
    BertDropout dropout;
    bool keeps_attentions = false;
    at::Tensor key_mask_T;
    bool has_bf16_linear = false;
  };
  DifferentiableOps(const BertConfig& config, const NamedTensors& weights, Options options);

  at::Tensor linear(const at::Tensor& x_TI, const std::string& name,
                    std::optional<BertActivation> activation) override;
  at::Tensor project_qkv(const at::Tensor& x_TH, const std::string& name) override;
  at::Tensor attention(const at::Tensor& qkv_T3H, const PackedSequences& sequences) override;
  BertStream add_norm(const BertStream& stream, const at::Tensor& branch_TH,
                      const std::string& name) override;
  BertStream start(const at::Tensor& embeddings_TH, const std::string& name) override;

  std::vector<at::Tensor> take_attentions() { return std::move(attentions_); }

 private:
  at::Tensor multiply(const at::Tensor& x_TI, const at::Tensor& weight_OI, const at::Tensor& bias_O,
                      at::ScalarType type) const;
  uint64_t next_key() const;  // of random numbers
  at::Tensor drop(const at::Tensor& x) const;
  at::Tensor norm(const at::Tensor& x, const std::string& name) const;

  const BertConfig& config_;
  const NamedTensors& weights_;
  Options options_;
  std::vector<at::Tensor> attentions_;
};

// Attention of packed sequences by the kernels, differentiable; even head sizes, float32.
at::Tensor packed_attention(const at::Tensor& qkv_T3H, const PackedSequences& sequences,
                            int64_t num_heads);

at::Tensor activate(const at::Tensor& x, BertActivation activation);

}  // namespace sequela
