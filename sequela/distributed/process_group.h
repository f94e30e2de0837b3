#pragma once

#include <memory>
#include <string>

#include "sequela/distributed/world.h"

namespace sequela {

// The world of a process group that torch.distributed has opened in this process, by its name in
// c10d's registry (torch/csrc/distributed/c10d/GroupRegistry.hpp; in Python
// dist.group.WORLD.group_name). num_local: of its ranks on this machine. The group must outlive it.
// What the group throws becomes a ResourceError.
std::unique_ptr<World> world_of_group(const std::string& group_name, int num_local);

}  // namespace sequela
