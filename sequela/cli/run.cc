#include "sequela/cli/run.h"

#include <iostream>
#include <new>

#include "sequela/cli/command.h"
#include "sequela/cli/terminal.h"
#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"

namespace sequela {
namespace {

constexpr int kExitOther = 1, kExitUsage = 2, kExitData = 3, kExitFile = 4, kExitResources = 5;

int fail(int code, const std::string& message) {
  std::cerr << "sequela: error: " << message << std::endl;
  return code;
}

// Runs `body` and turns what it throws into one line and an exit code.
template <class Body>
int with_errors_mapped(Body body) {
  try {
    return body();
  } catch (const ConfigError& error) {
    return fail(kExitUsage, error.what());
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
    return fail(kExitResources,
                "out of memory. Fix: lower --memory, --threads or --tokens-per-batch.");
  } catch (const std::exception& error) {
    std::string first_line = error.what();
    first_line = first_line.substr(0, first_line.find('\n'));
    return fail(kExitOther, first_line);
  }
}

void check_required(const Command& command) {
  for (const std::string& name : command.required) {
    if (command.app->get_option(name)->count() > 0) continue;
    throw ConfigError(str(name, " is missing. Fix: give it, or see `sequela ",
                          command.app->get_name(), " --help`."));
  }
}

int run_command(const Command& command, const std::vector<std::string>& names) {
  CommonOptions& common = *command.common;
  if (!common.config.empty()) apply_config_file(*command.app, common.config, names);
  check_required(command);
  show_messages(common.log_level, common.is_quiet);
  install_signal_handlers();
  return command.body();
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app(
      "Sequela pretrains and serves foundation models for electronic health records:\n"
      "MEDS records in, patient embeddings out.",
      "sequela");
  app.set_version_flag("--version", "sequela " SEQUELA_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Try it on made-up records:  sequela demo\nOptions of a command:        sequela prepare "
      "--help");

  std::vector<Command> commands = {make_demo(app),     make_synth(app),    make_prepare(app),
                                   make_pretrain(app), make_features(app), make_encode(app),
                                   make_compare(app),  make_inspect(app)};
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.app->get_name());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return fail(kExitUsage, error.what());
  }
  return with_errors_mapped([&] {
    for (const Command& command : commands) {
      if (command.app->parsed()) return run_command(command, names);
    }
    return kExitUsage;
  });
}

}  // namespace sequela
