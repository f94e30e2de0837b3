#include "python/run_job.h"
#include "sequela/pipeline/report.h"

namespace sequela::python {

void register_report_page(py::module_& module) {
  using Options = ReportOptions;
  py::class_<Options>(module, "ReportOptions")
      .def(py::init<>())
      .def_readwrite("runs", &Options::runs)
      .def_readwrite("out", &Options::out)
      .def_readwrite("patient", &Options::patient)
      .def_readwrite("meds", &Options::meds)
      .def_readwrite("model", &Options::model)
      .def_readwrite("tasks", &Options::tasks)
      .def_readwrite("horizon_days", &Options::horizon_days)
      .def_readwrite("num_threads", &Options::num_threads)
      .def_readwrite("memory_bytes", &Options::memory_bytes);
  // Where the page lies.
  module.def("report", [](const Options& options) {
    return run_job_for(py::none(), [&] { return report(options); });
  });
}

}  // namespace sequela::python
