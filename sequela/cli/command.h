#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sequela {

// Options that every command has.
struct CommonOptions {
  std::string config;              // TOML or INI file
  std::string log_level = "info";  // debug | info | warning | error
  bool is_quiet = false;
  int num_threads = 0;  // 0 = all
  std::string memory;   // "8G"; empty = half the machine's

  int64_t memory_bytes() const;  // ConfigError
  int threads() const;
  std::string fingerprint_cache() const;  // by the environment; run/fingerprints.h
};

// An option for a bundle or an encoder: a folder, or a name on the hub (find_models makes a folder
// of it before the body runs). `value` is the variable that the body reads.
struct ModelOption {
  std::string name;
  std::string* value = nullptr;
};

// One subcommand: `app` parses into variables that `body` reads.
struct Command {
  CLI::App* app = nullptr;
  std::function<int()> body;          // returns the exit code
  std::vector<std::string> required;  // option names that must be given by flag or file
  CommonOptions* common = nullptr;    // null if the command takes none of them
  std::vector<ModelOption> models = {};
  bool takes_ranks = false;  // shares its work among the ranks that a launcher started
};

void add_common_options(CLI::App& app, CommonOptions& common);

// Fills options that were not given on the command line from a TOML or INI file: keys at its top
// level or in the section [<command>]. An unknown key or section is a ConfigError. Appends a note
// for each key that is an old name.
void apply_config_file(CLI::App& app, const std::string& path,
                       const std::vector<std::string>& command_names,
                       std::vector<std::string>* notes);

// The long names of a command's options, with "--".
std::vector<std::string> option_names(const CLI::App& app);

// `text` becomes "utc" or "local", for parse_zone_rule().
void add_time_zone_option(CLI::App& app, std::string& text);

// The options used, as a config file that repeats the run. Passwords and other secrets in URIs and
// in the database's connection string are left out.
std::string options_text(const CLI::App& app);
// Writes options_text() to `<output>.options.toml`, beside the output.
void write_options(const CLI::App& app, const std::string& output);

Command make_check(CLI::App& app);
Command make_etl(CLI::App& app);
Command make_synth(CLI::App& app);
Command make_label(CLI::App& app);
Command make_prepare(CLI::App& app);
Command make_pretrain(CLI::App& app);
Command make_features(CLI::App& app);
Command make_finetune(CLI::App& app);
Command make_follow(CLI::App& app);
Command make_inspect(CLI::App& app);
Command make_doctor(CLI::App& app);
Command make_encode(CLI::App& app);
Command make_compare(CLI::App& app);
Command make_evaluate(CLI::App& app);
Command make_report(CLI::App& app);
Command make_push(CLI::App& app);
Command make_demo(CLI::App& app);
// others: the commands that it may be asked for; job: the one that it is, with its options.
Command make_slurm(CLI::App& app, const std::vector<Command>& others,
                   const std::vector<std::string>& job);
Command make_completion(CLI::App& app);
Command make_man(CLI::App& app);  // knows the commands that were made before it

}  // namespace sequela
