#include "python/bind_command.h"
#include "python/bindings.h"

PYBIND11_MODULE(_core, module) {
  using namespace sequela::python;
  module.doc() = "Sequela's C++ core; use the package `sequela`.";
  module.attr("__version__") = SEQUELA_VERSION;
  register_errors(module);
  register_runtime(module);
  register_synth(module);
  register_prepare(module);
  register_motor(module);
  register_pretrain(module);
  register_features(module);
  register_finetune(module);
  register_live(module);
  register_inspect(module);
  register_vocabulary(module);
  register_encoder(module);
  register_bert_heads(module);
  register_progression(module);
  register_survival(module);
  register_baseline(module);
  register_metrics(module);
  register_pretrain_mlm(module);
  register_compare(module);
  register_evaluate(module);
  register_report_page(module);
  register_command(module);
}
