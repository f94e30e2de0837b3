#include "sequela/cli/run.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <new>

#include "sequela/cli/command.h"
#include "sequela/cli/models_by_name.h"
#include "sequela/cli/old_names.h"
#include "sequela/cli/terminal.h"
#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/suggest.h"
#include "sequela/distributed/world.h"
#include "sequela/nn/gemm.h"
#include "sequela/pipeline/device.h"
#include "sequela/pipeline/machine.h"

namespace sequela {
namespace {

constexpr int kExitOther = 1, kExitUsage = 2, kExitData = 3, kExitFile = 4, kExitResources = 5;

const char* const kOutOfMemory =
    "out of memory. Fix: lower --memory, --threads or --tokens-per-batch.";
const char* const kReport =
    ". This is a fault of the program: please report it, with what `sequela --version` prints.";

int fail(int code, const std::string& message) {
  const World& world = process_world();
  const std::string rank = world.is_alone() ? "" : str("rank ", world.rank(), ": ");
  std::cerr << "sequela: error: " + rank + message + "\n" << std::flush;
  return code;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// torch's own failures, without its addresses; a lack of memory is the user's to mend.
int fail_by_torch(const c10::Error& error) {
  const std::string message = error.what_without_backtrace();
  const bool is_out_of_memory = dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
                                message.find("allocate memory") != std::string::npos;
  const std::string of_gpu = gpu_memory_text(message);
  if (is_out_of_memory || !of_gpu.empty())
    return fail(kExitResources, of_gpu.empty() ? kOutOfMemory : of_gpu);
  return fail(kExitOther, str("torch: ", first_line(message), kReport));
}

// Runs `body` and turns what it throws into one line and an exit code.
template <class Body>
int with_errors_mapped(Body body) {
  try {
    return body();
  } catch (const ConfigError& error) {
    return fail(kExitUsage, with_suggestion(error.what()));
  } catch (const DataError& error) {
    return fail(kExitData, error.what());
  } catch (const ResourceError& error) {
    return fail(kExitResources, error.what());
  } catch (const Interrupted& stop) {
    std::cerr << "sequela: " << stop.what() << std::endl;
    return 128 + stop.signal();
  } catch (const Error& error) {
    return fail(kExitFile, error.what());
  } catch (const std::bad_alloc&) {
    return fail(kExitResources, kOutOfMemory);
  } catch (const std::filesystem::filesystem_error& error) {
    const bool is_full = error.code() == std::errc::no_space_on_device;
    return fail(is_full ? kExitResources : kExitFile,
                str(error.path1().string(), ": ", error.code().message()));
  } catch (const c10::Error& error) {
    return fail_by_torch(error);
  } catch (const std::exception& error) {
    return fail(kExitOther, first_line(error.what()) + kReport);
  }
}

void check_required(const Command& command) {
  for (const std::string& name : command.required) {
    if (command.app->get_option(name)->count() > 0) continue;
    throw ConfigError(str(name, " is missing. Fix: give it, or see `sequela ",
                          command.app->get_name(), " --help`."));
  }
}

int run_command(const Command& command, const std::vector<std::string>& names,
                std::vector<std::string> notes) {
  if (command.common == nullptr) {
    check_required(command);
    return command.body();
  }
  CommonOptions& common = *command.common;
  if (!common.config.empty()) apply_config_file(*command.app, common.config, names, &notes);
  check_required(command);
  common.memory_bytes();  // refuses one that is too small, also where a command needs none
  const World& world = process_world();
  if (!world.is_alone() && !command.takes_ranks) {
    throw ConfigError(str("`sequela ", command.app->get_name(), "` runs alone, not on ",
                          world.size(), " ranks. Fix: start it without the launcher."));
  }
  show_messages(common.log_level, common.is_quiet || !world.is_first());
  for (const std::string& note : notes) log_warning(note);
  install_signal_handlers();
  find_models(command);
  return command.body();
}

// What CLI11 says of arguments that it does not know, in our words.
std::string unknown_argument(const CLI::App& app) {
  const std::vector<std::string> left = app.remaining(true);
  const auto parsed = app.get_subcommands();
  if (left.empty() || parsed.empty()) return "unknown arguments. Fix: see `sequela --help`.";
  const CLI::App& command = *parsed.front();
  const std::string name = left.front().substr(0, left.front().find('='));
  const bool is_option = name.starts_with('-');
  return str("unknown ", is_option ? "option" : "argument", " '", name, "' of `sequela ",
             command.get_name(), "`", is_option ? did_you_mean(name, option_names(command)) : "",
             is_option && !closest_name(name, option_names(command)).empty() ? "" : ".",
             " Fix: see `sequela ", command.get_name(), " --help`.");
}

// True if the first argument is to be a command and is none.
bool is_unknown_command(const std::vector<std::string>& arguments,
                        const std::vector<std::string>& names) {
  return !arguments.empty() && !arguments[0].starts_with('-') &&
         std::ranges::find(names, arguments[0]) == names.end();
}

// Of `sequela slurm [options] pretrain [options]` all from the second command on.
std::vector<std::string> take_job(const std::vector<std::string>& names,
                                  std::vector<std::string>* arguments) {
  if (arguments->empty() || arguments->front() != "slurm") return {};
  const auto first =
      std::find_first_of(arguments->begin() + 1, arguments->end(), names.begin(), names.end());
  std::vector<std::string> job(first, arguments->end());
  arguments->erase(first, arguments->end());
  return job;
}

}  // namespace

int run(int argc, char** argv) {
  bound_product_caches();
  CLI::App app(
      "Sequela pretrains and serves foundation models for electronic health records:\n"
      "MEDS records in, patient embeddings out.",
      "sequela");
  app.set_version_flag("--version", [] {
    std::string text = version_text();
    text.pop_back();  // the newline, which CLI11 adds
    return text;
  });
  app.require_subcommand(1);
  app.footer(
      "Try it on made-up records:  sequela demo\nOptions of a command:        sequela prepare "
      "--help");

  std::vector<Command> commands = {make_demo(app),     make_check(app),    make_etl(app),
                                   make_synth(app),    make_prepare(app),  make_pretrain(app),
                                   make_features(app), make_finetune(app), make_follow(app),
                                   make_label(app),    make_encode(app),   make_compare(app),
                                   make_evaluate(app), make_report(app),   make_inspect(app),
                                   make_doctor(app),   make_push(app)};
  std::vector<std::string> job;
  commands.push_back(make_slurm(app, commands, job));
  commands.push_back(make_completion(app));
  commands.push_back(make_man(app));
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.app->get_name());
  RenamedArguments given = rename_arguments({argv + 1, argv + argc});
  job = take_job(names, &given.arguments);
  if (is_unknown_command(given.arguments, names)) {
    const std::string suggestion = did_you_mean(given.arguments[0], names);
    return fail(kExitUsage, str("unknown command '", given.arguments[0], "'", suggestion,
                                suggestion.empty() ? ". Fix: see `sequela --help`." : ""));
  }
  return with_errors_mapped([&] {
    try {
      // CLI11 takes a vector from its end.
      app.parse(std::vector<std::string>(given.arguments.rbegin(), given.arguments.rend()));
    } catch (const CLI::ExtrasError&) {
      return fail(kExitUsage, unknown_argument(app));
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
      return fail(kExitUsage, error.what());
    }
    for (const Command& command : commands) {
      if (command.app->parsed()) return run_command(command, names, given.notes);
    }
    return kExitUsage;
  });
}

}  // namespace sequela
