#include "python/run_job.h"
#include "python/time_zone.h"
#include "sequela/pipeline/prepare.h"

namespace sequela::python {
namespace {

void register_options(py::module_& module) {
  py::enum_<TokenizerSubjects>(module, "TokenizerSubjects")
      .value("all", TokenizerSubjects::all)
      .value("train", TokenizerSubjects::train);
  py::enum_<BatchForm>(module, "BatchForm")
      .value("compact", BatchForm::compact)
      .value("femr", BatchForm::femr);
  using Options = PrepareOptions;
  py::class_<Options> type(module, "PrepareOptions");
  type.def(py::init<>())
      .def_readwrite("objective", &Options::objective)
      .def_readwrite("objective_values", &Options::objective_values)
      .def_readwrite("meds", &Options::meds)
      .def_readwrite("athena", &Options::athena)
      .def_readwrite("out", &Options::out)
      .def_readwrite("split", &Options::split)
      .def_readwrite("dictionary", &Options::dictionary)
      .def_readwrite("task_file", &Options::task_file)
      .def_readwrite("remove_vocabularies", &Options::remove_vocabularies)
      .def_readwrite("properties", &Options::properties)
      .def_readwrite("split_seed", &Options::split_seed)
      .def_readwrite("val_fraction", &Options::val_fraction)
      .def_readwrite("vocab_size", &Options::vocab_size)
      .def_readwrite("num_numeric", &Options::num_numeric)
      .def_readwrite("bins_per_code", &Options::bins_per_code)
      .def_readwrite("min_fraction", &Options::min_fraction)
      .def_readwrite("tokenizer_on", &Options::tokenizer_on)
      .def_readwrite("num_tasks", &Options::num_tasks)
      .def_readwrite("num_value_tasks", &Options::num_value_tasks)
      .def_readwrite("num_bins", &Options::num_bins)
      .def_readwrite("final_layer_size", &Options::final_layer_size)
      .def_readwrite("task_min_fraction", &Options::task_min_fraction)
      .def_readwrite("tokens_per_batch", &Options::tokens_per_batch)
      .def_readwrite("label_fraction", &Options::label_fraction)
      .def_readwrite("batch_format", &Options::batch_format)
      .def_readwrite("is_femr_compatible", &Options::is_femr_compatible)
      .def_readwrite("repair", &Options::repair)
      .def_readwrite("keep_events", &Options::keep_events)
      .def_readwrite("rank", &Options::rank)
      .def_readwrite("num_ranks", &Options::num_ranks)
      .def_readwrite("fingerprint_cache", &Options::fingerprint_cache)
      .def_readwrite("num_threads", &Options::num_threads)
      .def_readwrite("memory_bytes", &Options::memory_bytes);
  register_time_zone(type);
}

void register_report(py::module_& module) {
  py::class_<PrepareStage>(module, "PrepareStage")
      .def_readonly("name", &PrepareStage::name)
      .def_readonly("reason", &PrepareStage::reason)
      .def_readonly("seconds", &PrepareStage::seconds)
      .def_readonly("num_events", &PrepareStage::num_events);
  py::class_<PrepareReport>(module, "PrepareReport")
      .def_readonly("stages", &PrepareReport::stages)
      .def_readonly("coverage", &PrepareReport::coverage)
      .def_readonly("seconds", &PrepareReport::seconds)
      .def_readonly("is_up_to_date", &PrepareReport::is_up_to_date);
}

}  // namespace

void register_prepare(py::module_& module) {
  register_options(module);
  register_report(module);
  module.def("prepare", [](const PrepareOptions& options, const py::object& reporter) {
    return run_job_for(reporter, [&] { return prepare(options); });
  });
}

}  // namespace sequela::python
