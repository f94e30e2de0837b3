#include "python/bind_command.h"

#include <memory>
#include <string>
#include <vector>

#include "sequela/cli/run.h"
#include "sequela/distributed/process_group.h"

namespace sequela::python {
namespace {

// The command in this process; its exit code.
int run_command(std::vector<std::string> arguments) {
  const py::gil_scoped_release release;
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  return run(static_cast<int>(pointers.size()), pointers.data());
}

// Where the rank stands, for a thread that watches it: (calls, what, is_waiting, seconds).
py::tuple stand_of_rank() {
  const World::Stand stand = process_world().stand();
  return py::make_tuple(stand.num_calls, stand.what, stand.is_waiting, stand.seconds);
}

}  // namespace

void register_command(py::module_& module) {
  module.def("run_command", &run_command, py::arg("arguments"));
  module.def(
      "join_ranks",
      [](const std::string& group_name, int num_local) {
        set_process_world(world_of_group(group_name, num_local));
      },
      py::arg("group_name"), py::arg("num_local"));
  module.def("leave_ranks", [] { set_process_world(std::make_unique<LoneWorld>()); });
  module.def("stand_of_rank", &stand_of_rank);
}

}  // namespace sequela::python
