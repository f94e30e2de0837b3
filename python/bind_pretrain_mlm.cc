#include "python/run_job.h"
#include "python/time_zone.h"
#include "sequela/pipeline/pretrain_mlm.h"

namespace sequela::python {
namespace {

void register_enums(py::module_& module) {
  py::enum_<VisitRule>(module, "VisitRule")
      .value("hybrid", VisitRule::hybrid)
      .value("encounter", VisitRule::encounter)
      .value("day", VisitRule::day)
      .value("hours", VisitRule::hours_window);
  py::enum_<TimeTokens>(module, "TimeTokens")
      .value("cehr_bert", TimeTokens::cehr_bert)
      .value("day", TimeTokens::day)
      .value("week", TimeTokens::week)
      .value("month", TimeTokens::month)
      .value("mix", TimeTokens::mix)
      .value("none", TimeTokens::none);
}

void register_data_options(py::module_& module) {
  py::class_<VisitOptions>(module, "VisitOptions")
      .def_readwrite("visits", &VisitOptions::rule)
      .def_readwrite("encounter_column", &VisitOptions::encounter_column)
      .def_readwrite("window_hours", &VisitOptions::window_hours);
  py::class_<CehrRecordOptions>(module, "CehrRecordOptions")
      .def_readwrite("time_tokens", &CehrRecordOptions::time_tokens)
      .def_readwrite("visit_type", &CehrRecordOptions::with_visit_type)
      .def_readwrite("demographics", &CehrRecordOptions::with_demographics);
  py::class_<CehrVocabularyOptions>(module, "CehrVocabularyOptions")
      .def_readwrite("vocab_size", &CehrVocabularyOptions::max_size)
      .def_readwrite("min_frequency", &CehrVocabularyOptions::min_frequency);
  py::class_<MlmDataOptions>(module, "MlmDataOptions")
      .def_property_readonly(
          "visits", [](MlmDataOptions& data) { return &data.meds.visits; },
          py::return_value_policy::reference_internal)
      .def_readonly("records", &MlmDataOptions::records)
      .def_readonly("vocabulary", &MlmDataOptions::vocabulary)
      .def_readwrite("values", &MlmDataOptions::with_values)
      .def_readwrite("split_seed", &MlmDataOptions::split_seed)
      .def_readwrite("val_fraction", &MlmDataOptions::val_fraction);
  py::class_<MlmTrainingOptions>(module, "MlmTrainingOptions")
      .def_readwrite("max_length", &MlmTrainingOptions::max_length)
      .def_readwrite("batch_tokens", &MlmTrainingOptions::batch_tokens)
      .def_property(
          "mask_probability",
          [](const MlmTrainingOptions& options) { return options.mask.probability; },
          [](MlmTrainingOptions& options, double value) { options.mask.probability = value; });
}

void register_report(py::module_& module) {
  using Report = PretrainMlmReport;
  py::class_<Report>(module, "PretrainMlmReport")
      .def_readonly("train", &Report::train)
      .def_readonly("num_parameters", &Report::num_parameters)
      .def_readonly("vocab_size", &Report::vocab_size)
      .def_readonly("num_train_subjects", &Report::num_train_subjects)
      .def_readonly("num_validation_subjects", &Report::num_validation_subjects)
      .def_readonly("num_left_out", &Report::num_left_out)
      .def_readonly("is_up_to_date", &Report::is_up_to_date);
}

}  // namespace

void register_pretrain_mlm(py::module_& module) {
  register_enums(module);
  register_data_options(module);
  register_report(module);
  using Options = PretrainMlmOptions;
  py::class_<Options> type(module, "PretrainMlmOptions");
  type.def(py::init<>())
      .def_readwrite("meds", &Options::meds)
      .def_readwrite("out", &Options::out)
      .def_readwrite("model", &Options::model)
      .def_readonly("encoder", &Options::encoder)
      .def_readonly("data", &Options::data)
      .def_readonly("mlm", &Options::mlm)
      .def_readonly("train", &Options::train)
      .def_readwrite("precision", &Options::precision)
      .def_readwrite("device", &Options::device)
      .def_readwrite("seed", &Options::seed)
      .def_readwrite("keep_output", &Options::keep_output)
      .def_readwrite("fingerprint_cache", &Options::fingerprint_cache)
      .def_readwrite("num_threads", &Options::num_threads)
      .def_readwrite("memory_bytes", &Options::memory_bytes);
  register_time_zone(type);
  module.def("pretrain_mlm", [](const Options& options, const py::object& reporter) {
    return run_job_for(reporter, [&] { return pretrain_mlm(options); });
  });
}

}  // namespace sequela::python
