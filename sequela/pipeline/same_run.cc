#include "sequela/pipeline/same_run.h"

#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/pipeline/commit.h"

namespace sequela {

void check_same_run(World& world, const RunRecipe& recipe) {
  const std::string version = str(SEQUELA_VERSION, " (", kCommit, "), torch ", TORCH_VERSION);
  const std::vector<std::string> texts =
      gather_texts(world, "the ranks' options", json_text(to_json(recipe, version)));
  const Json first = parse_json(texts[0], "rank 0");
  for (size_t rank = 1; rank < texts.size(); ++rank) {
    const Json other = parse_json(texts[rank], str("rank ", rank));
    const std::string versions[] = {first.at("version"), other.at("version")};
    std::string what = difference(to_run_recipe(first), to_run_recipe(other));
    if (versions[0] != versions[1])
      what = str("Sequela changed from ", versions[0], " to ", versions[1]);
    if (what.empty()) continue;
    throw ConfigError(str("the ranks were started for different runs: from rank 0 to rank ", rank,
                          ", ", what, ". Fix: give all ranks the same program, options and data."));
  }
}

}  // namespace sequela
