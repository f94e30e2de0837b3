#include "python/run_job.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/train/recipe.h"

namespace sequela::python {
namespace {

void register_train_options(py::module_& module) {
  py::enum_<Schedule>(module, "Schedule")
      .value("linear", Schedule::linear)
      .value("cosine", Schedule::cosine)
      .value("constant", Schedule::constant);
  py::enum_<LossScale>(module, "LossScale")
      .value("mean", LossScale::mean)
      .value("events", LossScale::events);
  py::enum_<OptimizerKind>(module, "OptimizerKind")
      .value("adamw", OptimizerKind::adamw)
      .value("muon", OptimizerKind::muon);
  py::enum_<SentAs>(module, "SentAs").value("fp32", SentAs::fp32).value("bf16", SentAs::bf16);
  py::class_<TrainOptions>(module, "TrainOptions")
      .def_readwrite("gradients_as", &TrainOptions::gradients_as)
      .def_readwrite("learning_rate", &TrainOptions::learning_rate)
      .def_readwrite("schedule", &TrainOptions::schedule)
      .def_readwrite("loss_scale", &TrainOptions::loss_scale)
      .def_readwrite("optimizer", &TrainOptions::optimizer)
      .def_readwrite("muon_scale", &TrainOptions::muon_scale)
      .def_readwrite("muon_momentum", &TrainOptions::muon_momentum)
      .def_readwrite("beta1", &TrainOptions::beta1)
      .def_readwrite("beta2", &TrainOptions::beta2)
      .def_readwrite("epsilon", &TrainOptions::epsilon)
      .def_readwrite("weight_decay", &TrainOptions::weight_decay)
      .def_readwrite("max_gradient_norm", &TrainOptions::max_gradient_norm)
      .def_readwrite("warmup_steps", &TrainOptions::warmup_steps)
      .def_readwrite("epochs", &TrainOptions::epochs)
      .def_readwrite("max_steps", &TrainOptions::max_steps)
      .def_readwrite("accumulate", &TrainOptions::accumulate)
      .def_readwrite("lanes", &TrainOptions::lanes)
      .def_readwrite("eval_every", &TrainOptions::eval_every)
      .def_readwrite("patience", &TrainOptions::patience)
      .def_readwrite("log_every", &TrainOptions::log_every)
      .def_readwrite("keep_checkpoints", &TrainOptions::keep_checkpoints);
}

void register_report(py::module_& module) {
  py::class_<TrainReport>(module, "TrainReport")
      .def_readonly("steps", &TrainReport::steps)
      .def_readonly("num_tokens", &TrainReport::num_tokens)
      .def_readonly("seconds", &TrainReport::seconds)
      .def_readonly("tokens_per_second", &TrainReport::tokens_per_second)
      .def_readonly("best_loss", &TrainReport::best_loss)
      .def_readonly("best_step", &TrainReport::best_step)
      .def_readonly("eval_losses", &TrainReport::eval_losses)
      .def_property_readonly("figures",
                             [](const TrainReport& report) {
                               py::dict figures;
                               for (const Figure& figure : report.figures)
                                 figures[py::str(figure.name)] = figure.value;
                               return figures;
                             })
      .def_readonly("is_finished", &TrainReport::is_finished)
      .def_readonly("is_resumed", &TrainReport::is_resumed);
  py::class_<PretrainReport>(module, "PretrainReport")
      .def_readonly("train", &PretrainReport::train)
      .def_readonly("num_parameters", &PretrainReport::num_parameters)
      .def_readonly("is_up_to_date", &PretrainReport::is_up_to_date);
}

}  // namespace

void register_pretrain(py::module_& module) {
  register_train_options(module);
  register_report(module);
  module.def("to_precision", [](const std::string& text, const std::string& device) {
    return to_precision(text, to_device(device));
  });
  module.def("to_bert_precision", &to_bert_precision);
  py::enum_<Recipe>(module, "Recipe").value("femr", Recipe::femr).value("sequela", Recipe::sequela);
  module.def("apply_recipe", py::overload_cast<Recipe, PretrainOptions&>(&apply_recipe));
  py::enum_<Selection>(module, "Selection")
      .value("loss", Selection::loss)
      .value("probe", Selection::probe);
  py::class_<PretrainOptions>(module, "PretrainOptions")
      .def(py::init<>())
      .def_readwrite("data", &PretrainOptions::data)
      .def_readwrite("out", &PretrainOptions::out)
      .def_readwrite("model", &PretrainOptions::model)
      .def_readwrite("encoder", &PretrainOptions::encoder)
      .def_readwrite("train", &PretrainOptions::train)
      .def_readwrite("embedding_std", &PretrainOptions::embedding_std)
      .def_readwrite("precision", &PretrainOptions::precision)
      .def_readwrite("activations", &PretrainOptions::activations)
      .def_readwrite("objective", &PretrainOptions::objective)
      .def_readwrite("device", &PretrainOptions::device)
      .def_property(
          "kernels", [](const PretrainOptions& options) { return to_text(options.kernels); },
          [](PretrainOptions& options, const std::string& text) {
            options.kernels = to_kernels(text);
          })
      .def_readwrite("kernel_cache", &PretrainOptions::kernel_cache)
      .def_readwrite("tokens_per_pass", &PretrainOptions::tokens_per_pass)
      .def_readwrite("seed", &PretrainOptions::seed)
      .def_readwrite("keep_output", &PretrainOptions::keep_output)
      .def_readwrite("probes", &PretrainOptions::probes)
      .def_readwrite("meds", &PretrainOptions::meds)
      .def_readwrite("probe_labels", &PretrainOptions::probe_labels)
      .def_readwrite("recall", &PretrainOptions::with_recall)
      .def_property(
          "read_out", [](const PretrainOptions& options) { return to_text(options.read_out); },
          [](PretrainOptions& options, const std::string& text) {
            options.read_out = to_read_out(text);
          })
      .def_readwrite("select", &PretrainOptions::select)
      .def_readwrite("truth", &PretrainOptions::truth)
      .def_readwrite("memory_bytes", &PretrainOptions::memory_bytes)
      .def_readwrite("fingerprint_cache", &PretrainOptions::fingerprint_cache)
      .def_readwrite("num_threads", &PretrainOptions::num_threads);
  module.def("apply_size", &apply_size);
  module.def("pretrain", [](const PretrainOptions& options, const py::object& reporter) {
    return run_job_for(reporter, [&] { return pretrain(options); });
  });
}

}  // namespace sequela::python
