#include "python/run_job.h"
#include "python/time_zone.h"
#include "sequela/pipeline/compare.h"

namespace sequela::python {

void register_compare(py::module_& module) {
  using Options = CompareOptions;
  py::class_<Options> type(module, "CompareOptions");
  type.def(py::init<>())
      .def_readwrite("meds", &Options::meds)
      .def_readwrite("labels", &Options::labels)
      .def_readwrite("pretrained", &Options::pretrained)
      .def_readwrite("athena", &Options::athena)
      .def_readwrite("out", &Options::out)
      .def_readwrite("num_seeds", &Options::num_seeds)
      .def_readwrite("num_labels", &Options::num_labels)
      .def_readwrite("has_trees", &Options::has_trees)
      .def_readwrite("visit_embed_dim", &Options::visit_embed_dim)
      .def_readwrite("hidden_dim", &Options::hidden_dim)
      .def_readwrite("num_layers", &Options::num_layers)
      .def_readwrite("dropout", &Options::dropout)
      .def_readwrite("max_visits", &Options::max_visits)
      .def_readwrite("max_codes", &Options::max_codes)
      .def_readwrite("learning_rate", &Options::learning_rate)
      .def_readwrite("embedding_learning_rate", &Options::embedding_learning_rate)
      .def_readwrite("epochs", &Options::epochs)
      .def_readwrite("min_steps", &Options::min_steps)
      .def_readwrite("batch_size", &Options::batch_size)
      .def_readwrite("patience", &Options::patience)
      .def_readwrite("seed", &Options::seed)
      .def_readwrite("num_resamples", &Options::num_resamples)
      .def_readwrite("fingerprint_cache", &Options::fingerprint_cache)
      .def_readwrite("num_threads", &Options::num_threads)
      .def_readwrite("memory_bytes", &Options::memory_bytes);
  register_time_zone(type);
  // The report as the text of compare.json.
  module.def("compare", [](const Options& options, const py::object& reporter) {
    return run_job_for(reporter, [&] { return compare(options).to_json(); });
  });
}

}  // namespace sequela::python
