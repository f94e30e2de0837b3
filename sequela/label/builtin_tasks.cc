#include "sequela/label/builtin_tasks.h"

#include <algorithm>

#include "sequela/core/error.h"

namespace sequela {
namespace {

// Where the codes go, in a file that takes some.
const std::string kPlace = "[CODES]";

// "A,B" as a YAML list: "['A', 'B']".
std::string quoted_list(const std::string& codes) {
  std::string list;
  for (size_t begin = 0; begin <= codes.size();) {
    const size_t end = std::min(codes.find(',', begin), codes.size());
    std::string code = codes.substr(begin, end - begin);
    for (size_t at = 0; (at = code.find('\'', at)) != std::string::npos; at += 2) {
      code.insert(at, 1, '\'');
    }
    list += str(list.empty() ? "'" : ", '", code, "'");
    begin = end + 1;
  }
  return '[' + list + ']';
}

}  // namespace

std::vector<std::string> builtin_task_names() {
  std::vector<std::string> names;
  for (const auto& [name, text] : builtin_texts()) {
    names.push_back(text.find(kPlace) == std::string::npos ? name : name + ":CODES");
  }
  return names;
}

std::optional<TaskText> find_builtin_task(const std::string& name) {
  const size_t colon = name.find(':');
  const auto found = builtin_texts().find(name.substr(0, colon));
  if (found == builtin_texts().end()) return std::nullopt;
  TaskText task{name, found->second};
  if (colon == std::string::npos) return task;
  const size_t place = task.text.find(kPlace);
  if (place == std::string::npos || colon + 1 == name.size()) {
    throw ConfigError(str("task: '", name, "'",
                          place == std::string::npos ? " takes no codes" : " names no code"));
  }
  task.text.replace(place, kPlace.size(), quoted_list(name.substr(colon + 1)));
  return task;
}

}  // namespace sequela
