#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "sequela/model/encoder_config.h"
#include "sequela/model/encoder_layer.h"
#include "sequela/model/encoder_weights.h"
#include "sequela/model/inference_pass.h"
#include "sequela/model/workspace.h"
#include "sequela/nn/inputs.h"

namespace sequela {

// Called with the value of each stage of a forward pass, for tests and inspection: "embed_bag_out",
// "in_norm_out", "layer_<i>_hawk_out", "layer_<i>_out" (before the residual addition),
// "final_hidden". The tensor is valid during the call only.
using StageObserver = std::function<void(const std::string& stage, const at::Tensor& value)>;

// Embedding, layers and final norm, forward and backward, on buffers that are kept between calls.
//
//   T = tokens, H = hidden size
class Encoder {
 public:
  // `type`: float32 or bfloat16, of the matrix products. The residual stream is float32.
  Encoder(const EncoderConfig& config, at::ScalarType type, at::Device device,
          const Ways& ways = {});

  // What stays for backward(): all that it needs; or the residual stream alone, from which it
  // computes each layer once more (gradient checkpointing, arXiv:1604.06174: a quarter more time,
  // one layer's buffers instead of all layers'); or nothing, if it will not follow.
  enum class Keep { nothing, residuals, activations };

  // Hidden states after out_norm, written to out_TH (float32 or bfloat16). The inputs must be on
  // the device. Throws std::invalid_argument for inputs that do not fit together.
  void forward(const BatchInputs& inputs, const EncoderTensors& weights, Keep keep,
               const at::Tensor& out_TH);

  // The same where no backward() will follow, at the speed of inference_pass.h: hidden states of
  // the tokens rows_L (int64; undefined = all), float32 or bfloat16 [L, H].
  void encode(const BatchInputs& inputs, const EncoderTensors& weights, const at::Tensor& rows_L,
              const at::Tensor& out_LH);

  // The same for tokens asked for, with a view of the history that led to each: H columns of its
  // hidden state, H of the mean hidden state since firsts_LP[:, 0], and, for each of the P columns
  // of firsts_LP (int64, tokens of the same sequence, none after the row), H of the mean embedded
  // token (after in_norm) since it; the token itself counts. out_LC: float32, C = (2 + P) H.
  void encode_with_history(const BatchInputs& inputs, const EncoderTensors& weights,
                           const at::Tensor& rows_L, const at::Tensor& firsts_LP,
                           const at::Tensor& out_LC);

  // Adds the gradients of the last forward(), which must have been told to keep. One call per
  // forward(). grad_out_TH: float32 or bfloat16.
  void backward(const at::Tensor& grad_out_TH, const EncoderTensors& weights,
                const EncoderTensors& gradients);

  // Gives back what is kept between calls.
  void release_memory();

  void set_observer(StageObserver observer) { observer_ = std::move(observer); }

 private:
  void check(const BatchInputs& inputs) const;
  void start(const BatchInputs& inputs, const EncoderTensors& weights, Keep keep);
  void prepare_context(const BatchInputs& inputs, Keep keep);
  LayerActivations& saved_of(size_t layer);
  void embed(const EncoderTensors& weights);
  void observe_layer(size_t i, const at::Tensor& branch_TH) const;

  const EncoderConfig config_;
  StageObserver observer_;
  BatchInputs inputs_;  // of the last forward pass
  Keep keep_ = Keep::nothing;
  LayerContext context_;
  LayerScratch scratch_;
  InferencePass inference_;
  std::vector<LayerActivations> layers_;
  std::vector<Buffer> sums_;  // the residual stream before each layer and after the last
  at::Tensor final_sum_TH_;
  Buffer embedded_, embedded_inverse_rms_, inverse_rms_;
  Buffer grad_x_copy_;
};

}  // namespace sequela
