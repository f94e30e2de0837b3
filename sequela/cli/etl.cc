#include "sequela/pipeline/etl.h"

#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/terminal.h"
#include "sequela/core/number_text.h"
#include "sequela/etl/source.h"

namespace sequela {
namespace {

struct EtlArguments {
  CommonOptions common;
  EtlOptions options;
  bool explains = false;
};

void print_tallies(const Tallies& tallies, const std::string& indent) {
  for (const auto& [what, tally] : tallies) {
    std::cout << indent << what << ": " << with_thousands(tally.count);
    const char* before = " (such as ";
    for (const std::string& key : tally.examples) {
      std::cout << before << key;
      before = ", ";
    }
    std::cout << (tally.examples.empty() ? "\n" : ")\n");
  }
}

void print_report(const EtlOptions& options, const EtlReport& report) {
  const ConvertReport& made = report.converted;
  for (const TableLedger& table : made.tables) {
    std::cout << "  " << table.name << ": " << with_thousands(table.num_rows) << " rows, "
              << with_thousands(table.num_events()) << " events\n";
    print_tallies(table.dropped, "    dropped, ");
  }
  if (!made.missing.empty()) {
    std::cout << "  not there:";
    for (const std::string& name : made.missing) std::cout << " " << name;
    std::cout << "\n";
  }
  print_tallies(made.shards.found, "  found: ");
  std::cout << "Made " << with_thousands(made.shards.num_events) << " events of "
            << with_thousands(made.shards.num_subjects) << " subjects, "
            << with_thousands(made.num_codes) << " codes, in " << duration_text(report.seconds)
            << " (" << short_number(static_cast<double>(made.shards.num_events) / report.seconds)
            << " events/s): " << options.out << "\n";
}

int run_etl(const CLI::App& app, EtlArguments& arguments) {
  EtlOptions& options = arguments.options;
  options.num_threads = arguments.common.threads();
  options.memory_bytes = arguments.common.memory_bytes();
  options.fingerprint_cache = arguments.common.fingerprint_cache();
  if (arguments.explains) {
    std::cout << explain_etl(options);
    return 0;
  }
  const EtlReport report = etl(options);
  if (report.is_up_to_date) return 0;
  write_options(app, options.out);
  if (!arguments.common.is_quiet) print_report(options, report);
  return 0;
}

}  // namespace

Command make_etl(CLI::App& app) {
  auto arguments = std::make_shared<EtlArguments>();
  EtlOptions& options = arguments->options;
  CLI::App* command =
      app.add_subcommand("etl", "Turn raw tables (OMOP, MIMIC-IV, FHIR, any) into a MEDS data set");
  command->option_defaults()->always_capture_default();
  command->add_option("folder,--folder", options.folder, "Folder of the raw tables")
      ->type_name(kFolder);
  command->add_option("--from", options.from, "What the tables are: " + source_forms())
      ->type_name(kFile);
  command->add_option("--out", options.out, "Folder for the MEDS data set")->type_name(kFolder);
  command->add_flag("--explain", arguments->explains,
                    "Print the SQL that would run, and do nothing else");
  command->add_flag("--allow-drops", options.allows_drops,
                    "Go on where over 1 % of a table's rows give no event");
  command
      ->add_option("--units", options.units,
                   "Write units as this system does; default: as the source has them")
      ->type_name("ucum");
  command->add_flag("--drop-text", options.drops_text, "Leave text_value out");
  command
      ->add_option("--shift-dates", options.shift_dates,
                   "Move each subject's times back by 1 to 52 weeks, by the secret in this file")
      ->type_name(kFile);
  command->add_option("--train-share", options.train_share,
                      "Share of the subjects in the split train");
  command->add_option("--tuning-share", options.tuning_share,
                      "Share of the subjects in the split tuning; the rest is held_out");
  command->add_option("--shards", options.num_shards,
                      "Number of files; 0: one for each 64 MB of tables");
  add_common_options(*command, arguments->common);
  command->footer(
      "Examples:\n"
      "  sequela etl --from omop cdm --out meds\n"
      "  sequela etl --from event_configs.yaml raw --out meds --memory 4G");
  return {command,
          [command, arguments] { return run_etl(*command, *arguments); },
          {"--from"},
          &arguments->common};
}

}  // namespace sequela
