#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "sequela/encoders/bert/bert_model.h"
#include "sequela/encoders/ops/bert_ops.h"
#include "sequela/encoders/ops/packed_linear.h"
#include "sequela/encoders/progression/named_tensors.h"
#include "sequela/nn/ways.h"

namespace sequela {

// The fast way, without a graph: the layers' weights packed once, when this is made, activation
// fused. Unchanging from then on: threads may share it.
class InferenceOps : public BertOps {
 public:
  InferenceOps(const BertConfig& config, const NamedTensors& weights, BertPrecision precision,
               const Ways& ways = {});

  at::Tensor linear(const at::Tensor& x_TI, const std::string& name,
                    std::optional<BertActivation> activation) override;
  at::Tensor project_qkv(const at::Tensor& x_TH, const std::string& name) override;
  at::Tensor attention(const at::Tensor& qkv_T3H, const PackedSequences& sequences) override;
  BertStream add_norm(const BertStream& stream, const at::Tensor& branch_TH,
                      const std::string& name) override;
  BertStream start(const at::Tensor& embeddings_TH, const std::string& name) override;

 private:
  void pack(const std::string& name, const std::vector<std::string>& parts);
  BertStream to_stream(at::Tensor x_TH) const;
  at::Tensor norm(const at::Tensor& x_TH, const std::string& name) const;

  const BertConfig& config_;
  const NamedTensors& weights_;
  BertPrecision precision_;
  Ways ways_;                                   // of attention
  std::map<std::string, PackedLinear> packed_;  // by name, or that of query, key and value
};

}  // namespace sequela
