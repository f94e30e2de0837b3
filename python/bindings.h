#pragma once

// The Python module, one register function per type (or small family of types). Python's own side,
// python/sequela/*.py, gives names, defaults and documentation. Files that pass tensors include
// <torch/csrc/utils/pybind.h>, too; it is slow to compile.

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace sequela::python {

namespace py = pybind11;

void register_errors(py::module_& module);
void register_runtime(py::module_& module);
void register_synth(py::module_& module);
void register_prepare(py::module_& module);
void register_motor(py::module_& module);
void register_pretrain(py::module_& module);
void register_pretrain_mlm(py::module_& module);
void register_features(py::module_& module);
void register_finetune(py::module_& module);
void register_live(py::module_& module);
void register_inspect(py::module_& module);
void register_vocabulary(py::module_& module);
void register_encoder(py::module_& module);
void register_bert_heads(py::module_& module);
void register_progression(py::module_& module);
void register_survival(py::module_& module);
void register_baseline(py::module_& module);
void register_metrics(py::module_& module);
void register_compare(py::module_& module);
void register_evaluate(py::module_& module);
void register_report_page(py::module_& module);

}  // namespace sequela::python
