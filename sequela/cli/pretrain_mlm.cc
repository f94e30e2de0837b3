#include "sequela/cli/pretrain_mlm.h"

#include <iostream>

#include "sequela/cli/terminal.h"
#include "sequela/cli/visit_rule_options.h"
#include "sequela/core/error.h"
#include "sequela/core/number_text.h"

namespace sequela {
namespace {

const char* const kGroup = "Masked language modelling (--objective mlm)";

BertKind to_bert_kind(const std::string& text) {
  if (text == "cehr_bert") return BertKind::cehr_bert;
  if (text == "bert") return BertKind::bert;
  throw ConfigError("encoder", text, "cehr_bert or bert");
}

void refuse_given(const CLI::App& app, const std::string& name, const char* objective) {
  if (app.get_option(name)->count() == 0) return;
  throw ConfigError(str(name, " is no option of this objective. Fix: leave it out, or give ",
                        "--objective ", objective, "."));
}

void take_shared(const CLI::App& app, const PretrainOptions& shared,
                 const TrainingArguments& training, PretrainMlmOptions* options) {
  BertConfig& encoder = options->encoder;
  take_option(app, "--layers", shared.encoder.n_layers, &encoder.num_hidden_layers);
  take_option(app, "--hidden", shared.encoder.hidden_size, &encoder.hidden_size);
  take_option(app, "--heads", shared.encoder.n_heads, &encoder.num_attention_heads);
  take_option(app, "--intermediate", shared.encoder.intermediate_size, &encoder.intermediate_size);
  take_training_options(app, training, &options->train);
}

void print_report(const PretrainMlmOptions& options, const PretrainMlmReport& report) {
  const TrainReport& train = report.train;
  std::cout << "Trained " << with_thousands(report.num_parameters) << " parameters, "
            << with_thousands(report.vocab_size) << " codes, on "
            << with_thousands(report.num_train_subjects) << " subjects for "
            << with_thousands(train.steps) << " steps in " << duration_text(train.seconds) << " ("
            << short_number(train.tokens_per_second) << " tokens/s).\n";
  if (report.num_left_out > 0) {
    std::cout << "  " << with_thousands(report.num_left_out)
              << " subjects without a birth or a visit were left out\n";
  }
  std::cout << "Best validation loss " << train.best_loss << " at step " << train.best_step
            << ".\nEncoder: " << options.model << "\n";
}

}  // namespace

void add_mlm_options(CLI::App& app, MlmArguments& arguments) {
  PretrainMlmOptions& options = arguments.options;
  app.option_defaults()->group(kGroup);
  app.add_option("--encoder", arguments.encoder,
                 "cehr_bert takes ages, dates, visits and values; bert takes codes")
      ->type_name("cehr_bert|bert");
  app.add_option("--max-length", options.mlm.max_length, "Tokens of a sequence, [CLS] counted");
  app.add_option("--vocab-size", options.data.vocabulary.max_size,
                 "Codes at the most, special ones counted");
  app.add_option("--min-frequency", options.data.vocabulary.min_frequency, "Rarer codes are [OOV]");
  app.add_flag("--values", options.data.with_values, "Take values of events in, and predict them");
  app.add_option("--time-tokens", arguments.time_tokens, "Between visits")
      ->type_name("cehr_bert|day|week|month|mix|none");
  app.add_flag("--visit-type", options.data.records.with_visit_type,
               "Tokens of visit types and discharge places");
  app.add_flag("--demographics", options.data.records.with_demographics,
               "Begin with year, age, gender and race");
  add_visit_rule_options(app, options.data.meds.visits, arguments.visits);
  add_time_zone_option(app, arguments.time_zone);
  app.add_option("--split-seed", options.data.split_seed, "Of the hash that splits subjects");
  app.add_option("--val-fraction", options.data.val_fraction, "Share of subjects for validation");
  app.add_option("--tokens-per-batch", options.mlm.batch_tokens, "Tokens of a batch");
  app.add_option("--mask-probability", options.mlm.mask.probability, "Share of tokens to predict");
  app.add_option("--dropout", options.encoder.hidden_dropout_prob, "Of hidden states");
  app.add_option("--attention-dropout", options.encoder.attention_probs_dropout_prob,
                 "Of attention probabilities");
}

void refuse_mlm_options(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group() == kGroup) refuse_given(app, option->get_name(), "mlm");
  }
}

int run_pretrain_mlm(const CLI::App& app, const CommonOptions& common,
                     const PretrainOptions& shared, const TrainingArguments& training,
                     MlmArguments& arguments) {
  for (const char* name :
       {"--data", "--recipe", "--size", "--probe", "--probe-labels", "--recall", "--read-out",
        "--truth", "--select", "--attention-width", "--gradient-checkpointing", "--tokens-per-pass",
        "--kernels", "--dry-run"}) {
    refuse_given(app, name, "motor");
  }
  PretrainMlmOptions& options = arguments.options;
  options.encoder.kind = to_bert_kind(arguments.encoder);
  options.data.records.time_tokens = parse_time_tokens(arguments.time_tokens, "time-tokens");
  options.data.meds.visits.rule = parse_visit_rule(arguments.visits);
  options.zone_rule = parse_zone_rule(arguments.time_zone);
  options.meds = shared.meds;
  options.out = shared.out;
  options.model = shared.model;
  options.device = shared.device;
  options.precision = shared.precision;
  options.seed = shared.seed;
  options.keep_output = shared.keep_output;
  options.num_threads = common.threads();
  options.memory_bytes = common.memory_bytes();
  options.fingerprint_cache = common.fingerprint_cache();
  take_shared(app, shared, training, &options);
  const PretrainMlmReport report = pretrain_mlm(options);
  if (report.is_up_to_date) return 0;
  if (!report.train.is_finished) {
    std::cout << "Stopped at step " << report.train.steps << " with a checkpoint in " << options.out
              << "; the same command goes on from there.\n";
    return 0;
  }
  write_options(app, options.model);
  if (!common.is_quiet) print_report(options, report);
  return 0;
}

}  // namespace sequela
