#include "sequela/objective/registry.h"

#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/objective/clmbr/clmbr_objective.h"
#include "sequela/objective/mlm/mlm_objective.h"
#include "sequela/objective/motor/motor_objective.h"

namespace sequela {

std::span<const Objective* const> objectives() {
  static const MotorObjective motor;
  static const ClmbrObjective clmbr;
  static const Objective* const all[] = {&motor, &clmbr};
  return all;
}

std::span<const RecordObjective* const> record_objectives() {
  static const MlmObjective mlm;
  static const RecordObjective* const all[] = {&mlm};
  return all;
}

std::vector<const NamedObjective*> all_objectives() {
  std::vector<const NamedObjective*> all(objectives().begin(), objectives().end());
  all.insert(all.end(), record_objectives().begin(), record_objectives().end());
  return all;
}

std::string all_objective_names(const std::string& between, const std::string& last) {
  const std::vector<const NamedObjective*> all = all_objectives();
  std::string names = all.front()->name();
  for (size_t i = 1; i < all.size(); ++i)
    names += str(i + 1 == all.size() && !last.empty() ? last : between, all[i]->name());
  return names;
}

const Objective& find_objective(const std::string& name) {
  for (const Objective* objective : objectives()) {
    if (name == objective->name()) return *objective;
  }
  throw ConfigError("objective", name, objective_names(" or "));
}

std::string objective_names(const char* between) {
  std::string names;
  for (const Objective* objective : objectives())
    names += str(names.empty() ? "" : between, objective->name());
  return names;
}

const Objective& prepared_objective(const std::string& data) {
  std::string files;
  for (const Objective* objective : objectives()) {
    if (std::filesystem::exists(data + "/" + objective->task_file())) return *objective;
    files += str(files.empty() ? "" : " or ", objective->task_file());
  }
  throw FileError(data, "does not hold a " + files, "name a folder that `sequela prepare` made");
}

}  // namespace sequela
