#include "sequela/model/motor.h"

#include <ATen/ATen.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <algorithm>
#include <stdexcept>

#include "sequela/core/error.h"
#include "sequela/model/flops.h"
#include "sequela/model/inputs_on_device.h"
#include "sequela/model/motor_head.h"
#include "sequela/model/parameter_layout.h"

namespace sequela {
namespace {

// Fills `parameters` from those of a file. The names and shapes were checked by the reader
// (model_dir.h).
void copy_values(const Parameters& from, Parameters& parameters) {
  for (Parameter& item : parameters.items) {
    const Parameter* source = from.find(item.name);
    if (source == nullptr || source->value.sizes() != item.value.sizes()) {
      throw std::invalid_argument(str("parameter ", item.name, " is missing or of another shape"));
    }
    item.value.copy_(source->value);
  }
}

// Room for gradients, all 0: of the head's parameters, or of all others.
enum class Part { encoder, head };
Parameters allocate_gradients(const ModelConfig& config, Part part, at::Device device) {
  std::vector<ParameterSpec> layout = parameter_layout(config);
  std::erase_if(layout, [&](const ParameterSpec& spec) {
    return spec.shape.name.starts_with(kMotorHeadPrefix) != (part == Part::head);
  });
  return allocate_parameters(layout, device);
}

}  // namespace

struct Motor::State {
  State(const ModelConfig& model_config, at::Device on_device, Precision precision_asked,
        const Ways& ways)
      : config(model_config),
        device(on_device),
        precision(precision_asked),
        type(precision_asked == Precision::bf16 ? at::kBFloat16 : at::kFloat),
        parameters(allocate_parameters(parameter_layout(model_config), on_device)),
        encoder(model_config.encoder, type, on_device, ways) {
    flat_matrices = precision == Precision::bf16
                        ? at::empty_like(parameters.flat_values, at::TensorOptions(type))
                        : parameters.flat_values;
    weights = bind_encoder(config, parameters, parameters.flat_values, flat_matrices);
    if (!config.motor) return;
    head = std::make_unique<MotorHead>(*config.motor, type, device, ways);
    head_weights = bind_motor_head(parameters, parameters.flat_values, flat_matrices);
  }

  void bind_gradients() {
    if (gradients.embedding_VH.defined()) return;
    if (!parameters.flat_gradients.defined()) parameters.zero_gradients();
    gradients =
        bind_encoder(config, parameters, parameters.flat_gradients, parameters.flat_gradients);
    if (!config.motor) return;
    head_gradients =
        bind_motor_head(parameters, parameters.flat_gradients, parameters.flat_gradients);
  }

  const at::Tensor& hidden_buffer(const BatchInputs& inputs) {
    return hidden.resize({inputs.ages_days_T.size(0), config.encoder.hidden_size}, type, device);
  }

  const ModelConfig config;
  const at::Device device;
  const Precision precision;
  const at::ScalarType type;
  Parameters parameters;
  at::Tensor flat_matrices;  // the weights in the type of the products
  Encoder encoder;
  EncoderTensors weights, gradients;
  std::unique_ptr<MotorHead> head;
  MotorHeadTensors head_weights, head_gradients;
  Buffer hidden, grad_hidden;
  Encoder::Keep keep = Encoder::Keep::activations;  // of a pass with gradients
};

Motor::Motor(const ModelConfig& config, uint64_t seed, at::Device device, Precision precision,
             const Ways& ways)
    : state_(std::make_unique<State>(config, device, precision, ways)) {
  initialize_parameters(config, seed, state_->parameters);
  refresh_weights();
}

Motor::Motor(const ModelConfig& config, Parameters parameters, at::Device device,
             Precision precision, const Ways& ways)
    : state_(std::make_unique<State>(config, device, precision, ways)) {
  copy_values(parameters, state_->parameters);
  refresh_weights();
}

Motor::~Motor() = default;
Motor::Motor(Motor&&) noexcept = default;

const ModelConfig& Motor::config() const {
  return state_->config;
}
Precision Motor::precision() const {
  return state_->precision;
}
Parameters& Motor::parameters() {
  return state_->parameters;
}
void Motor::set_observer(StageObserver observer) {
  state_->encoder.set_observer(std::move(observer));
}

void Motor::set_time_at_risk(TimeAtRisk time_at_risk) {
  if (state_->head) state_->head->set_time_at_risk(time_at_risk);
}

void Motor::set_activations(Activations activations) {
  state_->keep =
      activations == Activations::kept ? Encoder::Keep::activations : Encoder::Keep::residuals;
}

Activations Motor::activations() const {
  return state_->keep == Encoder::Keep::residuals ? Activations::recomputed : Activations::kept;
}

void Motor::release_memory() {
  state_->encoder.release_memory();
  if (state_->head) state_->head->release_memory();
  state_->hidden = state_->grad_hidden = {};
  if (!state_->device.is_cpu()) c10::getDeviceAllocator(state_->device.type())->emptyCache();
}

void Motor::refresh_weights() {
  if (state_->precision == Precision::bf16)
    state_->flat_matrices.copy_(state_->parameters.flat_values);
}

double Motor::flops_per_token() const {
  return training_flops_per_token(state_->config);
}

at::Tensor Motor::encode(const BatchInputs& inputs) {
  return encode(inputs, {});
}

at::Tensor Motor::encode(const BatchInputs& inputs, const at::Tensor& rows_L) {
  const int64_t rows = rows_L.defined() ? rows_L.size(0) : inputs.ages_days_T.size(0);
  at::Tensor out_LH = at::empty({rows, state_->config.encoder.hidden_size},
                                at::TensorOptions(at::kFloat).device(state_->device));
  state_->encoder.encode(to_device(inputs, state_->device), state_->weights,
                         moved(rows_L, state_->device), out_LH);
  return out_LH;
}

at::Tensor Motor::encode_with_history(const BatchInputs& inputs, const at::Tensor& rows_L,
                                      const at::Tensor& firsts_LP) {
  const int64_t width = (2 + firsts_LP.size(1)) * state_->config.encoder.hidden_size;
  at::Tensor out_LC =
      at::empty({rows_L.size(0), width}, at::TensorOptions(at::kFloat).device(state_->device));
  state_->encoder.encode_with_history(to_device(inputs, state_->device), state_->weights,
                                      moved(rows_L, state_->device),
                                      moved(firsts_LP, state_->device), out_LC);
  return out_LC;
}

at::Tensor Motor::logits(const BatchInputs& inputs) {
  const BatchInputs on_device = to_device(inputs, state_->device);
  if (state_->head) {
    const at::Tensor& hidden_TH = state_->hidden_buffer(on_device);
    state_->encoder.encode(on_device, state_->weights, {}, hidden_TH);
    return state_->head->logits(hidden_TH, on_device.label_indices_L, state_->head_weights);
  }
  if (state_->config.clmbr_vocab_size == 0) throw std::invalid_argument("the model has no head");
  const at::Tensor labelled_LH = encode(inputs, on_device.label_indices_L.to(at::kLong));
  return at::linear(labelled_LH, state_->parameters.get("task_model.final_layer.weight").value,
                    state_->parameters.get("task_model.final_layer.bias").value);
}

at::Tensor Motor::learn(const BatchInputs& batch_inputs, Wanted wanted, const HiddenLoss& head) {
  const BatchInputs inputs = to_device(batch_inputs, state_->device);
  const at::Tensor& hidden_TH = state_->hidden_buffer(inputs);
  if (wanted == Wanted::loss) {
    state_->encoder.encode(inputs, state_->weights, {}, hidden_TH);
    return head(hidden_TH, {});
  }
  state_->bind_gradients();
  state_->encoder.forward(inputs, state_->weights, state_->keep, hidden_TH);
  const at::Tensor& grad_hidden_TH =
      state_->grad_hidden.resize(hidden_TH.sizes(), state_->type, state_->device);
  at::Tensor loss = head(hidden_TH, grad_hidden_TH);
  state_->encoder.backward(grad_hidden_TH, state_->weights, state_->gradients);
  return loss;
}

at::Tensor Motor::product_weight(const std::string& name) const {
  const Parameter& item = state_->parameters.get(name);
  return state_->flat_matrices.narrow(0, item.offset, item.value.numel()).view(item.value.sizes());
}

at::Tensor Motor::loss(const MotorBatch& batch, std::optional<double> gradient_scale) {
  if (!state_->head) throw std::invalid_argument("the model has no MOTOR head");
  const at::Tensor indices_L = moved(batch.inputs.label_indices_L, state_->device);
  const MotorTargets targets = to_device(batch.targets, state_->device);
  const auto head = [&](const at::Tensor& hidden_TH, const at::Tensor& grad_hidden_TH) {
    std::optional<MotorHead::Backward> backward;
    if (gradient_scale) {
      backward = MotorHead::Backward{*gradient_scale, &state_->head_gradients, grad_hidden_TH};
    }
    return state_->head->loss(hidden_TH, indices_L, targets, state_->head_weights, backward);
  };
  return learn(batch.inputs, gradient_scale ? Wanted::gradients : Wanted::loss, head);
}

at::Tensor Motor::forward(const BatchInputs& inputs) {
  at::Tensor hidden_TH = at::empty({inputs.ages_days_T.size(0), state_->config.encoder.hidden_size},
                                   at::TensorOptions(at::kFloat).device(state_->device));
  state_->encoder.forward(to_device(inputs, state_->device), state_->weights, state_->keep,
                          hidden_TH);
  return hidden_TH;
}

Parameters Motor::backward(const at::Tensor& grad_hidden_TH) {
  Parameters gradients = allocate_gradients(state_->config, Part::encoder, state_->device);
  const at::Tensor& flat = gradients.flat_values;
  state_->encoder.backward(grad_hidden_TH.to(state_->type).contiguous(), state_->weights,
                           bind_encoder(state_->config, gradients, flat, flat));
  return gradients;
}

void Motor::add_gradients(const at::Tensor& grad_hidden_TH) {
  state_->bind_gradients();
  state_->encoder.backward(grad_hidden_TH.to(state_->type).contiguous(), state_->weights,
                           state_->gradients);
}

Motor::HeadLoss Motor::head_loss(const at::Tensor& hidden_TH, const MotorBatch& batch,
                                 Wanted wanted) {
  if (!state_->head) throw std::invalid_argument("the model has no MOTOR head");
  const at::Tensor indices_L = moved(batch.inputs.label_indices_L, state_->device);
  const MotorTargets targets = to_device(batch.targets, state_->device);
  const at::Tensor typed_TH = hidden_TH.to(state_->type).contiguous();
  const auto loss = [&](const std::optional<MotorHead::Backward>& backward) {
    return state_->head->loss(typed_TH, indices_L, targets, state_->head_weights, backward);
  };
  if (wanted == Wanted::loss) return {loss(std::nullopt), {}, {}};
  HeadLoss result;
  result.gradients = allocate_gradients(state_->config, Part::head, state_->device);
  const at::Tensor& flat = result.gradients.flat_values;
  const MotorHeadTensors gradients = bind_motor_head(result.gradients, flat, flat);
  const at::Tensor grad_hidden_TH = at::empty_like(typed_TH);
  result.loss = loss(MotorHead::Backward{1, &gradients, grad_hidden_TH});
  result.grad_hidden_TH = grad_hidden_TH.to(at::kFloat);
  return result;
}

Motor::Evaluation Motor::evaluate(const MotorBatch& batch, const at::Tensor& tasks_S) {
  if (!state_->head) throw std::invalid_argument("the model has no MOTOR head");
  const BatchInputs inputs = to_device(batch.inputs, state_->device);
  const at::Tensor& hidden_TH = state_->hidden_buffer(inputs);
  state_->encoder.encode(inputs, state_->weights, {}, hidden_TH);
  MotorHead::Evaluation evaluation = state_->head->evaluate(
      hidden_TH, inputs.label_indices_L, to_device(batch.targets, state_->device),
      state_->head_weights, moved(tasks_S, state_->device));
  return {evaluation.costs.loss, evaluation.costs.cost_C, evaluation.log2_rates_LKS};
}

}  // namespace sequela
