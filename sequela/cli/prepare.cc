#include "sequela/pipeline/prepare.h"

#include <charconv>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/terminal.h"
#include "sequela/core/error.h"
#include "sequela/distributed/world.h"
#include "sequela/etl/source.h"
#include "sequela/objective/registry.h"
#include "sequela/pipeline/etl.h"

namespace sequela {
namespace {

constexpr const char* kMotorGroup = "Task of motor";

struct PrepareArguments {
  CommonOptions common;
  PrepareOptions options;
  std::string tokenizer_on = "all";
  std::string batch_format = "compact";
  std::string time_zone = "utc";
  EtlOptions raw;  // where --from is given
  std::string rank;
};

template <class Value>
Value choose(const std::map<std::string, Value>& choices, const char* option,
             const std::string& text) {
  const auto found = choices.find(text);
  if (found != choices.end()) return found->second;
  std::string allowed;
  for (const auto& [name, value] : choices) allowed += (allowed.empty() ? "" : " or ") + name;
  throw ConfigError(option, text, allowed);
}

// ConfigError if an option of MOTOR was given for another objective.
void refuse_motor_options(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    const bool is_motors =
        option->get_group() == kMotorGroup || option->get_name() == "--label-fraction";
    if (!is_motors || option->count() == 0) continue;
    throw ConfigError(str(option->get_name(),
                          " is no option of this objective. Fix: leave it out, "
                          "or give --objective motor."));
  }
}

// The numbers that the objectives ask for themselves.
void add_objective_options(CLI::App& app, PrepareArguments& arguments) {
  for (const Objective* objective : objectives()) {
    for (const ObjectiveOption& option : objective->options()) {
      app.option_defaults()->group(str("Task of ", objective->name()));
      app.add_option_function<int64_t>(
             str("--", option.name),
             [&values = arguments.options.objective_values, name = option.name](int64_t value) {
               values[name] = value;
             },
             option.help)
          ->default_str(str(option.fallback));
    }
  }
}

void add_artifact_options(CLI::App& app, PrepareArguments& arguments) {
  PrepareOptions& options = arguments.options;
  app.option_defaults()->group("Ontology and split");
  app.add_option("--remove-vocabularies", options.remove_vocabularies,
                 "Of these, only codes that occur in the data are kept")
      ->delimiter(',');
  app.add_option("--split-seed", options.split_seed, "Of the hash that splits subjects");
  app.add_option("--val-fraction", options.val_fraction, "Share of subjects for validation");
  app.add_option("--split", options.split, "A split.csv to use instead (femr's form)")
      ->type_name(kFile);

  app.option_defaults()->group("Tokenizer");
  app.add_option("--vocab-size", options.vocab_size, "Tokens");
  app.add_option("--num-numeric", options.num_numeric, "Numeric bins, shared over the properties");
  app.add_option("--bins-per-code", options.bins_per_code,
                 "Bins of a code's own numbers, in place of the shared ones; 0 = none, as in femr");
  app.add_option("--min-fraction", options.min_fraction, "Rarer entries are left out");
  app.add_option("--tokenizer-on", arguments.tokenizer_on, "Subjects that it learns from")
      ->type_name("all|train");
  app.add_option("--properties", options.properties,
                 "Columns that become tokens beside the code; all = every column, as femr does")
      ->delimiter(',');
  app.add_option("--dictionary", options.dictionary, "A dictionary.msgpack to use instead")
      ->type_name(kFile);

  app.option_defaults()->group(kMotorGroup);
  app.add_option("--num-tasks", options.num_tasks, "Codes whose next occurrence is predicted");
  app.add_option("--value-tasks", options.num_value_tasks,
                 "Numbers beside them: lowest and highest bin of codes with bins of their own");
  app.add_option("--num-bins", options.num_bins, "Time bins");
  app.add_option("--final-layer-size", options.final_layer_size, "Width of the head per bin");
  app.add_option("--task-min-fraction", options.task_min_fraction, "Rarer tasks are left out");

  add_objective_options(app, arguments);

  app.option_defaults()->group("What is learned");
  app.add_option("--task-file", options.task_file,
                 "A motor_task.json, or the file of another objective, to use instead")
      ->type_name(kFile);

  app.option_defaults()->group("Batches");
  app.add_option("--tokens-per-batch", options.tokens_per_batch, "Tokens in a batch at the most");
  app.add_option("--label-fraction", options.label_fraction,
                 "Of motor: share of a window's tokens that predict; 0.1 = as in femr, 1 = all");
  app.add_option("--batch-format", arguments.batch_format, "femr: its own, 20 times larger")
      ->type_name("compact|femr");
  app.add_flag("--femr-compatible", options.is_femr_compatible,
               "First token's time as femr writes it");
}

void print_report(const PrepareReport& report, const std::string& folder) {
  for (const std::string& line : report.coverage) std::cout << line << "\n";
  std::cout << "\nstep                    seconds   events/s\n";
  for (const PrepareStage& stage : report.stages) {
    if (stage.reason.empty()) {
      std::printf("%-28s  up to date\n", stage.name.c_str());
      continue;
    }
    const double rate =
        stage.seconds > 0 ? static_cast<double>(stage.num_events) / stage.seconds : 0;
    std::printf("%-28s %8.2f   %s\n", stage.name.c_str(), stage.seconds,
                stage.num_events > 0 ? short_number(rate).c_str() : "");
  }
  std::printf("%-28s %8.2f\n", "all", report.seconds);
  std::fflush(stdout);
  std::cout << "\nPrepared: " << folder << "\n";
}

// The data set of --meds, or of the raw tables of --from, made in the folder of the artifacts.
std::string find_records(const PrepareArguments& arguments) {
  const std::string& meds = arguments.options.meds;
  if (arguments.raw.from.empty()) {
    if (!meds.empty()) return meds;
    throw ConfigError(
        "--meds is missing. Fix: give it, or raw tables by --from; see `sequela prepare --help`.");
  }
  if (!meds.empty())
    throw ConfigError("--meds and --from exclude each other. Fix: give one of them.");
  if (!process_world().is_alone() || !arguments.rank.empty())
    throw ConfigError("ranks do not share --from. Fix: run `sequela etl` first, and give --meds.");
  EtlOptions raw = arguments.raw;
  raw.out = arguments.options.out + "/meds";
  raw.num_threads = arguments.common.threads();
  raw.memory_bytes = arguments.common.memory_bytes();
  raw.fingerprint_cache = arguments.common.fingerprint_cache();
  etl(raw);
  return raw.out;
}

// "2/8".
void take_rank(const std::string& text, PrepareOptions* options) {
  const char* end = text.data() + text.size();
  const auto rank = std::from_chars(text.data(), end, options->rank);
  const bool has_slash = rank.ec == std::errc() && rank.ptr != end && *rank.ptr == '/';
  const auto ranks = std::from_chars(has_slash ? rank.ptr + 1 : end, end, options->num_ranks);
  if (!has_slash || ranks.ec != std::errc() || ranks.ptr != end || options->num_ranks < 1)
    throw ConfigError("rank", text, "0/N to N-1/N, such as 2/8");
}

int run_prepare(const CLI::App& app, PrepareArguments& arguments) {
  PrepareOptions& options = arguments.options;
  options.num_threads = arguments.common.threads();
  options.memory_bytes = arguments.common.memory_bytes();
  options.fingerprint_cache = arguments.common.fingerprint_cache();
  options.tokenizer_on = choose<TokenizerSubjects>(
      {{"all", TokenizerSubjects::all}, {"train", TokenizerSubjects::train}}, "tokenizer-on",
      arguments.tokenizer_on);
  options.batch_format =
      choose<BatchForm>({{"compact", BatchForm::compact}, {"femr", BatchForm::femr}},
                        "batch-format", arguments.batch_format);
  options.zone_rule = parse_zone_rule(arguments.time_zone);
  if (!find_objective(options.objective).keeps_share_of_labels()) refuse_motor_options(app);
  if (!arguments.rank.empty()) take_rank(arguments.rank, &options);
  options.meds = find_records(arguments);  // behind what is wrong with options: it may take hours
  const PrepareReport report = prepare(options);
  if (!process_world().is_first() || options.rank > 0) return 0;
  if (!report.is_up_to_date) write_options(app, options.out);
  if (!arguments.common.is_quiet) print_report(report, options.out);
  return 0;
}

}  // namespace

Command make_prepare(CLI::App& app) {
  auto arguments = std::make_shared<PrepareArguments>();
  PrepareOptions& options = arguments->options;
  CLI::App* command = app.add_subcommand("prepare", "Turn records into what pretraining reads");
  command->option_defaults()->always_capture_default();
  command->add_option("--meds", options.meds, "MEDS data set or meds_reader database; path or URI")
      ->type_name(kFolder);
  command
      ->add_option(
          "--from", arguments->raw.from,
          "In place of --meds, what raw tables are (MEDS lands in OUT/meds): " + source_forms())
      ->type_name(kFile);
  command->add_option("folder,--folder", arguments->raw.folder, "Folder of the raw tables")
      ->type_name(kFolder);
  command->add_flag("--allow-drops", arguments->raw.allows_drops,
                    "With --from: go on where over 1 % of a table's rows give no event");
  command
      ->add_option("--athena", options.athena, "Athena vocabulary download: the zip, or a folder")
      ->type_name(kFile);
  command->add_option("--out", options.out, "Folder for the artifacts")->type_name(kFolder);
  command
      ->add_option("--objective", options.objective, "What pretraining will learn from the batches")
      ->type_name(objective_names("|"));
  add_time_zone_option(*command, arguments->time_zone);
  command->add_flag("--repair", options.repair,
                    "Sort rows and gather split subjects instead of failing on them");
  command->add_flag("--keep-events", options.keep_events,
                    "Keep the decoded events for a faster run with other options");
  command
      ->add_option("--rank", arguments->rank,
                   "One of N processes that make --out together, such as 2/8 for the third of "
                   "eight; a launcher says it itself")
      ->type_name("I/N");
  add_artifact_options(*command, *arguments);
  add_common_options(*command, arguments->common);
  command->footer(
      "Examples:\n"
      "  sequela prepare --meds meds --athena athena --out pretraining_files\n"
      "  sequela prepare --from omop cdm --out pretraining_files\n"
      "  sequela prepare --meds mimiciv_meds_reader --out pretraining_files --vocab-size 8192\n"
      "Run again, it makes only what is missing or changed; killed, it goes on where it was.");
  return {command,
          [command, arguments] { return run_prepare(*command, *arguments); },
          {"--out"},
          &arguments->common,
          {},
          /*takes_ranks=*/true};
}

}  // namespace sequela
