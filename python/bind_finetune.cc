#include "python/run_job.h"
#include "python/time_zone.h"
#include "sequela/pipeline/finetune.h"

namespace sequela::python {
namespace {

void register_options(py::module_& module) {
  using Options = FinetuneOptions;
  py::class_<Options> type(module, "FinetuneOptions");
  type.def(py::init<>())
      .def_readwrite("meds", &Options::meds)
      .def_readwrite("model", &Options::model)
      .def_readwrite("ontology", &Options::ontology)
      .def_readwrite("athena", &Options::athena)
      .def_readwrite("labels", &Options::labels)
      .def_readwrite("task", &Options::task)
      .def_readwrite("splits", &Options::splits)
      .def_readwrite("val_fraction", &Options::val_fraction)
      .def_readwrite("out", &Options::out)
      .def_readwrite("checkpoints", &Options::checkpoints)
      .def_readwrite("predict", &Options::predict)
      .def_readwrite("predictions", &Options::predictions)
      .def_property(
          "tune", [](const Options& options) { return to_text(options.tune); },
          [](Options& options, const std::string& text) { options.tune = to_tuning(text); })
      .def_readwrite("lora_rank", &Options::lora_rank)
      .def_property(
          "start", [](const Options& options) { return to_text(options.start); },
          [](Options& options, const std::string& text) {
            options.start = to_classifier_start(text);
          })
      .def_property(
          "select", [](const Options& options) { return to_text(options.select); },
          [](Options& options, const std::string& text) {
            options.select = to_finetune_selection(text);
          })
      .def_readwrite("train", &Options::train)
      .def_readwrite("tokens_per_batch", &Options::tokens_per_batch)
      .def_readwrite("precision", &Options::precision)
      .def_readwrite("activations", &Options::activations)
      .def_readwrite("device", &Options::device)
      .def_property(
          "kernels", [](const Options& options) { return to_text(options.kernels); },
          [](Options& options, const std::string& text) { options.kernels = to_kernels(text); })
      .def_readwrite("kernel_cache", &Options::kernel_cache)
      .def_readwrite("seed", &Options::seed)
      .def_readwrite("keep_output", &Options::keep_output)
      .def_readwrite("fingerprint_cache", &Options::fingerprint_cache)
      .def_readwrite("num_threads", &Options::num_threads)
      .def_readwrite("memory_bytes", &Options::memory_bytes);
  register_time_zone(type);
}

py::dict skipped_by_reason(const FinetuneReport& report) {
  py::dict skipped;
  for (size_t state = 1; state < report.num_skipped.size(); ++state)
    skipped[to_text(static_cast<LabelState>(state))] = report.num_skipped[state];
  return skipped;
}

}  // namespace

void register_finetune(py::module_& module) {
  register_options(module);
  py::class_<FinetuneReport>(module, "FinetuneReport")
      .def_readonly("train", &FinetuneReport::train)
      .def_readonly("num_train", &FinetuneReport::num_train)
      .def_readonly("num_validation", &FinetuneReport::num_validation)
      .def_readonly("prevalence", &FinetuneReport::prevalence)
      .def_readonly("num_predicted", &FinetuneReport::num_predicted)
      .def_property_readonly("num_skipped", &skipped_by_reason)
      .def_readonly("auroc", &FinetuneReport::auroc)
      .def_readonly("is_up_to_date", &FinetuneReport::is_up_to_date);
  module.def("finetune", [](const FinetuneOptions& options, const py::object& reporter) {
    return run_job_for(reporter, [&] { return finetune(options); });
  });
}

}  // namespace sequela::python
