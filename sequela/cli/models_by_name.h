#pragma once

#include "sequela/cli/command.h"

namespace sequela {

// Makes folders of what the command's options for bundles and encoders say, fetches what neither a
// folder nor the cache has, and says in a line which was taken. The options keep the name with its
// commit, so that the options file repeats the run. Throws FileError, ResourceError, Interrupted.
void find_models(const Command& command);

}  // namespace sequela
