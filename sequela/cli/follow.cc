#include "sequela/pipeline/follow.h"

#include <fstream>
#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/terminal.h"
#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/number_text.h"
#include "sequela/pipeline/precision.h"

namespace sequela {
namespace {

struct FollowArguments {
  CommonOptions common;
  FollowOptions options;
  std::string out = "-";
  std::string precision = "fp32";
  std::string keys = "fp32";
  std::string bad_events = "fail";
  std::string time_zone = "utc";
};

// The answers go to standard output, so the report goes where messages do.
void log_report(const FollowReport& report) {
  log_info(str("Answered ", with_thousands(report.num_events), " events of ",
               with_thousands(report.num_patients), " patients in ", duration_text(report.seconds),
               "."));
  if (report.num_bad > 0)
    log_warning(str(with_thousands(report.num_bad), " bad events were skipped"));
  if (report.num_waiting > 0) {
    log_warning(
        str(with_thousands(report.num_waiting), " patients wait for a MEDS_BIRTH that has a time"));
  }
}

int run_follow(const CLI::App& app, FollowArguments& arguments) {
  FollowOptions& options = arguments.options;
  options.live.num_threads = arguments.common.threads();
  options.memory_bytes = arguments.common.memory_bytes();
  options.live.precision = to_precision(arguments.precision, at::kCPU);
  options.live.keys = to_key_precision(arguments.keys);
  options.bad_events = to_bad_events(arguments.bad_events);
  options.zone_rule = parse_zone_rule(arguments.time_zone);
  options.validate();
  std::ofstream file;
  if (arguments.out != "-") {
    file.open(arguments.out, std::ios::app);
    if (!file) throw FileError(arguments.out, "cannot be written");
    write_options(app, arguments.out);
  }
  log_report(follow(options, arguments.out == "-" ? std::cout : file));
  return 0;
}

void add_state_options(CLI::App& app, FollowArguments& arguments) {
  app.option_defaults()->group("States");
  app.add_option("--states", arguments.options.states,
                 "Folder of states to go on from and to save; without it all begin anew")
      ->type_name(kFolder);
  app.add_option("--save-every", arguments.options.save_seconds,
                 "Seconds from one save of the states to the next; 0 = at the end alone");
  app.add_option("--keys", arguments.keys,
                 "Of attention's keys and values in a state; bf16 = half the memory, rounded")
      ->type_name("fp32|bf16");
}

}  // namespace

Command make_follow(CLI::App& app) {
  auto arguments = std::make_shared<FollowArguments>();
  FollowOptions& options = arguments->options;
  CLI::App* command = app.add_subcommand(
      "follow", "Score events as they come in: an answer for each, in constant work");
  command->option_defaults()->always_capture_default();
  command
      ->add_option(
          "--model", options.live.model,
          "Bundle of `sequela pretrain` or of femr: folder, or org/name[@revision] of a hub")
      ->type_name(kFolder);
  command
      ->add_option("--meds", options.meds,
                   "MEDS data set that grows; without it JSON lines from standard input")
      ->type_name(kFolder);
  command->add_flag("--once", options.is_once,
                    "End when all shards that are in --meds have been read");
  command
      ->add_option("--out", arguments->out, "File that answers are added to; - = standard output")
      ->type_name(kFile);
  command->add_option("--task", options.live.tasks,
                      "Code of a task of the model whose risk is wanted; may be repeated");
  command->add_option("--horizon", options.live.horizon_days,
                      "Days within which the risk is that the event happens");
  command->add_flag("--embedding", options.with_embedding,
                    "Write the embedding beside the risks; without --task it always is");
  command
      ->add_option("--athena", options.live.athena,
                   "Athena download or ontology.parquet, for bundles that lack an ontology")
      ->type_name(kFile);
  command
      ->add_option(
          "--codes", options.live.codes,
          "codes.parquet: parents of codes that the ontology lacks; default: that of --meds")
      ->type_name(kFile);
  add_time_zone_option(*command, arguments->time_zone);
  command
      ->add_option("--bad-events", arguments->bad_events,
                   "What is no event, or comes too late: end with an error, or warn and go on")
      ->type_name("fail|skip");
  command->add_option("--precision", arguments->precision, "auto = the fastest here")
      ->type_name("fp32|bf16|auto");
  add_state_options(*command, *arguments);
  add_common_options(*command, arguments->common);
  command->footer(
      "Reads a JSON object a line: {\"subject_id\": 1, \"time\": \"2020-01-31T23:59:59\", "
      "\"code\": \"ICD10CM/I50\", \"numeric_value\": 1.5}.\n"
      "A patient's events come in order of time, static ones (time null) first. Until MEDS_BIRTH "
      "comes they wait for it.\n"
      "Examples:\n"
      "  tail -f events.jsonl | sequela follow --model model --task ICD10CM/I50 --horizon 365\n"
      "  sequela follow --model model --meds meds --once --states states --out answers.jsonl");
  return {command,
          [command, arguments] { return run_follow(*command, *arguments); },
          {"--model"},
          &arguments->common,
          {{"--model", &options.live.model}}};
}

}  // namespace sequela
