#include "python/run_job.h"
#include "python/time_zone.h"
#include "sequela/pipeline/evaluate.h"

namespace sequela::python {

void register_evaluate(py::module_& module) {
  using Options = EvaluateOptions;
  py::class_<Options> type(module, "EvaluateOptions");
  type.def(py::init<>())
      .def_readwrite("predictions", &Options::predictions)
      .def_readwrite("labels", &Options::labels)
      .def_readwrite("subgroups", &Options::subgroups)
      .def_readwrite("out", &Options::out)
      .def_readwrite("num_bootstraps", &Options::num_bootstraps)
      .def_readwrite("seed", &Options::seed)
      .def_readwrite("fingerprint_cache", &Options::fingerprint_cache)
      .def_readwrite("num_threads", &Options::num_threads);
  register_time_zone(type);
  // The report as the text of metrics.json.
  module.def("evaluate_predictions", [](const Options& options, const py::object& reporter) {
    return run_job_for(reporter, [&] { return evaluate_predictions(options).json; });
  });
}

}  // namespace sequela::python
