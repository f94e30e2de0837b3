#include "python/bindings.h"
#include "sequela/core/parallel.h"
#include "sequela/evaluation/multiclass.h"

namespace sequela::python {

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
      .def_readonly("average_precision", &MulticlassResult::average_precision);
  module.def(
      "evaluate_multiclass",
      [](const std::vector<double>& probabilities, const std::vector<int64_t>& labels,
         const std::vector<int64_t>& groups, int num_resamples, uint64_t seed) {
        BootstrapOptions options;
        options.num_resamples = num_resamples;
        options.seed = seed;
        options.num_threads = default_num_threads();
        return evaluate_multiclass(probabilities, labels, groups, options);
      },
      py::call_guard<py::gil_scoped_release>());
}

}  // namespace sequela::python
