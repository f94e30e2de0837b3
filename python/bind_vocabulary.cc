#include "python/run_job.h"
#include "sequela/pipeline/data_ontology.h"
#include "sequela/tokenizer/sequence/code_vocabulary.h"
#include "sequela/tokenizer/sequence/vocabulary_mapper.h"

namespace sequela::python {
namespace {

void register_vocabulary_class(py::module_& module) {
  py::class_<CodeVocabulary>(module, "CodeVocabulary")
      .def_static("find", &CodeVocabulary::find)
      .def_static("read_folder", &CodeVocabulary::read_folder)
      .def_static("read_file", &CodeVocabulary::read_file)
      .def("__len__", &CodeVocabulary::size)
      .def("__contains__",
           [](const CodeVocabulary& vocabulary, const std::string& code) {
             return vocabulary.find_id(code).has_value();
           })
      .def("find_id", [](const CodeVocabulary& vocabulary,
                         const std::string& code) { return vocabulary.find_id(code); })
      .def("code",
           [](const CodeVocabulary& vocabulary, int32_t id) {
             return vocabulary.has_code(id) ? std::make_optional(std::string(vocabulary.code(id)))
                                            : std::nullopt;
           })
      .def("require_unknown", &CodeVocabulary::require_unknown)
      .def("check_fits", &CodeVocabulary::check_fits);
}

void register_report(py::module_& module) {
  using Row = MappingReport::Row;
  const auto by_step = [](const std::array<int64_t, kNumMapSteps>& counts) {
    py::dict dict;
    for (int step = 0; step < kNumMapSteps; ++step) {
      dict[map_step_name(static_cast<MapStep>(step))] = counts[step];
    }
    return dict;
  };
  py::class_<Row>(module, "MappingRow")
      .def_readonly("vocabulary", &Row::vocabulary)
      .def_property_readonly("num_codes",
                             [by_step](const Row& row) { return by_step(row.num_codes); })
      .def_property_readonly("num_events",
                             [by_step](const Row& row) { return by_step(row.num_events); });
  py::class_<MappingReport>(module, "MappingReport")
      .def_readonly("total", &MappingReport::total)
      .def_readonly("rows", &MappingReport::rows)
      .def_property_readonly("unknown",
                             [](const MappingReport& report) {
                               std::vector<std::pair<std::string, int64_t>> unknown;
                               for (const auto& [code, count] : report.unknown) {
                                 unknown.emplace_back(code, count);
                               }
                               return unknown;
                             })
      .def_property_readonly("coverage", &MappingReport::coverage)
      .def_property_readonly("coverage_of_codes", &MappingReport::coverage_of_codes)
      .def("__str__", &MappingReport::text);
}

void register_resize_plan(py::module_& module) {
  py::class_<ResizePlan>(module, "ResizePlan")
      .def_readonly("first_id", &ResizePlan::first_id)
      .def_readonly("codes", &ResizePlan::codes)
      .def_property_readonly("num_with_neighbours", &ResizePlan::num_with_neighbours)
      .def_property_readonly("neighbours", [](const ResizePlan& plan) {
        std::vector<std::vector<int64_t>> neighbours;
        for (size_t i = 0; i + 1 < plan.offsets.size(); ++i) {
          neighbours.emplace_back(plan.neighbour_ids.begin() + plan.offsets[i],
                                  plan.neighbour_ids.begin() + plan.offsets[i + 1]);
        }
        return neighbours;
      });
}

// `ontology`: a Parquet file with code and parents; empty = none.
VocabularyMapper make_mapper(const CodeVocabulary& vocabulary, const std::string& ontology,
                             bool normalise) {
  MapperOptions options;
  options.normalise = normalise;
  std::shared_ptr<const Ontology> graph;
  if (!ontology.empty()) graph = std::make_shared<const Ontology>(read_any_ontology(ontology));
  return VocabularyMapper(vocabulary, options, graph);
}

void register_mapper(py::module_& module) {
  using Mapper = VocabularyMapper;
  py::class_<Mapper>(module, "VocabularyMapper")
      .def(py::init(&make_mapper), py::call_guard<py::gil_scoped_release>())
      .def("match",
           [](Mapper& mapper, const std::string& code) {
             const CodeMatch match = mapper.match(code);
             return std::make_pair(match.id, std::string(map_step_name(match.step)));
           })
      .def("map_code",
           [](Mapper& mapper, const std::string& code) { return mapper.map_code(code); })
      .def("map_codes",
           [](Mapper& mapper, const std::vector<std::string>& codes) {
             return mapper.map_codes(codes);
           })
      .def("get_coverage",
           [](Mapper& mapper, const std::vector<std::string>& codes) {
             return mapper.get_coverage(codes);
           })
      .def("report", [](Mapper& mapper, const std::vector<std::string>& codes,
                        const std::vector<int64_t>& counts,
                        int64_t max_unknown) { return mapper.report(codes, counts, max_unknown); })
      .def("plan_resize",
           [](Mapper& mapper, const std::vector<std::string>& codes, int max_neighbours) {
             return mapper.plan_resize(codes, max_neighbours);
           });
}

}  // namespace

void register_vocabulary(py::module_& module) {
  register_vocabulary_class(module);
  register_report(module);
  register_resize_plan(module);
  register_mapper(module);
}

}  // namespace sequela::python
