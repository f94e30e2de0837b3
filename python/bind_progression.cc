#include <ATen/ATen.h>
#include <torch/csrc/utils/pybind.h>

#include "python/compute_guard.h"
#include "python/fields.h"
#include "sequela/encoders/progression/pretrained_embeddings.h"
#include "sequela/encoders/progression/progression_memory.h"
#include "sequela/encoders/progression/progression_model.h"

namespace sequela::python {
namespace {

using MaybeTensor = std::optional<at::Tensor>;
using NoGil = py::call_guard<py::gil_scoped_release>;

void register_config(py::module_& module) {
  using Config = ProgressionConfig;
  py::class_<Config> config(module, "ProgressionConfig");
  config.def(py::init<>())
      .def_property_readonly("num_parameters", &Config::num_parameters)
      .def_static("read", &Config::read)
      .def("validate", &Config::validate)
      .def("to_json", &Config::to_json);
  register_fields(config, field("vocab_size", &Config::vocab_size),
                  field("code_embed_dim", &Config::code_embed_dim),
                  field("visit_embed_dim", &Config::visit_embed_dim),
                  field("hidden_dim", &Config::hidden_dim),
                  field("num_stages", &Config::num_stages),
                  field("num_layers", &Config::num_layers), field("dropout", &Config::dropout));
  using Preset = ProgressionPreset;
  py::class_<Preset> preset(module, "ProgressionPreset");
  register_fields(
      preset, field("config", &Preset::config), field("max_visits", &Preset::max_visits),
      field("max_codes_per_visit", &Preset::max_codes_per_visit),
      field("batch_size", &Preset::batch_size), field("accumulate", &Preset::accumulate),
      field("use_bf16", &Preset::use_bf16), field("use_checkpoint", &Preset::use_checkpoint));
  preset.def("estimate_memory_bytes", [](const Preset& preset, bool is_embedding_frozen) {
    ProgressionMemoryOptions options;
    options.is_embedding_frozen = is_embedding_frozen;
    options.use_bf16 = preset.use_bf16;
    options.use_checkpoint = preset.use_checkpoint;
    return estimate_memory(preset.config, full_batch(preset), options).total();
  });
  module.def("progression_preset", &progression_preset);
}

void register_forward(py::module_& module) {
  module.def(
      "forward_progression",
      [](const ProgressionConfig& config, const NamedTensors& weights, const at::Tensor& codes_BNC,
         const MaybeTensor& mask_BNC, const MaybeTensor& time_features_BNF, bool is_training,
         bool use_bf16, bool use_checkpoint) {
        const VisitBatch batch{codes_BNC, mask_BNC.value_or(at::Tensor()),
                               time_features_BNF.value_or(at::Tensor())};
        VisitForwardOptions options;
        options.is_training = is_training;
        options.use_bf16 = use_bf16;
        options.use_checkpoint = use_checkpoint;
        const ProgressionOutput output = forward_progression(config, weights, batch, options);
        return std::make_tuple(output.stage_logits_BNS, output.time_to_progression_BN1,
                               output.sequence_output_BNH, output.visit_embed_BNV,
                               output.final_hidden_LBH);
      },
      ComputeGuard());
  module.def("stage_loss", &stage_loss, ComputeGuard());
  module.def("to_time_features", &to_time_features, ComputeGuard());
}

void register_embeddings(py::module_& module) {
  py::enum_<EmbeddingResize>(module, "EmbeddingResize")
      .value("fail", EmbeddingResize::fail)
      .value("resize", EmbeddingResize::resize);
  module.def("read_embedding_table", &read_embedding_table, NoGil());
  // The weights that an embedding gets from a table: `weight_VE` itself, overwritten, or a new
  // tensor where the table has other rows.
  module.def(
      "load_pretrained_embeddings",
      [](const at::Tensor& weight_VE, const at::Tensor& table_WE, EmbeddingResize resize) {
        Parameters parameters;
        parameters.items.push_back({"encoder.code_embeddings.weight", weight_VE.detach()});
        load_pretrained_embeddings(parameters, table_WE, resize);
        return parameters.items.front().value;
      },
      NoGil());
  module.def(
      "read_progression_weights",
      [](const ProgressionConfig& config, const std::string& path) {
        NamedTensors weights;
        for (const Parameter& parameter : read_progression_parameters(config, path).items) {
          weights.emplace(parameter.name, parameter.value);
        }
        return weights;
      },
      NoGil());
}

}  // namespace

void register_progression(py::module_& module) {
  register_config(module);
  register_forward(module);
  register_embeddings(module);
}

}  // namespace sequela::python
