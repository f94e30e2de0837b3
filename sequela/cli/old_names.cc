#include "sequela/cli/old_names.h"

#include <algorithm>

#include "sequela/core/error.h"

namespace sequela {
namespace {

struct OldName {
  const char* command;
  const char* old_name;
  const char* new_name;
};

constexpr OldName kOldNames[] = {{"pretrain", "--batch-tokens", "--tokens-per-batch"},
                                 {"encode", "--tokens-per-pass", "--tokens-per-batch"},
                                 {"pretrain", "--encounter-column", "--visit-column"},
                                 {"encode", "--encounter-column", "--visit-column"},
                                 {"features", "--ontology", "--athena"},
                                 {"compare", "--pretrained", "--model"},
                                 {"compare", "--num-layers", "--layers"},
                                 {"compare", "--hidden-dim", "--hidden"}};

}  // namespace

std::optional<std::string> new_name_of(const std::string& command, const std::string& option) {
  for (const OldName& known : kOldNames) {
    if (command == known.command && option == known.old_name) return known.new_name;
  }
  return std::nullopt;
}

std::string old_name_note(const std::string& old_name, const std::string& new_name) {
  return str(old_name, " is an old name; it is ", new_name, " now");
}

RenamedArguments rename_arguments(const std::vector<std::string>& arguments) {
  RenamedArguments renamed{arguments, {}};
  for (size_t i = 1; i < arguments.size(); ++i) {
    const size_t end = std::min(arguments[i].find('='), arguments[i].size());
    const std::string name = arguments[i].substr(0, end);
    const auto new_name = new_name_of(arguments[0], name);
    if (!new_name) continue;
    renamed.arguments[i] = *new_name + arguments[i].substr(end);
    renamed.notes.push_back(old_name_note(name, *new_name));
  }
  return renamed;
}

}  // namespace sequela
