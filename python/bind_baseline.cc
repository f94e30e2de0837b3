#include <ATen/ATen.h>
#include <torch/csrc/utils/pybind.h>

#include "python/compute_guard.h"
#include "sequela/encoders/progression/lstm_baseline.h"

namespace sequela::python {

void register_baseline(py::module_& module) {
  py::enum_<VisitPooling>(module, "VisitPooling")
      .value("mean", VisitPooling::mean)
      .value("sum", VisitPooling::sum)
      .value("max", VisitPooling::max)
      .value("attention", VisitPooling::attention);
  using Config = LstmBaselineConfig;
  py::class_<Config>(module, "LstmBaselineConfig")
      .def(py::init<>())
      .def_readwrite("vocab_size", &Config::vocab_size)
      .def_readwrite("embedding_dim", &Config::embedding_dim)
      .def_readwrite("hidden_dim", &Config::hidden_dim)
      .def_readwrite("num_layers", &Config::num_layers)
      .def_readwrite("dropout", &Config::dropout)
      .def_readwrite("bidirectional", &Config::is_bidirectional)
      .def_readwrite("pooling", &Config::pooling)
      .def_readwrite("output_dim", &Config::output_dim)
      .def("validate", &Config::validate);
  module.def(
      "forward_lstm_baseline",
      [](const Config& config, const NamedTensors& weights, const at::Tensor& codes_BNC,
         const std::optional<at::Tensor>& mask_BNC, bool is_training) {
        VisitForwardOptions options;
        options.is_training = is_training;
        const VisitBatch batch{codes_BNC, mask_BNC.value_or(at::Tensor()), {}};
        const LstmBaselineOutput output = forward_lstm_baseline(config, weights, batch, options);
        return std::make_tuple(output.logits_BD, output.predictions_BD, output.hidden_BNH);
      },
      ComputeGuard());
}

}  // namespace sequela::python
