#include "python/run_job.h"
#include "python/time_zone.h"
#include "sequela/io/file.h"
#include "sequela/pipeline/evaluate_methods.h"

namespace sequela::python {
namespace {

void register_predictions(py::module_& module) {
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

void register_methods(py::module_& module) {
  using Options = EvaluateMethodsOptions;
  py::class_<Options, EvaluateOptions>(module, "EvaluateMethodsOptions")
      .def(py::init<>())
      .def_readwrite("meds", &Options::meds)
      .def_readwrite("tasks", &Options::tasks)
      .def_readwrite("model", &Options::model)
      .def_readwrite("encoders", &Options::encoders)
      .def_readwrite("methods", &Options::methods)
      .def_readwrite("splits", &Options::splits)
      .def_readwrite("athena", &Options::athena)
      .def_readwrite("hazards", &Options::hazards)
      .def_readwrite("horizons", &Options::horizons)
      .def_readwrite("subgroup_codes", &Options::subgroup_codes)
      .def_property(
          "read_out", [](const Options& options) { return to_text(options.read_out); },
          [](Options& options, const std::string& text) { options.read_out = to_read_out(text); })
      .def_readwrite("shots", &Options::shots)
      .def_readwrite("num_draws", &Options::num_draws)
      .def_readwrite("max_labels", &Options::max_labels)
      .def_property(
          "leaks", [](const Options& options) { return to_text(options.leaks); },
          [](Options& options, const std::string& text) { options.leaks = to_leak_rule(text); })
      .def_readwrite("precision", &Options::precision)
      .def_readwrite("tokens_per_batch", &Options::tokens_per_batch)
      .def_readwrite("device", &Options::device)
      .def_property(
          "kernels", [](const Options& options) { return to_text(options.kernels); },
          [](Options& options, const std::string& text) { options.kernels = to_kernels(text); })
      .def_readwrite("kernel_cache", &Options::kernel_cache)
      .def_readwrite("memory_bytes", &Options::memory_bytes);
  // The report as the text of evaluation.json.
  module.def("evaluate_methods", [](const Options& options, const py::object& reporter) {
    return run_job_for(reporter, [&] {
      evaluate_methods(options);
      return read_file(options.out + "/evaluation.json");
    });
  });
}

}  // namespace

void register_evaluate(py::module_& module) {
  register_predictions(module);
  register_methods(module);
}

}  // namespace sequela::python
