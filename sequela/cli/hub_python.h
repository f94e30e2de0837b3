#pragma once

#include <string>
#include <vector>

namespace sequela {

// Runs the installed Python package's `python -m sequela.hub` with these arguments, which draws its
// bar on stderr, and returns its answer, a JSON object. The interpreter is that of SEQUELA_PYTHON
// (which the package's own command sets), else python3. `model` names in errors what was wanted.
//
// Throws FileError (also where the package or huggingface_hub is not installed: the message says
// what to install), ConfigError, ResourceError, Interrupted.
std::string ask_hub(const std::vector<std::string>& arguments, const std::string& model);

}  // namespace sequela
