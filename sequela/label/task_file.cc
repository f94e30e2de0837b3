#include "sequela/label/task_file.h"

#include <algorithm>

#include "sequela/core/error.h"

namespace sequela {
namespace {

// The predicates of one file, in order; those of a later file replace earlier ones.
void read_predicates(const TaskText& file, const YamlNode& root, const std::string& key,
                     std::vector<Predicate>* predicates) {
  const YamlNode* node = root.find(key);
  if (node == nullptr || node->is_null()) return;
  const KeyReader keys(file.path, key, *node);
  for (size_t i = 0; i < node->keys.size(); ++i) {
    Predicate predicate =
        read_predicate(file.path, node->keys[i], node->key_lines[i], node->items[i]);
    predicate.is_static = key == "patient_demographics";
    const auto known = std::ranges::find(*predicates, predicate.name, &Predicate::name);
    if (known == predicates->end()) {
      predicates->push_back(std::move(predicate));
    } else if (predicate.code.kind != CodeRule::Kind::none || predicate.expression) {
      *known = std::move(predicate);
    }
  }
}

YamlNode read_root(const TaskText& file, const std::vector<std::string>& known) {
  YamlNode root = parse_yaml(file.text, file.path);
  if (root.is_null()) throw ConfigError(str(file.path, ": is empty"));
  KeyReader(file.path, "", root).allow(known);
  return root;
}

}  // namespace

Task parse_task(const TaskText& file, const TaskText& predicates) {
  Task task{.name = file.path, .text = file.text + '\n' + predicates.text};
  const YamlNode root = read_root(file, {"predicates", "patient_demographics", "trigger", "windows",
                                         "description", "metadata"});
  const KeyReader keys(file.path, "", root);
  read_predicates(file, root, "predicates", &task.predicates);
  read_predicates(file, root, "patient_demographics", &task.predicates);
  if (!predicates.path.empty()) {
    const YamlNode more =
        read_root(predicates, {"predicates", "patient_demographics", "description", "metadata"});
    read_predicates(predicates, more, "predicates", &task.predicates);
    read_predicates(predicates, more, "patient_demographics", &task.predicates);
  }
  const auto trigger = keys.text("trigger");
  if (!trigger) keys.fail(root.line, "trigger", "is missing. Fix: name a predicate.");
  task.trigger = *trigger;
  task.trigger_line = keys.line("trigger");
  if (const YamlNode* windows = root.find("windows"); windows != nullptr && !windows->is_null()) {
    const KeyReader names(file.path, "windows", *windows);
    for (size_t i = 0; i < windows->keys.size(); ++i) {
      task.windows.push_back(
          read_window(file.path, windows->keys[i], windows->key_lines[i], windows->items[i]));
    }
  }
  return task;
}

}  // namespace sequela
