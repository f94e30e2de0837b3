#include <sys/sysinfo.h>

#include <cctype>
#include <fstream>

#include "sequela/cli/command.h"
#include "sequela/core/error.h"
#include "sequela/core/parallel.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

// "postgresql://user:secret@host/db" without the secret.
std::string without_password(const std::string& text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string::npos) return text;
  const size_t at = text.find('@', scheme);
  const size_t colon = text.find(':', scheme + 3);
  if (at == std::string::npos || colon == std::string::npos || colon > at) return text;
  return text.substr(0, colon) + text.substr(at);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : without_password(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

int64_t CommonOptions::memory_bytes() const {
  if (memory.empty()) {
    struct sysinfo info;
    sysinfo(&info);
    return static_cast<int64_t>(info.totalram) * info.mem_unit / 2;
  }
  size_t end = 0;
  double value = 0;
  try {
    value = std::stod(memory, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  int64_t unit = 1;
  if (end < memory.size()) {
    switch (std::toupper(memory[end])) {
      case 'K':
        unit = int64_t{1} << 10;
        break;
      case 'M':
        unit = int64_t{1} << 20;
        break;
      case 'G':
        unit = int64_t{1} << 30;
        break;
      case 'T':
        unit = int64_t{1} << 40;
        break;
      default:
        unit = 0;
    }
  }
  if (end == 0 || unit == 0 || !(value * static_cast<double>(unit) >= 1 << 26)) {
    throw ConfigError("memory", memory, "a size of at least 64M, such as 8G or 512M");
  }
  return static_cast<int64_t>(value * static_cast<double>(unit));
}

int CommonOptions::threads() const {
  return num_threads > 0 ? num_threads : default_num_threads();
}

void add_common_options(CLI::App& app, CommonOptions& common) {
  app.option_defaults()->group("General");
  app.add_option("--config", common.config, "TOML or INI file with any of these options");
  app.add_option("--threads", common.num_threads, "Threads to use; 0 = all");
  app.add_option("--memory", common.memory,
                 "Memory to stay under, such as 8G; default: half the machine");
  app.add_option("--log-level", common.log_level, "debug, info, warning or error")
      ->capture_default_str();
  app.add_flag("-q,--quiet", common.is_quiet, "Print errors and results only");
}

void apply_config_file(CLI::App& app, const std::string& path,
                       const std::vector<std::string>& command_names) {
  std::ifstream file(path);
  if (!file) throw ConfigError("config", path, "a readable file");
  std::vector<CLI::ConfigItem> items;
  try {
    items = CLI::ConfigTOML().from_config(file);
  } catch (const CLI::Error& error) {
    throw ConfigError(str(path, ": ", error.what()));
  }
  for (const CLI::ConfigItem& item : items) {
    if (item.name == "++" || item.name == "--") continue;  // section marks of the parser
    if (item.parents.size() == 1 && item.parents[0] != app.get_name()) {
      if (std::count(command_names.begin(), command_names.end(), item.parents[0]) == 0) {
        throw ConfigError(str(path, ": section [", item.parents[0], "] is no command of sequela"));
      }
      continue;
    }
    CLI::Option* option = app.get_option_no_throw("--" + item.name);
    if (option == nullptr || item.name == "config" || item.name == "help" ||
        item.parents.size() > 1) {
      throw ConfigError(str(path, ": '", item.fullname(), "' is no option of `sequela ",
                            app.get_name(), "`. Fix: see `sequela ", app.get_name(), " --help`."));
    }
    if (option->count() > 0) continue;
    try {
      if (option->get_expected_min() == 0) {
        option->add_result(app.get_config_formatter()->to_flag(item));
      } else {
        option->add_result(item.inputs);
      }
      option->run_callback();
    } catch (const CLI::Error& error) {
      throw ConfigError(str(path, ": ", error.what()));
    }
  }
}

std::string options_text(const CLI::App& app) {
  std::string text = "# sequela " SEQUELA_VERSION "\n[" + app.get_name() + "]\n";
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_single_name();
    if (name == "help" || name == "config" || option->count() == 0) continue;
    text += name + " = ";
    const auto& results = option->results();
    if (option->get_expected_min() == 0) {
      text += results.empty() ? "true" : results.front();
    } else if (results.size() == 1) {
      text += quoted(results.front());
    } else {
      text += "[";
      for (size_t i = 0; i < results.size(); ++i) text += (i > 0 ? ", " : "") + quoted(results[i]);
      text += "]";
    }
    text += "\n";
  }
  return text;
}

void write_options(const CLI::App& app, const std::string& output) {
  std::string base = output;
  while (base.size() > 1 && base.back() == '/') base.pop_back();
  write_file(base + ".options.toml", options_text(app));
}

}  // namespace sequela
