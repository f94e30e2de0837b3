#include <ATen/ATen.h>
#include <torch/csrc/utils/pybind.h>

#include "python/compute_guard.h"
#include "python/fields.h"
#include "python/run_job.h"
#include "sequela/batch/folder.h"
#include "sequela/model/model_dir.h"
#include "sequela/model/parameter_layout.h"
#include "sequela/nn/cuda/dispatch.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/pipeline/record_batches.h"

namespace sequela::python {
namespace {

using Weights = std::map<std::string, at::Tensor>;
using NoGil = py::call_guard<py::gil_scoped_release>;

Weights to_weights(const Parameters& parameters) {
  Weights weights;
  for (const Parameter& item : parameters.items) weights[item.name] = item.value;
  return weights;
}

Parameters to_parameters(const Weights& weights) {
  Parameters parameters;
  for (const auto& [name, value] : weights)
    parameters.items.push_back({.name = name, .value = value});
  return parameters;
}

void register_config(py::module_& module) {
  py::enum_<TimeColumns>(module, "TimeColumns")
      .value("time_data", TimeColumns::time_data)
      .value("normalized_age", TimeColumns::normalized_age);
  using Encoder = EncoderConfig;
  py::class_<Encoder> encoder(module, "EncoderConfig");
  register_fields(
      encoder, field("vocab_size", &Encoder::vocab_size),
      field("is_hierarchical", &Encoder::is_hierarchical),
      field("hidden_size", &Encoder::hidden_size),
      field("intermediate_size", &Encoder::intermediate_size), field("n_heads", &Encoder::n_heads),
      field("n_layers", &Encoder::n_layers), field("attention_width", &Encoder::attention_width),
      field("use_normed_ages", &Encoder::use_normed_ages), field("use_bias", &Encoder::use_bias),
      field("hidden_act", &Encoder::hidden_act), field("has_hawk", &Encoder::has_hawk),
      field("time_columns", &Encoder::time_columns));
  using Task = MotorHeadConfig::Task;
  py::class_<Task> task(module, "MotorTaskConfig");
  register_fields(task, field("code", &Task::code), field("rate", &Task::rate),
                  field("n_censored", &Task::n_censored), field("n_events", &Task::n_events),
                  field("mean_time", &Task::mean_time));
  using Head = MotorHeadConfig;
  py::class_<Head> head(module, "MotorHeadConfig");
  register_fields(head, field("tasks", &Head::tasks), field("time_bins", &Head::time_bins),
                  field("final_layer_size", &Head::final_layer_size),
                  field("has_norm", &Head::has_norm), field("has_time_bias", &Head::has_time_bias));
  py::class_<ModelConfig> config(
      module, "MotorConfig",
      "What a MOTOR model is: `encoder` (its sizes), `motor` (tasks and time "
      "bins of its head, or None), `clmbr_vocab_size` (0 = no such head).");
  register_fields(config, field("encoder", &ModelConfig::encoder),
                  field("motor", &ModelConfig::motor),
                  field("clmbr_vocab_size", &ModelConfig::clmbr_vocab_size));
}

// Makes a tensor of a batch's part an attribute of the batch.
template <class Part>
void add_tensor(py::class_<MotorBatch>& type, const char* name, Part MotorBatch::*part,
                at::Tensor Part::*tensor) {
  type.def_property(
      name, [=](const MotorBatch& batch) { return batch.*part.*tensor; },
      [=](MotorBatch& batch, const at::Tensor& value) { batch.*part.*tensor = value; });
}

void register_batch(py::module_& module) {
  py::class_<MotorBatch> type(module, "MotorBatch");
  type.def(py::init<>());
  using Inputs = BatchInputs;
  const auto inputs = &MotorBatch::inputs;
  add_tensor(type, "subject_ids", inputs, &Inputs::subject_ids_S);
  add_tensor(type, "lengths", inputs, &Inputs::lengths_S);
  add_tensor(type, "token_ids", inputs, &Inputs::token_ids_N);
  add_tensor(type, "token_weights", inputs, &Inputs::token_weights_N);
  add_tensor(type, "token_offsets", inputs, &Inputs::token_offsets_T1);
  add_tensor(type, "ages_days", inputs, &Inputs::ages_days_T);
  add_tensor(type, "time_data", inputs, &Inputs::time_data_T5);
  add_tensor(type, "timestamps", inputs, &Inputs::timestamps_T);
  add_tensor(type, "label_indices", inputs, &Inputs::label_indices_L);
  using Targets = MotorTargets;
  const auto targets = &MotorBatch::targets;
  add_tensor(type, "censor_seconds", targets, &Targets::censor_seconds_L);
  add_tensor(type, "row_offsets", targets, &Targets::row_offsets_L1);
  add_tensor(type, "task_ids", targets, &Targets::task_ids_Z);
  add_tensor(type, "event_seconds", targets, &Targets::event_seconds_Z);
  py::class_<BatchFolder>(module, "BatchFolder")
      .def(py::init([](const std::string& path) { return BatchFolder::open(path); }), NoGil())
      .def_property_readonly("num_batches", &BatchFolder::num_batches)
      .def("read", &BatchFolder::read, NoGil());
}

// A batch with the row of each of its labels in the label table, and its value.
auto read_records(const RecordBatches& records, int64_t index) {
  LabelBatches::Batch batch = records.batches().read(index);
  std::vector<double> values;
  for (const int64_t label : batch.labels) values.push_back(records.labels()[label].value);
  return std::make_tuple(MotorBatch{std::move(batch.inputs), {}},
                         at::tensor(batch.labels, at::kLong), at::tensor(values, at::kFloat));
}

py::dict skipped_by_reason(const RecordBatches& records) {
  int64_t counts[4] = {0, 0, 0, 0};
  for (const LabelState state : records.states()) ++counts[static_cast<int>(state)];
  py::dict skipped;
  for (int state = 1; state < 4; ++state)
    skipped[to_text(static_cast<LabelState>(state))] = counts[state];
  return skipped;
}

void register_records(py::module_& module) {
  py::class_<RecordBatches>(module, "RecordBatches")
      .def(py::init([](const FeaturesOptions& options, const py::object& reporter) {
        return run_job_for(reporter, [&] { return std::make_unique<RecordBatches>(options); });
      }))
      .def_property_readonly(
          "num_batches",
          [](const RecordBatches& records) { return records.batches().num_batches(); })
      .def_property_readonly("num_labels",
                             [](const RecordBatches& records) { return records.labels().size(); })
      .def_property_readonly("num_skipped", &skipped_by_reason)
      .def("read", &read_records, NoGil());
}

void register_files(py::module_& module) {
  module.def(
      "open_motor_bundle",
      [](const std::string& folder) {
        const ModelDir dir = read_model_dir(folder);
        return std::make_pair(dir.config, to_weights(dir.parameters));
      },
      NoGil());
  module.def(
      "write_motor_bundle",
      [](const std::string& folder, const ModelConfig& config, const Weights& weights,
         const std::string& dictionary) {
        write_model_dir(folder, config, to_parameters(weights), dictionary);
      },
      NoGil());
  module.def(
      "fresh_motor_weights",
      [](const ModelConfig& config, uint64_t seed) {
        Parameters parameters = allocate_parameters(parameter_layout(config), at::kCPU);
        initialize_parameters(config, seed, parameters);
        return to_weights(parameters);
      },
      NoGil());
  module.def("motor_config_of", &read_prepared_config, NoGil());
}

void register_model(py::module_& module) {
  py::enum_<Precision>(module, "Precision")
      .value("fp32", Precision::fp32)
      .value("bf16", Precision::bf16);
  py::enum_<Activations>(module, "Activations")
      .value("kept", Activations::kept)
      .value("recomputed", Activations::recomputed);
  using NewModel = std::unique_ptr<Motor>;
  py::enum_<TimeAtRisk>(module, "TimeAtRisk")
      .value("exact", TimeAtRisk::exact)
      .value("log2_float16", TimeAtRisk::log2_float16);
  py::class_<Motor>(module, "MotorModel")
      .def(py::init([](const ModelConfig& config, const Weights& weights, const std::string& device,
                       Precision precision, Activations activations, const std::string& kernels,
                       const std::string& kernel_cache) -> NewModel {
             const at::Device place(device);
             NewModel model =
                 std::make_unique<Motor>(config, to_parameters(weights), place, precision,
                                         choose_ways(place, to_kernels(kernels), kernel_cache));
             model->set_activations(activations);
             return model;
           }),
           ComputeGuard())
      .def("weights", [](Motor& model) { return to_weights(model.parameters()); })
      .def("refresh_weights", &Motor::refresh_weights, ComputeGuard())
      .def("set_time_at_risk", &Motor::set_time_at_risk)
      .def(
          "encode",
          [](Motor& model, const MotorBatch& batch) { return model.encode(batch.inputs); },
          ComputeGuard())
      .def(
          "forward",
          [](Motor& model, const MotorBatch& batch) { return model.forward(batch.inputs); },
          ComputeGuard())
      .def(
          "backward",
          [](Motor& model, const at::Tensor& grad_hidden_TH) {
            return to_weights(model.backward(grad_hidden_TH));
          },
          ComputeGuard())
      .def(
          "head_loss",
          [](Motor& model, const at::Tensor& hidden_TH, const MotorBatch& batch,
             bool wants_gradients) {
            const auto wanted = wants_gradients ? Motor::Wanted::gradients : Motor::Wanted::loss;
            const Motor::HeadLoss head = model.head_loss(hidden_TH, batch, wanted);
            return std::make_tuple(head.loss, head.grad_hidden_TH, to_weights(head.gradients));
          },
          ComputeGuard());
}

}  // namespace

void register_motor(py::module_& module) {
  register_config(module);
  register_batch(module);
  register_records(module);
  register_files(module);
  register_model(module);
  module.def("has_cuda_kernels", &has_cuda_kernels);
  module.def("to_kernels", [](const std::string& text) { return to_text(to_kernels(text)); });
}

}  // namespace sequela::python
