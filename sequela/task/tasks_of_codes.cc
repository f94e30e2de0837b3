#include <algorithm>

#include "sequela/task/motor_task.h"

namespace sequela {

TasksOfCodes tasks_of_codes(const EventStore& store, const Ontology& ontology,
                            const std::vector<std::string>& task_codes) {
  std::vector<int32_t> task_of_node(ontology.num_nodes(), -1);
  for (size_t t = 0; t < task_codes.size(); ++t) {
    const auto node = ontology.find(task_codes[t]);
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
  return result;
}

}  // namespace sequela
