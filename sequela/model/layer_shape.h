#pragma once

#include <ATen/core/Tensor.h>

#include "sequela/model/encoder_config.h"
#include "sequela/model/workspace.h"
#include "sequela/nn/ways.h"

namespace sequela {

// How a layer's columns lie and what is done with them: the one description that its three drivers
// take, training (encoder_layer.h), inference by blocks of rows (inference_pass.h) and one event at
// a time (step/step_model.h). docs/design.md, section 7.1.
//
//   T = tokens, H = hidden size, F = intermediate size
//
//   projected  [ff | mixer]      what the input projection gives; ff: F columns, 2 F with a gate
//   mixer      [q | k | v] or [x | y], H columns each
//   combined   [mixed | active]  what the output projection takes; H and F columns
//
// All functions but activate() give views.
class LayerShape {
 public:
  LayerShape(const EncoderConfig& config, bool is_hawk) : config_(config), is_hawk_(is_hawk) {}

  bool is_hawk() const { return is_hawk_; }
  int64_t ff_columns() const { return config_.ff_columns(); }
  int64_t mixer_columns() const { return (is_hawk_ ? 2 : 3) * hidden(); }
  int64_t projected_columns() const { return ff_columns() + mixer_columns(); }
  int64_t combined_columns() const { return hidden() + config_.intermediate_size; }

  at::Tensor ff(const at::Tensor& projected) const { return projected.narrow(1, 0, ff_columns()); }
  at::Tensor mixer(const at::Tensor& projected) const {
    return projected.narrow(1, ff_columns(), mixer_columns());
  }
  at::Tensor mixer_input(const at::Tensor& mixer, int64_t i) const {
    return mixer.narrow(1, i * hidden(), hidden());
  }
  at::Tensor mixed(const at::Tensor& combined) const { return combined.narrow(1, 0, hidden()); }
  at::Tensor active(const at::Tensor& combined) const {
    return combined.narrow(1, hidden(), config_.intermediate_size);
  }
  at::Tensor to_heads(const at::Tensor& x_TH) const {  // [T, heads, head size]
    return x_TH.unflatten(1, {config_.n_heads, config_.head_size()});
  }

  // Rows of the input projection's weight for a part of its columns.
  at::Tensor ff_rows(const at::Tensor& weight) const { return weight.narrow(0, 0, ff_columns()); }
  at::Tensor mixer_rows(const at::Tensor& weight) const {
    return weight.narrow(0, ff_columns(), mixer_columns());
  }
  // The bias covers the last columns, all with use_bias and those of the mixer in hawk layers
  // without it. The columns of `projected` that it covers; its values for a part, undefined if it
  // covers none of that.
  at::Tensor with_bias(const at::Tensor& projected, const at::Tensor& bias) const;
  at::Tensor ff_bias(const at::Tensor& bias) const;
  at::Tensor mixer_bias(const at::Tensor& bias) const;

  // The feed-forward part's activation, and its gradient.
  void activate(const at::Tensor& ff, const at::Tensor& active, const Ways& ways = {}) const;
  void activate_backward(const at::Tensor& ff, const at::Tensor& grad_active,
                         const at::Tensor& grad_ff, const Ways& ways = {}) const;

 private:
  int64_t hidden() const { return config_.hidden_size; }

  const EncoderConfig& config_;
  const bool is_hawk_;
};

// What the layers see of time besides their tokens, the same for all layers of a kind.
class LayerTimes {
 public:
  // Of T tokens. time_data_T5 is read with use_normed_ages only.
  void fill(const EncoderConfig& config, const at::Tensor& ages_days_T,
            const at::Tensor& time_data_T5, at::Device device);

  const at::Tensor& cos_TR() const { return cos_.tensor(); }  // of q's and k's rotations, float32
  const at::Tensor& sin_TR() const { return sin_.tensor(); }  // R = half of a head
  // Float32, the last columns that a layer overwrites in its normed input; undefined = none.
  const at::Tensor& columns(bool is_hawk) const { return columns_[is_hawk ? 1 : 0]; }

 private:
  Buffer cos_, sin_, features_;
  at::Tensor columns_[2];  // of attention layers, of hawk layers
};

}  // namespace sequela
