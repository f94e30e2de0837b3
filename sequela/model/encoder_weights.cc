#include "sequela/model/encoder_weights.h"

#include <ATen/ATen.h>

#include <string>
#include <unordered_map>

#include "sequela/core/error.h"
#include "sequela/model/layer_shape.h"

namespace sequela {
namespace {

// Finds parameters by name and makes views of the flat buffers.
class Binder {
 public:
  Binder(const Parameters& parameters, const at::Tensor& flat, const at::Tensor& flat_matrices)
      : flat_(flat), flat_matrices_(flat_matrices) {
    for (const Parameter& item : parameters.items) by_name_[item.name] = &item;
  }

  at::Tensor vector(const std::string& name) const {
    const Parameter& item = get(name);
    return view(flat_, item, item.value.sizes());
  }
  // Undefined if there is none.
  at::Tensor optional_vector(const std::string& name) const {
    return by_name_.contains(name) ? vector(name) : at::Tensor();
  }
  at::Tensor matrix(const std::string& name) const {
    const Parameter& item = get(name);
    return view(flat_matrices_, item, item.value.sizes());
  }
  // The matrix that starts at `name` and has `rows` rows, those of the parameters that follow
  // included.
  at::Tensor joined_matrix(const std::string& name, int64_t rows) const {
    const Parameter& item = get(name);
    return view(flat_matrices_, item, {rows, item.value.size(1)});
  }
  at::Tensor joined_vector(const std::string& name, int64_t size) const {
    return view(flat_, get(name), {size});
  }

 private:
  const Parameter& get(const std::string& name) const {
    const auto at = by_name_.find(name);
    SEQUELA_CHECK(at != by_name_.end());
    return *at->second;
  }
  static at::Tensor view(const at::Tensor& flat, const Parameter& item, at::IntArrayRef shape) {
    return flat.narrow(0, item.offset, c10::multiply_integers(shape)).view(shape);
  }

  std::unordered_map<std::string, const Parameter*> by_name_;
  const at::Tensor& flat_;
  const at::Tensor& flat_matrices_;
};

void bind_hawk(const Binder& binder, const std::string& prefix, LayerTensors& layer) {
  const std::string gates = prefix + "rg_lru.";
  layer.hawk = {.conv_weight_4W = binder.vector(prefix + "conv_1d.w"),
                .conv_bias_W = binder.vector(prefix + "conv_1d.b"),
                .input_gate_weight_NBB = binder.vector(gates + "input_gate.w"),
                .input_gate_bias_NB = binder.vector(gates + "input_gate.b"),
                .a_gate_weight_NBB = binder.vector(gates + "a_gate.w"),
                .a_gate_bias_NB = binder.vector(gates + "a_gate.b"),
                .a_param_W = binder.vector(gates + "a_param")};
  layer.hawk_out_weight_HH = binder.matrix(prefix + "linear_out.weight");
  layer.hawk_out_bias_H = binder.vector(prefix + "linear_out.bias");
}

LayerTensors bind_layer(const EncoderConfig& config, const Binder& binder, int64_t i) {
  const std::string prefix = str("transformer.layers.", i, ".");
  LayerTensors layer;
  layer.is_hawk = config.is_hawk_layer(i);
  const LayerShape shape(config, layer.is_hawk);
  const int64_t columns = shape.projected_columns();
  layer.norm_weight_H = binder.vector(prefix + "norm.weight");
  layer.input_weight_NH = binder.joined_matrix(prefix + "input_proj.weight", columns);
  if (config.use_bias) {
    layer.input_bias = binder.joined_vector(prefix + "input_proj.bias", columns);
  } else if (layer.is_hawk) {
    layer.input_bias =
        binder.joined_vector(prefix + "hawk_module.linear_x.bias", shape.mixer_columns());
  }
  layer.output_weight = binder.matrix(prefix + "output_proj.weight");
  layer.output_bias_H = binder.optional_vector(prefix + "output_proj.bias");
  if (layer.is_hawk) bind_hawk(binder, prefix + "hawk_module.", layer);
  return layer;
}

}  // namespace

EncoderTensors bind_encoder(const ModelConfig& config, const Parameters& parameters,
                            const at::Tensor& flat, const at::Tensor& flat_matrices) {
  const EncoderConfig& encoder = config.encoder;
  const Binder binder(parameters, flat, flat_matrices);
  EncoderTensors tensors;
  tensors.embedding_VH = binder.vector(encoder.is_hierarchical ? "transformer.embed_bag.weight"
                                                               : "transformer.embed.weight");
  tensors.in_norm_H = binder.vector("transformer.in_norm.weight");
  for (int64_t i = 0; i < encoder.n_layers; ++i)
    tensors.layers.push_back(bind_layer(encoder, binder, i));
  tensors.out_norm_H = binder.vector("transformer.out_norm.weight");
  return tensors;
}

MotorHeadTensors bind_motor_head(const Parameters& parameters, const at::Tensor& flat,
                                 const at::Tensor& flat_matrices) {
  const Binder binder(parameters, flat, flat_matrices);
  MotorHeadTensors tensors;
  tensors.final_weight = binder.matrix("task_model.final_layer.weight");
  tensors.final_bias = binder.vector("task_model.final_layer.bias");
  tensors.norm_weight = binder.optional_vector("task_model.norm.weight");
  tensors.task_weight_CF = binder.matrix("task_model.task_layer.weight");
  tensors.task_bias_C = binder.vector("task_model.task_layer.bias");
  tensors.time_bias_KC = binder.optional_vector("task_model.task_time_bias");
  if (tensors.time_bias_KC.defined()) tensors.time_bias_KC = tensors.time_bias_KC.squeeze(0);
  return tensors;
}

}  // namespace sequela
