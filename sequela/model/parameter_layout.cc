#include "sequela/model/parameter_layout.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>

#include "sequela/core/error.h"
#include "sequela/core/parallel.h"
#include "sequela/core/random.h"

namespace sequela {
namespace {

constexpr int64_t kConvolutionWidth = 4;
constexpr double kConvolutionVariance = 0.01;

// Builds the list; `prefix_` is the module whose parameters are being added.
class Layout {
 public:
  explicit Layout(const ModelConfig& config) : config_(config) {}

  std::vector<ParameterSpec> build() {
    const EncoderConfig& encoder = config_.encoder;
    prefix_ = "transformer.";
    add(encoder.is_hierarchical ? "embed_bag.weight" : "embed.weight",
        {encoder.vocab_size, encoder.hidden_size}, Init::normal, 1.0)
        .is_decayed = true;
    add("in_norm.weight", {encoder.hidden_size}, Init::ones);
    for (int64_t i = 0; i < encoder.n_layers; ++i) add_layer(i);
    prefix_ = "transformer.";
    add("out_norm.weight", {encoder.hidden_size}, Init::ones);
    prefix_ = kMotorHeadPrefix;
    if (config_.motor) add_motor_head(*config_.motor);
    if (config_.clmbr_vocab_size > 0) {
      add_weight("final_layer", config_.clmbr_vocab_size, encoder.hidden_size);
      add_bias("final_layer", config_.clmbr_vocab_size, encoder.hidden_size);
    }
    return std::move(specs_);
  }

 private:
  void add_layer(int64_t i) {
    const EncoderConfig& encoder = config_.encoder;
    const int64_t hidden = encoder.hidden_size;
    const bool is_hawk = encoder.is_hawk_layer(i);
    const int64_t input_columns = encoder.ff_columns() + (is_hawk ? 0 : 3 * hidden);
    prefix_ = str("transformer.layers.", i, ".");
    add("norm.weight", {hidden}, Init::ones);
    add_weight("input_proj", input_columns, hidden);
    if (is_hawk) add_hawk_inputs(hidden);
    if (encoder.use_bias) add_bias("input_proj", input_columns, hidden);
    if (is_hawk) add_hawk(hidden);
    add_weight("output_proj", hidden, hidden + encoder.intermediate_size);
    if (encoder.use_bias) add_bias("output_proj", hidden, hidden + encoder.intermediate_size);
  }

  void add_hawk_inputs(int64_t hidden) {
    for (const char* name : {"hawk_module.linear_x.weight", "hawk_module.linear_y.weight"}) {
      ParameterShape& shape = add(name, {hidden, hidden}, Init::normal, std::sqrt(1.0 / hidden));
      shape.is_decayed = true;
      shape.follows_previous = true;
    }
  }

  void add_hawk(int64_t hidden) {
    const int64_t blocks = config_.encoder.n_heads;
    const int64_t block = hidden / blocks;
    // With use_bias, input_proj.bias is before them and all three make the bias of [ff | x | y].
    add("hawk_module.linear_x.bias", {hidden}, Init::zeros).follows_previous =
        config_.encoder.use_bias;
    add("hawk_module.linear_y.bias", {hidden}, Init::zeros).follows_previous = true;
    add("hawk_module.conv_1d.w", {kConvolutionWidth, hidden}, Init::normal,
        std::sqrt(kConvolutionVariance / kConvolutionWidth))
        .is_decayed = true;
    add("hawk_module.conv_1d.b", {hidden}, Init::zeros);
    for (const char* gate : {"input_gate", "a_gate"}) {
      add(str("hawk_module.rg_lru.", gate, ".w"), {blocks, block, block}, Init::normal,
          std::sqrt(1.0 / block))
          .is_decayed = true;
      add(str("hawk_module.rg_lru.", gate, ".b"), {blocks, block}, Init::zeros);
    }
    add("hawk_module.rg_lru.a_param", {hidden}, Init::recurrence);
    add("hawk_module.linear_out.weight", {hidden, hidden}, Init::normal, std::sqrt(1.0 / hidden))
        .is_decayed = true;
    add("hawk_module.linear_out.bias", {hidden}, Init::zeros);
  }

  void add_motor_head(const MotorHeadConfig& motor) {
    const int64_t hidden = config_.encoder.hidden_size;
    const int64_t width = motor.num_bins() * motor.final_layer_size;
    add_weight("final_layer", width, hidden);
    add_bias("final_layer", width, hidden);
    if (motor.has_norm) add("norm.weight", {motor.final_layer_size}, Init::ones);
    add_weight("task_layer", motor.num_tasks(), motor.final_layer_size);
    add("task_layer.bias", {motor.num_tasks()}, Init::log2_rates);
    if (motor.has_time_bias)
      add("task_time_bias", {1, motor.num_bins(), motor.num_tasks()}, Init::zeros);
  }

  // torch.nn.Linear's own distribution.
  void add_weight(const std::string& module, int64_t outputs, int64_t inputs) {
    add(module + ".weight", {outputs, inputs}, Init::uniform, 1 / std::sqrt(inputs)).is_decayed =
        true;
  }
  void add_bias(const std::string& module, int64_t outputs, int64_t inputs) {
    add(module + ".bias", {outputs}, Init::uniform, 1 / std::sqrt(inputs));
  }

  ParameterShape& add(const std::string& name, std::vector<int64_t> shape, Init init,
                      double scale = 0) {
    specs_.push_back({{prefix_ + name, std::move(shape)}, init, scale});
    return specs_.back().shape;
  }

  const ModelConfig& config_;
  std::string prefix_;
  std::vector<ParameterSpec> specs_;
};

uint64_t hash_name(const std::string& name) {
  uint64_t hash = name.size();
  for (unsigned char c : name) hash = hash_key(hash, c);
  return hash;
}

double draw_recurrence(Random& random) {
  constexpr double kMinRadius = 0.9;
  constexpr double kMaxRadius = 0.999;
  constexpr double kEpsilon = 1e-8;
  const double low = kMinRadius * kMinRadius + kEpsilon;
  const double high = kMaxRadius * kMaxRadius + kEpsilon;
  const double log_radius = 0.5 * std::log(low + (high - low) * random.uniform());
  return std::log(std::expm1(-log_radius));
}

void fill(const ParameterSpec& spec, const ModelConfig& config, uint64_t seed, float* values,
          int64_t num) {
  Random random(hash_key(seed, hash_name(spec.shape.name)));
  for (int64_t i = 0; i < num; ++i) {
    double value = 0;
    switch (spec.init) {
      case Init::zeros:
        break;
      case Init::ones:
        value = 1;
        break;
      case Init::normal:
        value = spec.scale * random.normal();
        break;
      case Init::uniform:
        value = spec.scale * (2 * random.uniform() - 1);
        break;
      case Init::log2_rates:
        value = std::log2(config.motor->tasks[i].rate);
        break;
      case Init::recurrence:
        value = draw_recurrence(random);
        break;
    }
    values[i] = static_cast<float>(value);
  }
}

}  // namespace

std::vector<ParameterSpec> parameter_layout(const ModelConfig& config) {
  return Layout(config).build();
}

Parameters allocate_parameters(const std::vector<ParameterSpec>& layout, at::Device device) {
  std::vector<ParameterShape> shapes;
  for (const ParameterSpec& spec : layout) shapes.push_back(spec.shape);
  return Parameters::allocate(shapes, device);
}

void initialize_parameters(const ModelConfig& config, uint64_t seed, Parameters& parameters) {
  const std::vector<ParameterSpec> layout = parameter_layout(config);
  SEQUELA_CHECK(layout.size() == parameters.items.size());
  parallel_for(static_cast<int64_t>(layout.size()), default_num_threads(), [&](int64_t i, int) {
    at::Tensor& value = parameters.items[i].value;
    at::Tensor host = value.is_cpu() ? value : at::empty(value.sizes(), at::kFloat);
    fill(layout[i], config, seed, host.data_ptr<float>(), host.numel());
    if (!value.is_cpu()) value.copy_(host);
  });
}

}  // namespace sequela
