#include <ATen/ATen.h>
#include <torch/csrc/utils/pybind.h>

#include "python/compute_guard.h"
#include "sequela/encoders/progression/survival.h"

namespace sequela::python {
namespace {

using MaybeTensor = std::optional<at::Tensor>;

void register_models(py::module_& module) {
  using Config = SurvivalConfig;
  py::class_<Config>(module, "SurvivalConfig")
      .def(py::init<>())
      .def_readwrite("vocab_size", &Config::vocab_size)
      .def_readwrite("embedding_dim", &Config::embedding_dim)
      .def_readwrite("hidden_dim", &Config::hidden_dim)
      .def_readwrite("num_layers", &Config::num_layers)
      .def_readwrite("dropout", &Config::dropout)
      .def_readwrite("num_event_kinds", &Config::num_event_kinds)
      .def_readwrite("time_encoding_dim", &Config::time_encoding_dim)
      .def("validate", &Config::validate);
  module.def(
      "forward_hazards",
      [](const Config& config, const NamedTensors& weights, const at::Tensor& codes_BNC,
         const MaybeTensor& mask_BNC, const MaybeTensor& time_features_BNF, bool is_training) {
        const VisitBatch batch{codes_BNC, mask_BNC.value_or(at::Tensor()),
                               time_features_BNF.value_or(at::Tensor())};
        VisitForwardOptions options;
        options.is_training = is_training;
        return forward_hazards(config, weights, batch, options);
      },
      ComputeGuard());
}

void register_losses(py::module_& module) {
  py::class_<SurvivalTargets>(module, "SurvivalTargets")
      .def(py::init<at::Tensor, at::Tensor, at::Tensor>());
  module.def("survival_loss", &survival_loss, ComputeGuard());
  module.def("competing_risks_loss", &competing_risks_loss, ComputeGuard());
  module.def(
      "survival_curves",
      [](const at::Tensor& hazards_BN) {
        const SurvivalCurves curves = survival_curves(hazards_BN);
        return std::make_pair(curves.survival_BN, curves.cumulative_hazard_BN);
      },
      ComputeGuard());
  module.def("concordance_index", &concordance_index, ComputeGuard());
}

}  // namespace

void register_survival(py::module_& module) {
  register_models(module);
  register_losses(module);
}

}  // namespace sequela::python
