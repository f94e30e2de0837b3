#include "python/run_job.h"
#include "sequela/synth/synth.h"

namespace sequela::python {

void register_synth(py::module_& module) {
  py::class_<SynthOptions>(module, "SynthOptions")
      .def(py::init<>())
      .def_readwrite("num_subjects", &SynthOptions::num_subjects)
      .def_readwrite("seed", &SynthOptions::seed)
      .def_readwrite("has_flares", &SynthOptions::has_flares)
      .def_readwrite("folder", &SynthOptions::folder)
      .def_readwrite("num_threads", &SynthOptions::num_threads);
  py::class_<SynthReport>(module, "SynthReport")
      .def_readonly("num_subjects", &SynthReport::num_subjects)
      .def_readonly("num_events", &SynthReport::num_events)
      .def_readonly("num_shards", &SynthReport::num_shards)
      .def_readonly("num_codes", &SynthReport::num_codes)
      .def_readonly("num_deaths", &SynthReport::num_deaths);
  module.def("synth", [](const SynthOptions& options, const py::object& reporter) {
    return run_job_for(reporter, [&] { return synth(options); });
  });
}

}  // namespace sequela::python
