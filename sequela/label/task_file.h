#pragma once

#include <string>
#include <vector>

#include "sequela/core/yaml.h"
#include "sequela/label/task.h"

namespace sequela {

// Reads a task in the language of ACES (docs/labels.md): the text of a YAML file, named `path` in
// errors. `predicates` is the text of a second file whose predicates and patient_demographics come
// in addition and replace those of the same name; empty = none. Throws ConfigError with path, line,
// key and, where a name is wrong, the nearest known one.
struct TaskText {
  std::string path;
  std::string text;
};
Task parse_task(const TaskText& task, const TaskText& predicates = {});

// A map of a task file whose keys are being read: gives values by type, refuses what it does not
// know.
class KeyReader {
 public:
  // `place` names the map in messages: "windows.input".
  KeyReader(const std::string& path, std::string place, const YamlNode& node);

  const YamlNode* find(const std::string& key) const { return node_.find(key); }
  std::optional<std::string> text(const std::string& key) const;
  std::optional<double> number(const std::string& key) const;
  std::optional<int64_t> integer(const std::string& key) const;
  std::optional<bool> boolean(const std::string& key) const;
  int line(const std::string& key) const;  // of the key; of the map if it has none
  // Fails on a key that is not one of these.
  void allow(const std::vector<std::string>& keys) const;
  const YamlNode& node() const { return node_; }

  [[noreturn]] void fail(int line, const std::string& key, const std::string& problem) const;

 private:
  std::string path_;
  std::string place_;
  const YamlNode& node_;
};

// The parts of a task file.
Predicate read_predicate(const std::string& path, const std::string& name, int line,
                         const YamlNode& node);
TaskWindow read_window(const std::string& path, const std::string& name, int line,
                       const YamlNode& node);

// True if a name is made of letters, digits and '_', as names of predicates and windows are.
bool is_task_name(const std::string& name);

}  // namespace sequela
