#include <ATen/ATen.h>

#include "sequela/nn/cuda/dispatch.h"
#include "sequela/nn/cuda/tensors.h"

namespace sequela {
namespace {

// The tensors behind one call; N = gate blocks, B = their size.
struct Buffers {
  at::Tensor conv_TW, a_gate_NTB, input_gate_NTB, products_CW, values_CW, saved_states_CW;
  HawkCall call;
};

// [N, T, B] view of a [T, W] matrix.
at::Tensor by_block(const at::Tensor& x_TW, const at::Tensor& weight_NBB) {
  return x_TW.unflatten(1, {weight_NBB.size(0), -1}).transpose(0, 1);
}

// Runs the convolution and the gates' products.
Buffers activate(const at::Tensor& x_TW, const at::Tensor& y_TW, const HawkParameters& p,
                 const PackedSequences& sequences, const at::Tensor& saved_states_CW) {
  Buffers b;
  b.conv_TW = at::empty(x_TW.sizes(), x_TW.options());
  b.products_CW = at::empty_like(saved_states_CW);
  b.values_CW = at::empty_like(saved_states_CW);
  b.saved_states_CW = saved_states_CW;
  b.call = {x_TW.size(0),
            x_TW.size(1),
            p.a_gate_weight_NBB.size(1),
            sequences.token_starts_T.data_ptr<int32_t>(),
            x_TW.data_ptr(),
            x_TW.stride(0),
            y_TW.data_ptr(),
            y_TW.stride(0),
            floats_of(p.conv_weight_4W),
            floats_of(p.conv_bias_W),
            floats_of(p.a_gate_bias_NB),
            floats_of(p.input_gate_bias_NB),
            floats_of(p.a_param_W),
            b.conv_TW.data_ptr(),
            nullptr,
            nullptr,
            floats_of(saved_states_CW),
            floats_of(b.products_CW),
            floats_of(b.values_CW)};
  cuda_hawk_convolve(b.call, value_of(x_TW), current_stream(x_TW));
  const at::Tensor conv_NTB = by_block(b.conv_TW, p.a_gate_weight_NBB);
  b.a_gate_NTB = at::bmm(conv_NTB, p.a_gate_weight_NBB.to(x_TW.scalar_type())).contiguous();
  b.input_gate_NTB = at::bmm(conv_NTB, p.input_gate_weight_NBB.to(x_TW.scalar_type())).contiguous();
  b.call.a_gate = b.a_gate_NTB.data_ptr();
  b.call.input_gate = b.input_gate_NTB.data_ptr();
  return b;
}

// Adds a gate's weight's gradient; gives its share of the convolution's gradient, [N, T, B].
at::Tensor backward_gate(const at::Tensor& grad_NTB, const at::Tensor& conv_TW,
                         const at::Tensor& weight_NBB, const at::Tensor& grad_weight_NBB) {
  at::Tensor(grad_weight_NBB)
      .add_(at::bmm(by_block(conv_TW, weight_NBB).transpose(1, 2), grad_NTB));
  return at::bmm(grad_NTB, weight_NBB.to(grad_NTB.scalar_type()).transpose(1, 2)).contiguous();
}

}  // namespace

void hawk_forward_cuda(const at::Tensor& x_TW, const at::Tensor& y_TW,
                       const HawkParameters& parameters, const PackedSequences& sequences,
                       const at::Tensor& out_TW, const at::Tensor& saved_states_CW) {
  const Buffers b = activate(x_TW, y_TW, parameters, sequences, saved_states_CW);
  cuda_hawk_scan(b.call, out_TW.data_ptr(), out_TW.stride(0), value_of(x_TW), current_stream(x_TW));
}

void hawk_backward_cuda(const at::Tensor& x_TW, const at::Tensor& y_TW,
                        const HawkParameters& parameters, const PackedSequences& sequences,
                        const at::Tensor& saved_states_CW, const at::Tensor& grad_out_TW,
                        const at::Tensor& grad_x_TW, const at::Tensor& grad_y_TW,
                        const HawkParameters& gradients) {
  const Buffers b = activate(x_TW, y_TW, parameters, sequences, saved_states_CW);
  const int64_t chunks = saved_states_CW.size(0), width = x_TW.size(1);
  const at::TensorOptions floats = saved_states_CW.options();
  const at::Tensor states_TW = at::empty(x_TW.sizes(), floats),
                   grad_conv_TW = at::empty(x_TW.sizes(), floats);
  const at::Tensor grad_a_NTB = at::empty_like(b.a_gate_NTB),
                   grad_input_NTB = at::empty_like(b.input_gate_NTB);
  const at::Tensor sums = at::empty({kHawkSums, chunks, width}, floats);
  HawkBackward backward{grad_out_TW.data_ptr(),
                        grad_out_TW.stride(0),
                        grad_y_TW.data_ptr(),
                        grad_y_TW.stride(0),
                        grad_x_TW.data_ptr(),
                        grad_x_TW.stride(0),
                        floats_of(states_TW),
                        grad_a_NTB.data_ptr(),
                        grad_input_NTB.data_ptr(),
                        floats_of(grad_conv_TW),
                        nullptr,
                        nullptr,
                        floats_of(sums),
                        floats_of(gradients.a_gate_bias_NB),
                        floats_of(gradients.input_gate_bias_NB),
                        floats_of(gradients.a_param_W),
                        floats_of(gradients.conv_weight_4W),
                        floats_of(gradients.conv_bias_W)};
  cuda_hawk_scan_backward(b.call, backward, value_of(x_TW), current_stream(x_TW));
  const at::Tensor a_share_NTB = backward_gate(grad_a_NTB, b.conv_TW, parameters.a_gate_weight_NBB,
                                               gradients.a_gate_weight_NBB);
  const at::Tensor input_share_NTB = backward_gate(
      grad_input_NTB, b.conv_TW, parameters.input_gate_weight_NBB, gradients.input_gate_weight_NBB);
  backward.a_share = a_share_NTB.data_ptr();
  backward.input_share = input_share_NTB.data_ptr();
  cuda_hawk_convolve_backward(b.call, backward, value_of(x_TW), current_stream(x_TW));
}

}  // namespace sequela
