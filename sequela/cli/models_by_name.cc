#include "sequela/cli/models_by_name.h"

#include <cstdlib>

#include "sequela/cli/hub_python.h"
#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/io/hub_cache.h"

namespace sequela {
namespace {

// What is missing comes by the Python package. A model whose weights are here is used as it is if
// the hub cannot be asked for more.
FoundModel fetch(const std::string& text, const FoundModel& found, const HubSettings& settings,
                 bool is_quiet) {
  std::vector<std::string> arguments = {"fetch", found.name->repository, "--revision",
                                        found.name->revision};
  if (is_quiet) arguments.push_back("--quiet");
  try {
    ask_hub(arguments, text);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    if (found.folder.empty()) throw;
    log_warning(str("only the weights are in the cache: ", error.what()));
    return found;
  }
  return find_model(text, settings);
}

FoundModel find_or_fetch(const std::string& text, bool is_quiet) {
  const HubSettings settings = read_hub_settings([](const char* name) { return getenv(name); });
  FoundModel found = find_model(text, settings);
  if (found.wants_fetch) found = fetch(text, found, settings, is_quiet);
  if (found.folder.empty()) {
    throw FileError(text, str("what was fetched is not in the cache ", settings.cache),
                    "run the same command again");
  }
  if (!found.note().empty()) log_info(found.note());
  return found;
}

}  // namespace

void find_models(const Command& command) {
  for (const ModelOption& model : command.models) {
    if (model.value->empty()) continue;
    const std::string text = *model.value;
    const FoundModel found = find_or_fetch(text, command.common->is_quiet);
    CLI::Option* option = command.app->get_option(model.name);
    option->clear();
    option->add_result(found.pinned_name(text));
    option->run_callback();
    *model.value = found.folder;
  }
}

}  // namespace sequela
