#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "sequela/model/encoder_config.h"
#include "sequela/model/encoder_weights.h"
#include "sequela/model/layer_shape.h"
#include "sequela/model/motor.h"
#include "sequela/model/step/encoder_state.h"
#include "sequela/model/workspace.h"
#include "sequela/nn/step.h"

namespace sequela {

// New tokens of many sequences, T rows. Rows of one sequence stand side by side, in order.
struct StepRows {
  at::Tensor embedded_TH;   // float32, sums of the tokens' bags
  at::Tensor ages_days_T;   // float32
  at::Tensor time_data_T5;  // float32
  std::vector<EncoderState*> states_T;
  // A row's place in its sequence: one more than that of the row before it, or 0, which starts the
  // sequence anew (a first token that has grown is computed again).
  std::vector<int64_t> positions_T;
};

// The MOTOR transformer (motor.h) computed token by token: each row is one new token of a sequence
// whose past is in its EncoderState. The same function as Motor::encode over the whole sequence,
// and the same numbers but for the order of float32 sums. CPU only. Not thread-safe.
//
//   T = rows, H = hidden size, K = time bins, C = tasks
//
// All rows share each matrix product; the mixers go through the rows of each sequence in turn, the
// sequences are dealt to threads. Activations are float32; with Precision::bf16 the matrices are
// bfloat16 (and, beyond kFewRows rows, the products' inputs and outputs are rounded to it too).
// Cost of one row: reading the matrices once, and the sequence's state.
class StepModel {
 public:
  // Copies the parameters (of the model's layout, as Motor::parameters() has them).
  StepModel(const ModelConfig& config, const Parameters& parameters, Precision precision,
            KeyPrecision keys);

  // The bundle's, but that the head's tasks are those that keep_tasks() left.
  const ModelConfig& config() const { return config_; }
  const EncoderStateLayout& layout() const { return layout_; }
  int64_t matrix_bytes() const { return matrix_bytes_; }  // that a row without log2 rates reads

  // Sums of bags of embeddings (token_embedding.h).
  void embed(const at::Tensor& ids_N, const at::Tensor& weights_N, const at::Tensor& offsets_T1,
             const at::Tensor& out_TH) const;

  // Hidden states after out_norm, float32 [T, H]; valid until the next call. Moves the states on.
  // They must have room (EncoderStateLayout::reserve).
  const at::Tensor& forward(const StepRows& rows);

  // Leaves the MOTOR head these of its tasks, in this order; the others cost nothing from then on.
  // std::invalid_argument for a model without a MOTOR head, or an index that is no task.
  void keep_tasks(const std::vector<int64_t>& tasks);

  // The MOTOR head's log2 of events per second, written to out_TKC (float32).
  // std::invalid_argument for a model without a MOTOR head.
  void log2_rates(const at::Tensor& hidden_TH, const at::Tensor& out_TKC);

 private:
  struct Group {  // rows [begin, end) are of one sequence
    int64_t begin, end;
  };
  void bind(const Parameters& parameters, Precision precision);
  void start(const StepRows& rows);
  void linear(const at::Tensor& x_TI, const at::Tensor& weight_OI, const at::Tensor& out_TO);
  LayerShape shape_of(int64_t i) const { return {config_.encoder, weights_.layers[i].is_hawk}; }
  const at::Tensor& layer(const StepRows& rows, int64_t i);
  void mix(const StepRows& rows, int64_t i, const at::Tensor& out_TH);
  void hawk(const StepRows& rows, int64_t i, const Group& group, const at::Tensor& out_TH);
  void attention(const StepRows& rows, int64_t i, const Group& group, const at::Tensor& out_TH);

  ModelConfig config_;
  EncoderStateLayout layout_;
  at::Tensor flat_, flat_matrices_;
  EncoderTensors weights_;
  MotorHeadTensors head_;
  std::vector<HawkStepParameters> hawk_;  // by rank_of(layer)
  int64_t matrix_bytes_ = 0;

  std::vector<Group> groups_;
  LayerTimes times_;
  Buffer inverse_rms_;
  Buffer sum_, normed_, projected_, combined_, gated_, branch_, hidden_;
  Buffer x_copy_, out_copy_;                  // bfloat16, of wide products
  Buffer bins_, bins_normed_, bins_inverse_;  // of the head
};

}  // namespace sequela
