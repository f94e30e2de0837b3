#include <sys/sysinfo.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/old_names.h"
#include "sequela/core/error.h"
#include "sequela/core/parallel.h"
#include "sequela/core/suggest.h"
#include "sequela/distributed/world.h"
#include "sequela/io/file.h"
#include "sequela/io/postgres.h"
#include "sequela/io/uri.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/run/fingerprints.h"

namespace sequela {
namespace {

// What may be shown of an option's value.
std::string shown_value(const std::string& option, const std::string& value) {
  return option == "cohort-db" ? without_secrets(value) : without_uri_secrets(value);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + "\"";
}

}  // namespace

int64_t CommonOptions::memory_bytes() const {
  if (memory.empty()) {
    struct sysinfo info;
    sysinfo(&info);
    return static_cast<int64_t>(info.totalram) * info.mem_unit / 2 / process_world().num_local();
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
  if (end == 0 || unit == 0 ||
      !(value * static_cast<double>(unit) >= static_cast<double>(kMinMemoryBytes))) {
    throw ConfigError("memory", memory,
                      str("a size of at least ", kMinMemoryBytes >> 20, "M, such as 8G or 512M"));
  }
  return static_cast<int64_t>(value * static_cast<double>(unit));
}

int CommonOptions::threads() const {
  if (num_threads > 0) return num_threads;
  return std::max(1, default_num_threads() / process_world().num_local());
}

std::string CommonOptions::fingerprint_cache() const {
  return fingerprint_cache_folder([](const char* name) { return std::getenv(name); });
}

void add_common_options(CLI::App& app, CommonOptions& common) {
  app.option_defaults()->group("General");
  app.add_option("--config", common.config, "TOML or INI file with any of these options")
      ->type_name(kFile);
  app.add_option("--threads", common.num_threads,
                 "Threads to use; 0 = all, of several ranks on a machine each its share");
  app.add_option("--memory", common.memory,
                 "Memory to stay under, such as 8G; default: half the machine");
  app.add_option("--log-level", common.log_level, "The least that is told")
      ->capture_default_str()
      ->type_name("debug|info|warning|error");
  app.add_flag("-q,--quiet", common.is_quiet, "Print errors only: no progress, no summary");
}

void add_time_zone_option(CLI::App& app, std::string& text) {
  app.add_option("--time-zone", text,
                 "Times that have a zone: utc = the instant in UTC, local = what its clock showed")
      ->type_name("utc|local");
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

void apply_config_file(CLI::App& app, const std::string& path,
                       const std::vector<std::string>& command_names,
                       std::vector<std::string>* notes) {
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
        throw ConfigError(str(path, ": section [", item.parents[0], "] is no command of sequela",
                              did_you_mean(item.parents[0], command_names)));
      }
      continue;
    }
    const auto new_name = new_name_of(app.get_name(), "--" + item.name);
    if (new_name) notes->push_back(str(path, ": ", old_name_note("--" + item.name, *new_name)));
    const std::string name = new_name.value_or("--" + item.name);
    CLI::Option* option = app.get_option_no_throw(name);
    if (option == nullptr || item.name == "config" || item.name == "help" ||
        item.parents.size() > 1) {
      const std::string suggestion = did_you_mean(name, option_names(app));
      throw ConfigError(str(path, ": '", item.fullname(), "' is no option of `sequela ",
                            app.get_name(), "`", suggestion, suggestion.empty() ? "." : "",
                            " Fix: see `sequela ", app.get_name(), " --help`."));
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
      text += quoted(shown_value(name, results.front()));
    } else {
      text += "[";
      for (size_t i = 0; i < results.size(); ++i)
        text += (i > 0 ? ", " : "") + quoted(shown_value(name, results[i]));
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
