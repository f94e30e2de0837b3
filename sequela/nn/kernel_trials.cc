#include "sequela/nn/kernel_trials.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

namespace sequela {
namespace {

using Results = std::vector<at::Tensor>;

constexpr uint64_t kSeed = 20;

// Makes inputs on the CPU, so that they are the same for every device.
class Inputs {
 public:
  Inputs(at::ScalarType type, at::Device device)
      : type_(type), device_(device), generator_(at::detail::createCPUGenerator(kSeed)) {}

  // Values that bfloat16 holds exactly.
  at::Tensor floats(at::IntArrayRef shape, double scale) {
    return (at::randn(shape, generator_) * scale).to(at::kBFloat16).to(at::kFloat).to(device_);
  }
  at::Tensor values(at::IntArrayRef shape, double scale = 1) {
    return floats(shape, scale).to(type_);
  }
  at::Tensor integers(const std::vector<int>& values) const {
    return at::tensor(values, at::kInt).to(device_);
  }
  at::Tensor empty(at::IntArrayRef shape) const {
    return at::zeros(shape, at::TensorOptions(type_).device(device_));
  }
  at::Tensor empty_floats(at::IntArrayRef shape) const {
    return at::zeros(shape, at::TensorOptions(at::kFloat).device(device_));
  }
  PackedSequences sequences(const std::vector<int>& lengths) const {
    return build_packed_sequences(at::tensor(lengths, at::kInt), device_);
  }

 private:
  at::ScalarType type_;
  at::Device device_;
  at::Generator generator_;
};

KernelTrial norm(Inputs in, int64_t rows, int64_t columns, int64_t overwritten) {
  const at::Tensor x = in.floats({rows, columns}, 1), branch = in.values({rows, columns}),
                   weight = in.floats({columns}, 1), features = in.floats({rows, overwritten}, 1),
                   grad_out = in.values({rows, columns}), before = in.floats({rows, columns}, 1);
  return {Operation::norm, 0, [=](const KernelTable& table) -> Results {
            const at::Tensor sum = in.empty_floats({rows, columns}),
                             out = in.empty({rows, columns}), inverse_rms = in.empty_floats({rows}),
                             grad_x = before.clone(), copy = in.empty({rows, columns}),
                             grad_weight = in.empty_floats({columns});
            table.rms_norm_forward({x, branch, sum, weight, features, out, inverse_rms});
            table.rms_norm_backward({grad_out, sum, inverse_rms, weight, overwritten, grad_x, false,
                                     copy, grad_weight});
            return {sum, out, inverse_rms, grad_x, copy, grad_weight};
          }};
}

KernelTrial gated_product(Inputs in, int64_t rows, int64_t columns) {
  const at::Tensor ff = in.values({rows, 2 * columns}, 2), grad_out = in.values({rows, columns});
  return {Operation::gated_product, 0, [=](const KernelTable& table) -> Results {
            const at::Tensor out = in.empty({rows, columns}), grad = in.empty({rows, 2 * columns});
            table.swiglu_forward(ff, out);
            table.swiglu_backward(ff, grad_out, grad);
            return {out, grad};
          }};
}

struct AttentionShape {
  std::vector<int> lengths;
  int64_t heads, size, window;
  AttentionDirection direction;
};

KernelTrial attention(Inputs in, const AttentionShape& shape) {
  const PackedSequences sequences = in.sequences(shape.lengths);
  const int64_t tokens = sequences.num_tokens();
  const std::vector<int64_t> sizes = {tokens, shape.heads, shape.size};
  // Columns of one wider tensor, as the model has them.
  const at::Tensor fused = in.values({tokens, 3 * shape.heads * shape.size});
  const auto part = [&](int64_t i) {
    return fused.narrow(1, i * shape.heads * shape.size, shape.heads * shape.size)
        .unflatten(1, {shape.heads, shape.size});
  };
  AttentionInputs inputs{part(0), part(1), part(2), {}, {}, nullptr, shape.window, shape.direction};
  if (shape.direction == AttentionDirection::causal) {
    inputs.cos_TR = in.empty_floats({tokens, shape.size / 2});
    inputs.sin_TR = at::empty_like(inputs.cos_TR);
    fill_rotary_tables(in.floats({tokens}, 1).abs() * 30, inputs.cos_TR, inputs.sin_TR);
  }
  const at::Tensor grad_out = in.values(sizes);
  return {
      Operation::attention, shape.size, [=](const KernelTable& table) -> Results {
        AttentionInputs bound = inputs;
        bound.sequences = &sequences;
        const at::Tensor out = in.empty(sizes), logsumexp = in.empty_floats({shape.heads, tokens});
        const AttentionGradients gradients{in.empty(sizes), in.empty(sizes), in.empty(sizes)};
        table.attention_forward(bound, out, logsumexp);
        table.attention_backward(bound, out, logsumexp, grad_out, gradients);
        return {out, logsumexp, gradients.q_THD, gradients.k_THD, gradients.v_THD};
      }};
}

KernelTrial recurrence(Inputs in, const std::vector<int>& lengths, int64_t blocks, int64_t size) {
  const PackedSequences sequences = in.sequences(lengths);
  const int64_t tokens = sequences.num_tokens(), width = blocks * size;
  const double scale = 1 / std::sqrt(static_cast<double>(size));
  const at::Tensor x = in.values({tokens, width}), y = in.values({tokens, width}),
                   grad_out = in.values({tokens, width});
  const HawkParameters parameters{in.floats({4, width}, 0.5),
                                  in.floats({width}, 0.2),
                                  in.floats({blocks, size, size}, scale),
                                  in.floats({blocks, size}, 0.3),
                                  in.floats({blocks, size, size}, scale),
                                  in.floats({blocks, size}, 0.3),
                                  in.floats({width}, 1) - 4};
  return {Operation::recurrence, 0, [=](const KernelTable& table) -> Results {
            const at::Tensor out = in.empty({tokens, width}), grad_x = in.empty({tokens, width}),
                             grad_y = in.empty({tokens, width}),
                             states = in.empty_floats({num_hawk_chunks(tokens), width});
            const HawkParameters g{at::zeros_like(parameters.conv_weight_4W),
                                   at::zeros_like(parameters.conv_bias_W),
                                   at::zeros_like(parameters.input_gate_weight_NBB),
                                   at::zeros_like(parameters.input_gate_bias_NB),
                                   at::zeros_like(parameters.a_gate_weight_NBB),
                                   at::zeros_like(parameters.a_gate_bias_NB),
                                   at::zeros_like(parameters.a_param_W)};
            table.hawk_forward(x, y, parameters, sequences, out, states);
            table.hawk_backward(x, y, parameters, sequences, states, grad_out, grad_x, grad_y, g);
            return {out,
                    grad_x,
                    grad_y,
                    g.conv_weight_4W,
                    g.conv_bias_W,
                    g.input_gate_weight_NBB,
                    g.input_gate_bias_NB,
                    g.a_gate_weight_NBB,
                    g.a_gate_bias_NB,
                    g.a_param_W};
          }};
}

KernelTrial embedding_bag(Inputs in, int64_t width) {
  const at::Tensor table_VH = in.floats({9, width}, 1), weights = in.floats({7}, 1),
                   ids = in.integers({3, 3, 8, 0, 1, 3, 7}), offsets = in.integers({0, 2, 2, 6, 7}),
                   grad_out = in.floats({4, width}, 1);
  return {Operation::embedding_bag, 0, [=](const KernelTable& table) -> Results {
            const at::Tensor out = in.empty_floats({4, width}), grad = in.empty_floats({9, width});
            table.embedding_bag_forward(table_VH, ids, weights, offsets, out);
            table.embedding_bag_backward(grad_out, ids, weights, offsets, grad);
            return {out, grad};
          }};
}

// Labels without and with events, on a bin's edge and after the censoring.
MotorTargets targets(const Inputs& in, int64_t labels, int64_t tasks) {
  std::vector<float> censor, seconds;
  std::vector<int> ids, offsets = {0};
  for (int64_t l = 0; l < labels; ++l) {
    censor.push_back(l % 5 == 4 ? 0.0f : 37.0f * static_cast<float>(l % 11));
    for (int64_t task = l % 3; task < tasks && l % 4 != 3; task += 5) {
      ids.push_back(static_cast<int>(task));
      seconds.push_back(l % 2 == 0 ? 100.0f : 17.0f * static_cast<float>(1 + (l + task) % 23));
    }
    offsets.push_back(static_cast<int>(ids.size()));
  }
  const auto to_floats = [&](const std::vector<float>& values) {
    return in.empty_floats({static_cast<int64_t>(values.size())}).copy_(at::tensor(values));
  };
  return {to_floats(censor), in.integers(offsets), in.integers(ids), to_floats(seconds)};
}

KernelTrial time_to_event(Inputs in, int64_t labels, int64_t tasks, int64_t features) {
  constexpr int64_t kBins = 3;
  const at::Tensor z = in.values({labels, kBins, features});
  const at::Tensor edges = in.empty_floats({kBins + 1});
  edges.copy_(at::tensor(std::vector<float>{0, 100, 200, INFINITY}));
  const TimeToEventHead head{in.values({tasks, features}, 0.1), in.floats({tasks}, 1) - 6,
                             in.floats({kBins, tasks}, 1), edges};
  const MotorTargets wanted = targets(in, labels, tasks);
  return {Operation::time_to_event, 0, [=](const KernelTable& table) -> Results {
            const TimeToEventGradients gradients{
                at::empty_like(z), in.empty_floats({tasks, features}), in.empty_floats({tasks}),
                in.empty_floats({kBins, tasks})};
            const at::Tensor loss =
                table.time_to_event({z, head, wanted, TimeAtRisk::exact, 100.0, gradients});
            return {loss, gradients.z_LKF, gradients.weight_CF, gradients.bias_C,
                    gradients.time_bias_KC};
          }};
}

}  // namespace

std::vector<KernelTrial> kernel_trials(at::ScalarType type, at::Device device) {
  const Inputs in(type, device);
  constexpr AttentionDirection kCausal = AttentionDirection::causal;
  std::vector<KernelTrial> all = {
      norm(in, 37, 130, 5),
      norm(in, 3, 768, 10),
      gated_product(in, 37, 65),
      gated_product(in, 3, 1024),
      attention(in, {{63, 1, 64, 65}, 3, 16, 20, kCausal}),
      attention(in, {{1, 70, 130}, 2, 64, 96, kCausal}),
      attention(in, {{5, 3, 7, 60, 8}, 2, 32, 0, AttentionDirection::bidirectional}),
      recurrence(in, {63, 1, 64, 65}, 3, 16),
      recurrence(in, {1, 130}, 2, 24),
      time_to_event(in, 40, 70, 32),
      time_to_event(in, 7, 33, 24)};
  if (type == at::kFloat) all.push_back(embedding_bag(in, 40));
  return all;
}

}  // namespace sequela
