#include "python/bindings.h"
#include "sequela/core/parallel.h"
#include "sequela/evaluation/multiclass.h"
#include "sequela/evaluation/named_figures.h"
#include "sequela/evaluation/regression.h"
#include "sequela/evaluation/survival_metrics.h"

namespace sequela::python {
namespace {

BootstrapOptions bootstrap_options(int num_resamples, uint64_t seed) {
  return {.num_resamples = num_resamples, .seed = seed, .num_threads = default_num_threads()};
}

}  // namespace

void register_metrics(py::module_& module) {
  py::class_<Interval>(module, "Interval")
      .def_readonly("value", &Interval::value)
      .def_readonly("low", &Interval::low)
      .def_readonly("high", &Interval::high)
      .def("__str__", [](const Interval& interval) { return to_text(interval); });
  py::class_<MulticlassResult>(module, "MulticlassResult")
      .def_readonly("num_rows", &MulticlassResult::num_rows)
      .def_readonly("num_classes", &MulticlassResult::num_classes)
      .def_readonly("accuracy", &MulticlassResult::accuracy)
      .def_readonly("log_loss", &MulticlassResult::log_loss)
      .def_readonly("auroc", &MulticlassResult::auroc)
      .def_readonly("average_precision", &MulticlassResult::average_precision)
      .def_readonly("hand_till", &MulticlassResult::hand_till)
      .def_readonly("confusion", &MulticlassResult::confusion);
  module.def(
      "evaluate_multiclass",
      [](const std::vector<double>& probabilities, const std::vector<int64_t>& labels,
         const std::vector<int64_t>& groups, int num_resamples, uint64_t seed) {
        return evaluate_multiclass(probabilities, labels, groups,
                                   bootstrap_options(num_resamples, seed));
      },
      py::call_guard<py::gil_scoped_release>());
  py::class_<NamedFigure>(module, "NamedFigure")
      .def_readonly("name", &NamedFigure::name)
      .def_readonly("interval", &NamedFigure::interval)
      .def_readonly("why_not", &NamedFigure::why_not);
  module.def(
      "evaluate_survival",
      [](const std::vector<double>& times, const std::vector<uint8_t>& kinds,
         const std::vector<double>& scores, const std::vector<double>& horizons,
         const std::vector<double>& survival, const std::vector<int64_t>& groups, int num_resamples,
         uint64_t seed) {
        return bootstrap_figures(SurvivalMetrics({times, kinds, scores, horizons, survival}),
                                 groups, bootstrap_options(num_resamples, seed));
      },
      py::call_guard<py::gil_scoped_release>());
  module.def(
      "evaluate_regression",
      [](const std::vector<double>& values, const std::vector<double>& predicted,
         const std::vector<int64_t>& groups, int num_resamples, uint64_t seed) {
        return bootstrap_figures(RegressionMetrics(values, predicted), groups,
                                 bootstrap_options(num_resamples, seed));
      },
      py::call_guard<py::gil_scoped_release>());
}

}  // namespace sequela::python
