#include <algorithm>

#include "sequela/task/motor_task.h"

namespace sequela {
namespace {

void add_value_tasks(const EventStore& store, const std::vector<TaskTarget>& targets,
                     TasksOfCodes& result) {
  const auto& properties = store.properties();
  const auto property = std::ranges::find(properties, "numeric_value", &Property::name);
  if (property == properties.end()) return;
  result.number_property = property - properties.begin();
  for (size_t t = 0; t < targets.size(); ++t) {
    if (!targets[t].numbers) continue;
    const auto code = std::ranges::lower_bound(store.codes(), targets[t].code);
    if (code == store.codes().end() || *code != targets[t].code) continue;
    result.value_tasks.resize(store.codes().size());
    result.value_tasks[code - store.codes().begin()].push_back(
        {*targets[t].numbers, static_cast<int32_t>(t)});
  }
}

}  // namespace

TasksOfCodes tasks_of_targets(const EventStore& store, const Ontology& ontology,
                              const std::vector<TaskTarget>& targets) {
  std::vector<int32_t> task_of_node(ontology.num_nodes(), -1);
  for (size_t t = 0; t < targets.size(); ++t) {
    if (targets[t].numbers) continue;
    const auto node = ontology.find(targets[t].code);
    if (node) task_of_node[*node] = static_cast<int32_t>(t);
  }
  TasksOfCodes result;
  result.offsets.push_back(0);
  for (int32_t node : ontology.nodes_of(store.codes())) {
    const auto first = static_cast<ptrdiff_t>(result.tasks.size());
    for (int32_t parent : ontology.all_parents(node)) {
      if (task_of_node[parent] >= 0) result.tasks.push_back(task_of_node[parent]);
    }
    std::sort(result.tasks.begin() + first, result.tasks.end());
    result.offsets.push_back(static_cast<int64_t>(result.tasks.size()));
  }
  add_value_tasks(store, targets, result);
  return result;
}

TasksOfCodes tasks_of_codes(const EventStore& store, const Ontology& ontology,
                            const std::vector<std::string>& codes) {
  std::vector<TaskTarget> targets;
  for (const std::string& code : codes) targets.push_back({code, std::nullopt});
  return tasks_of_targets(store, ontology, targets);
}

}  // namespace sequela
