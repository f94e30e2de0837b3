#include <cstdlib>

#include "python/run_job.h"
#include "sequela/io/hub_cache.h"
#include "sequela/pipeline/inspect.h"
#include "sequela/pipeline/model_card.h"

namespace sequela::python {
namespace {

HubSettings hub_settings() {
  return read_hub_settings([](const char* name) { return std::getenv(name); });
}

void register_models_by_name(py::module_& module) {
  py::class_<FoundModel>(module, "FoundModel")
      .def_property_readonly(
          "repository",
          [](const FoundModel& found) { return found.name ? found.name->repository : ""; })
      .def_property_readonly(
          "revision",
          [](const FoundModel& found) { return found.name ? found.name->revision : ""; })
      .def_readonly("folder", &FoundModel::folder)
      .def_readonly("commit", &FoundModel::commit)
      .def_readonly("wants_fetch", &FoundModel::wants_fetch)
      .def_property_readonly("note", &FoundModel::note);
  module.def("find_model",
             [](const std::string& text) { return find_model(text, hub_settings()); });
  module.def("hub_cache", [] { return hub_settings().cache; });
  module.def("parse_model_name", [](const std::string& text) {
    const std::optional<ModelName> name = parse_model_name(text);
    return name ? std::make_optional(std::make_pair(name->repository, name->revision))
                : std::nullopt;
  });
}

}  // namespace

void register_inspect(py::module_& module) {
  module.def("inspect", [](const std::string& path) {
    return run_job_for(py::none(), [&] { return inspect(path); });
  });
  module.def("model_card", &model_card);
  register_models_by_name(module);
}

}  // namespace sequela::python
