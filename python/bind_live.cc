#include <pybind11/numpy.h>

#include "python/run_job.h"
#include "sequela/pipeline/live/live_columns.h"

namespace sequela::python {
namespace {

template <class T>
using Column = py::array_t<T, py::array::c_style | py::array::forcecast>;

template <class T>
std::span<const T> to_span(const Column<T>& column) {
  return {column.data(), static_cast<size_t>(column.size())};
}

void register_options(py::module_& module) {
  using Options = LiveOptions;
  py::class_<Options>(module, "LiveOptions")
      .def(py::init<>())
      .def_readwrite("model", &Options::model)
      .def_readwrite("ontology", &Options::ontology)
      .def_readwrite("athena", &Options::athena)
      .def_readwrite("codes", &Options::codes)
      .def_readwrite("tasks", &Options::tasks)
      .def_readwrite("horizon_days", &Options::horizon_days)
      .def_readwrite("precision", &Options::precision)
      .def_property(
          "keys", [](const Options& options) { return to_text(options.keys); },
          [](Options& options, const std::string& text) { options.keys = to_key_precision(text); })
      .def_readwrite("memory_bytes", &Options::memory_bytes)
      .def_readwrite("spill_folder", &Options::spill_folder)
      .def_readwrite("num_threads", &Options::num_threads);
}

// (subject ids [S], embeddings [S, H], risks [S, C])
py::tuple to_arrays(const LiveAnswers& answers, const LiveScorer& scorer) {
  const auto rows = static_cast<py::ssize_t>(answers.subject_ids_S.size());
  const auto width = static_cast<py::ssize_t>(scorer.hidden_size());
  const auto tasks = static_cast<py::ssize_t>(scorer.tasks().size());
  return py::make_tuple(py::array_t<int64_t>(rows, answers.subject_ids_S.data()),
                        py::array_t<float>({rows, width}, answers.embeddings_SH.data()),
                        py::array_t<float>({rows, tasks}, answers.risks_SC.data()));
}

py::tuple add(LiveScorer& scorer, const Column<int64_t>& subject_ids, const Column<int64_t>& times,
              const Column<int32_t>& code_ids, std::vector<std::string> codes,
              const Column<float>& numbers, const Column<uint8_t>& has_numbers,
              const Column<int32_t>& text_ids, std::vector<std::string> texts) {
  const LiveColumns columns{to_span(subject_ids), to_span(times),   to_span(code_ids),
                            std::move(codes),     to_span(numbers), to_span(has_numbers),
                            to_span(text_ids),    std::move(texts)};
  return to_arrays(run_job_for(py::none(), [&] { return add_columns(scorer, columns); }), scorer);
}

}  // namespace

void register_live(py::module_& module) {
  register_options(module);
  py::class_<LiveScorer>(module, "LiveScorer")
      .def(py::init([](const LiveOptions& options, const py::object& reporter) {
        return run_job_for(reporter, [&] { return std::make_unique<LiveScorer>(options); });
      }))
      .def("add", &add)
      .def_property_readonly("hidden_size", &LiveScorer::hidden_size)
      .def_property_readonly("known_tasks", &LiveScorer::known_tasks)
      .def_property_readonly(
          "max_bytes_per_patient",
          [](const LiveScorer& scorer) { return scorer.embedder().max_bytes_per_patient(); })
      .def_property_readonly(
          "subject_ids",
          [](const LiveScorer& scorer) { return scorer.embedder().patients().subject_ids(); })
      .def("__len__",
           [](const LiveScorer& scorer) { return scorer.embedder().patients().num_patients(); })
      .def("__contains__",
           [](const LiveScorer& scorer, int64_t subject_id) {
             return scorer.embedder().patients().holds(subject_id);
           })
      .def("discharge",
           [](LiveScorer& scorer, int64_t subject_id) { scorer.embedder().discharge(subject_id); })
      .def("save", [](LiveScorer& scorer, int64_t subject_id,
                      const std::string& path) { scorer.embedder().save(subject_id, path); })
      .def("load", [](LiveScorer& scorer, const std::string& path) {
        return scorer.embedder().load(path);
      });
}

}  // namespace sequela::python
