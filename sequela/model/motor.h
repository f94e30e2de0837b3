#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sequela/model/encoder.h"
#include "sequela/model/encoder_config.h"
#include "sequela/nn/inputs.h"
#include "sequela/nn/parameters.h"
#include "sequela/nn/time_to_event.h"
#include "sequela/nn/ways.h"

namespace sequela {

enum class Precision { fp32, bf16 };  // of the matrix products; weights and gradients stay float32

// Whether a training step keeps all layers' activations or computes them once more in its backward
// pass (gradient checkpointing): the same numbers with less memory in a quarter more time.
enum class Activations { kept, recomputed };

// The MOTOR transformer with its head: docs/design.md, section 7; arXiv:2301.03150.
// Forward and backward passes are written out by hand on preallocated buffers, without an autograd
// tape; one code path for CPU and CUDA. Not thread-safe: one call at a time.
class Motor {
 public:
  // Fresh weights, from `seed` alone. `ways`: how each of nn's operations is computed.
  Motor(const ModelConfig& config, uint64_t seed, at::Device device, Precision precision,
        const Ways& ways = {});
  // Weights of a bundle (femr's or ours; model_dir.h).
  Motor(const ModelConfig& config, Parameters parameters, at::Device device, Precision precision,
        const Ways& ways = {});
  ~Motor();
  Motor(Motor&&) noexcept;

  const ModelConfig& config() const;
  Precision precision() const;
  // Floating-point operations of a training step (forward and backward) per token of the matrix
  // products and attention, at full sequences; 10 % of the tokens are taken as labelled.
  double flops_per_token() const;
  Parameters& parameters();  // float32 master weights and gradients, by femr's names

  // Tells the model that the master weights changed (it casts them to bf16 once, not per batch).
  void refresh_weights();

  // Hidden states after out_norm, float32 [T, H]. Needs the memory of one layer.
  at::Tensor encode(const BatchInputs& inputs);
  // Those of the tokens rows_L (int64) alone, [L, H]: the last layer is not computed for the
  // others.
  at::Tensor encode(const BatchInputs& inputs, const at::Tensor& rows_L);

  // Those with a view of the history behind each: float32 [L, (2 + P) H]; see Encoder.
  at::Tensor encode_with_history(const BatchInputs& inputs, const at::Tensor& rows_L,
                                 const at::Tensor& firsts_LP);

  // The head's raw outputs for the labelled tokens, float32: MOTOR [labels, bins, tasks], log2 of
  // events per second; CLMBR [labels, vocabulary]. Large: for inspection and risk scores.
  // std::invalid_argument for a model without a head.
  at::Tensor logits(const BatchInputs& inputs);

  // Lets tests and tools see the stages of each pass (encoder.h); an empty function ends it.
  void set_observer(StageObserver observer);

  // How the loss takes the seconds at risk; exact unless told otherwise (time_to_event.h).
  void set_time_at_risk(TimeAtRisk time_at_risk);

  void set_activations(Activations activations);  // kept unless told otherwise
  Activations activations() const;
  // Gives back the memory that is kept between calls for what a batch needs.
  void release_memory();

  // Mean loss of the batch (a float32 scalar on the device; no synchronisation). With
  // `gradient_scale`, also adds gradient_scale * d loss / d parameter to the parameters' gradients.
  // std::invalid_argument for a model without a MOTOR head.
  at::Tensor loss(const MotorBatch& batch, std::optional<double> gradient_scale);

  // One pass of a loss on the hidden states, the objective's (objective/objective.h): calls `head`
  // once, and adds to the gradients of the encoder's parameters what follows from its gradient.
  //
  //   hidden_TH       of all tokens, in the type of the products
  //   grad_hidden_TH  for d loss / d hidden, of the same type and shape; undefined if only the loss
  //                   is wanted. The head writes all of it.
  //
  // Both live during the call. Returns what the head returns.
  enum class Wanted { loss, gradients };
  using HiddenLoss =
      std::function<at::Tensor(const at::Tensor& hidden_TH, const at::Tensor& grad_hidden_TH)>;
  at::Tensor learn(const BatchInputs& inputs, Wanted wanted, const HiddenLoss& head);
  // A weight as the products take it: bfloat16 with Precision::bf16, else the master weight.
  at::Tensor product_weight(const std::string& name) const;

  // The parts of loss(), one by one, for a caller that keeps the tape of what lies between and
  // around them (torch's autograd). forward(): hidden states of all tokens, float32 [T, H].
  // backward(): from d loss / d hidden state, the gradients of the encoder's parameters; once per
  // forward(), with no other pass of this model in between. head_loss(): of hidden states that
  // forward() or encode() gave. Gradients are the values of Parameters that the caller owns, by the
  // model's names.
  at::Tensor forward(const BatchInputs& inputs);
  Parameters backward(const at::Tensor& grad_hidden_TH);
  // As backward(), but adds to the gradients of parameters(), as loss() does.
  void add_gradients(const at::Tensor& grad_hidden_TH);
  struct HeadLoss {
    at::Tensor loss;            // as loss() returns it
    at::Tensor grad_hidden_TH;  // float32; like the head's gradients, only if wanted
    Parameters gradients;
  };
  HeadLoss head_loss(const at::Tensor& hidden_TH, const MotorBatch& batch, Wanted wanted);

  // The loss, bit for bit that of loss(), with its parts by task and the log2 rates of some tasks
  // (ids, int64; undefined = none).
  struct Evaluation {
    at::Tensor loss;
    at::Tensor cost_C;          // float64, nats: sum over labels and bins
    at::Tensor log2_rates_LKS;  // float32, undefined without tasks
  };
  Evaluation evaluate(const MotorBatch& batch, const at::Tensor& tasks_S = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sequela
