#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sequela/label/task_file.h"

namespace sequela {

// The files in sequela/label/tasks, by name; made by cmake/SequelaTasks.cmake.
const std::map<std::string, std::string>& builtin_texts();

// The names of the tasks that come with the program; one that takes codes ends with ":CODES".
std::vector<std::string> builtin_task_names();

// The file of a built-in task: "long_stay", "first_onset:SNOMED/84114007,ICD10CM/I50"; without
// codes, "first_onset" is the file as it lies there. Nothing if there is none of that name.
// ConfigError on codes that a task does not take.
std::optional<TaskText> find_builtin_task(const std::string& name);

}  // namespace sequela
