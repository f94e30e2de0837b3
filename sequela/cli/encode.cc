#include "sequela/pipeline/encode.h"

#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/compute_options.h"
#include "sequela/cli/terminal.h"
#include "sequela/cli/visit_rule_options.h"
#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/pipeline/precision.h"

namespace sequela {
namespace {

struct EncodeArguments {
  CommonOptions common;
  EncodeOptions options;
  std::string pooling = "mean";
  std::string precision = "fp32";
  std::string kernels = "auto";
  std::string visits = "hybrid";
  std::string letter_case = "auto";
  std::string time_zone = "utc";
};

std::optional<bool> to_lower_case(const std::string& text) {
  if (text == "auto") return std::nullopt;
  if (text == "lower" || text == "keep") return text == "lower";
  throw ConfigError("case", text, "auto, lower or keep");
}

void print_report(const EncodeOptions& options, const EncodeReport& report) {
  if (report.mapping) std::cout << report.mapping->text();
  if (report.num_rows > 0) {
    std::cout << "Embedded " << with_thousands(report.num_rows) << " rows ("
              << with_thousands(report.num_tokens) << " tokens, width " << report.width << ") in "
              << duration_text(report.seconds) << ".\n";
  }
  if (report.num_empty > 0) {
    std::cout << "  " << with_thousands(report.num_empty) << " rows have no code and are 0\n";
  }
  if (report.visits.num_codes_cut > 0) {
    std::cout << "  " << with_thousands(report.visits.num_codes_cut)
              << " codes beyond --max-codes were left out\n";
  }
  std::cout << "Embeddings: " << options.out << "\n";
}

int run_encode(const CLI::App& app, EncodeArguments& arguments) {
  EncodeOptions& options = arguments.options;
  options.num_threads = arguments.common.threads();
  options.memory_bytes = arguments.common.memory_bytes();
  options.fingerprint_cache = arguments.common.fingerprint_cache();
  options.pooling = parse_pooling(arguments.pooling);
  options.precision = to_bert_precision(arguments.precision);
  options.kernels = to_kernels(arguments.kernels);
  options.kernel_cache = kernel_cache_folder();
  options.visits.rule = parse_visit_rule(arguments.visits);
  options.table.visit_column = options.visits.encounter_column;
  options.do_lower_case = to_lower_case(arguments.letter_case);
  options.table.zone_rule = parse_zone_rule(arguments.time_zone);
  const EncodeReport report = encode(options);
  if (report.is_up_to_date) return 0;
  write_options(app, options.out);
  if (!arguments.common.is_quiet) print_report(options, report);
  return 0;
}

void add_input_options(CLI::App& app, EncodeArguments& arguments) {
  app.option_defaults()->group("Input");
  EncodeInputOptions& table = arguments.options.table;
  app.add_option("--input", arguments.options.input,
                 "Parquet, CSV, JSON lines or text: codes, visits, patients or texts")
      ->type_name(kFile);
  app.add_option("--meds", arguments.options.meds, "MEDS data set, in place of --input")
      ->type_name(kFolder);
  app.add_option("--level", table.level, "What a row is; default: what the columns say")
      ->type_name("codes|visits|patients|texts");
  app.add_option("--format", table.format, "Of --input; default: what its name says")
      ->type_name("parquet|csv|tsv|jsonl|txt");
  app.add_option("--code-column", table.code_column, "Codes, one or a list a row");
  app.add_option("--subject-column", table.subject_column, "Default: subject_id and the like");
  app.add_option("--time-column", table.time_column, "Time of an event or visit");
  add_time_zone_option(app, arguments.time_zone);
  app.add_option("--text-column", table.text_column, "Clinical text");
  app.add_option("--case", arguments.letter_case, "Of texts; auto = as the folder says")
      ->type_name("auto|lower|keep");
}

void add_visit_options(CLI::App& app, EncodeArguments& arguments) {
  app.option_defaults()->group("Visits");
  VisitOptions& visits = arguments.options.visits;
  add_visit_rule_options(app, visits, arguments.visits);
  app.add_option("--max-visits", visits.max_visits, "Most recent ones kept; 0 = all");
  app.add_option("--max-codes", visits.max_codes, "First ones of a visit kept; 0 = all");
  app.add_flag("--drop-repeats", visits.drop_repeats, "A code counts once in a visit");
}

}  // namespace

Command make_encode(CLI::App& app) {
  auto arguments = std::make_shared<EncodeArguments>();
  EncodeOptions& options = arguments->options;
  CLI::App* command = app.add_subcommand(
      "encode", "Embed codes, visits, patients or texts with a BERT-family encoder");
  command->option_defaults()->always_capture_default();
  command
      ->add_option(
          "--model", options.model,
          "BERT, CEHR-BERT, Med-BERT or ClinicalBERT: folder, or org/name[@revision] of a hub")
      ->type_name(kFolder);
  command->add_option("--out", options.out, "Folder for the embeddings")->type_name(kFolder);
  command->add_flag("--extract-code-embeddings", options.extract_code_embeddings,
                    "Write the model's table of code embeddings");
  command->add_option("--pooling", arguments->pooling, "From tokens' states to a vector")
      ->type_name("mean|cls|max");
  command->add_option("--precision", arguments->precision, "auto = the faster of fp32 and bf16")
      ->type_name("fp32|bf16|int8|auto");
  add_device_option(*command, options.device);
  add_kernels_option(*command, arguments->kernels);
  command
      ->add_option("--athena", options.athena,
                   "Athena download or ontology.parquet: maps codes that the vocabulary lacks")
      ->type_name(kFile);
  command->add_option("--tokens-per-batch", options.tokens_per_pass,
                      "Tokens that go through the model together");
  add_input_options(*command, *arguments);
  add_visit_options(*command, *arguments);
  add_common_options(*command, arguments->common);
  command->footer(
      "Examples:\n"
      "  sequela encode --model checkpoints/cehrbert --input visits.parquet --out embeddings\n"
      "  sequela encode --model checkpoints/cehrbert --meds meds --visits day --out embeddings\n"
      "  sequela encode --model checkpoints/cehrbert --extract-code-embeddings --out table\n"
      "  sequela encode --model emilyalsentzer/Bio_ClinicalBERT --input notes.txt --case keep \\\n"
      "      --out embeddings");
  return {command,
          [command, arguments] { return run_encode(*command, *arguments); },
          {"--model", "--out"},
          &arguments->common,
          {{"--model", &options.model}}};
}

}  // namespace sequela
