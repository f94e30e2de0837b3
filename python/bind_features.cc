#include "python/run_job.h"
#include "python/time_zone.h"
#include "sequela/pipeline/features.h"

namespace sequela::python {
namespace {

void register_options(py::module_& module) {
  using Options = FeaturesOptions;
  py::class_<Options> type(module, "FeaturesOptions");
  type.def(py::init<>())
      .def_readwrite("meds", &Options::meds)
      .def_readwrite("model", &Options::model)
      .def_readwrite("labels", &Options::labels)
      .def_readwrite("out", &Options::out)
      .def_readwrite("ontology", &Options::ontology)
      .def_readwrite("athena", &Options::athena)
      .def_readwrite("cohort", &Options::cohort)
      .def_readwrite("cohort_db", &Options::cohort_db)
      .def_readwrite("cohort_query", &Options::cohort_query)
      .def_readwrite("label_column", &Options::label_column)
      .def_readwrite("precision", &Options::precision)
      .def_property(
          "read_out", [](const Options& options) { return to_text(options.read_out); },
          [](Options& options, const std::string& text) { options.read_out = to_read_out(text); })
      .def_readwrite("tokens_per_batch", &Options::tokens_per_batch)
      .def_readwrite("device", &Options::device)
      .def_property(
          "kernels", [](const Options& options) { return to_text(options.kernels); },
          [](Options& options, const std::string& text) { options.kernels = to_kernels(text); })
      .def_readwrite("kernel_cache", &Options::kernel_cache)
      .def_readwrite("is_femr_compatible", &Options::is_femr_compatible)
      .def_readwrite("fingerprint_cache", &Options::fingerprint_cache)
      .def_readwrite("num_threads", &Options::num_threads)
      .def_readwrite("memory_bytes", &Options::memory_bytes);
  register_time_zone(type);
}

py::dict skipped_by_reason(const FeaturesReport& report) {
  py::dict skipped;
  for (int state = 1; state < 4; ++state) {
    skipped[to_text(static_cast<LabelState>(state))] = report.num_skipped[state];
  }
  return skipped;
}

}  // namespace

void register_features(py::module_& module) {
  register_options(module);
  py::class_<FeaturesReport>(module, "FeaturesReport")
      .def_readonly("num_labels", &FeaturesReport::num_labels)
      .def_property_readonly("num_embedded",
                             [](const FeaturesReport& report) { return report.embed.num_embedded; })
      .def_property_readonly("num_tokens",
                             [](const FeaturesReport& report) { return report.embed.num_tokens; })
      .def_property_readonly("num_skipped", &skipped_by_reason)
      .def_readonly("seconds", &FeaturesReport::seconds)
      .def_readonly("is_up_to_date", &FeaturesReport::is_up_to_date);
  module.def("compute_features", [](const FeaturesOptions& options, const py::object& reporter) {
    return run_job_for(reporter, [&] { return compute_features(options); });
  });
}

}  // namespace sequela::python
