#include "sequela/cli/pretrain_records.h"

#include <iostream>
#include <type_traits>
#include <variant>

#include "sequela/cli/terminal.h"
#include "sequela/cli/visit_rule_options.h"
#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/objective/registry.h"

namespace sequela {
namespace {

void refuse_given(const CLI::App& app, const std::string& name, const char* objective) {
  if (app.get_option(name)->count() == 0) return;
  throw ConfigError(str(name, " is no option of this objective. Fix: leave it out, or give ",
                        "--objective ", objective, "."));
}

// One call for each kind of value that an objective's option may have.
template <class... Calls>
struct Kinds : Calls... {
  using Calls::operator()...;
};
template <class... Calls>
Kinds(Calls...) -> Kinds<Calls...>;

void add_option(CLI::App& app, const RecordOption& option, std::string& word) {
  const std::string name = str("--", option.name);
  std::visit(Kinds{
                 [&](bool* value) { app.add_flag(name, *value, option.help); },
                 [&](int64_t* value) { app.add_option(name, *value, option.help); },
                 [&](double* value) { app.add_option(name, *value, option.help); },
                 [&](const WordOption& of) {
                   word = of.fallback;
                   app.add_option(name, word, option.help)->type_name(of.words);
                 },
                 [&](VisitOptions* visits) {
                   word = name_of(visits->rule);
                   add_visit_rule_options(app, *visits, word);
                 },
                 [&](ZoneRule* rule) {
                   word = zone_rule_name(*rule);
                   add_time_zone_option(app, word);
                 },
             },
             option.value);
}

void take_word(const RecordOption& option, const std::string& word) {
  std::visit(Kinds{
                 [&](const WordOption& of) { of.set(word); },
                 [&](VisitOptions* visits) { visits->rule = parse_visit_rule(word); },
                 [&](ZoneRule* rule) { *rule = parse_zone_rule(word); },
                 [](const auto*) {},
             },
             option.value);
}

// A number that all objectives have, if it was given.
void take_shared(const CLI::App& app, const RecordOption& option) {
  const CLI::Option* given = app.get_option(str("--", option.name));
  if (given->count() == 0) return;
  std::visit(Kinds{
                 [&](int64_t* value) { *value = given->as<int64_t>(); },
                 [&](double* value) { *value = given->as<double>(); },
                 [](const auto&) { SEQUELA_CHECK(false); },
             },
             option.value);
}

void take_options(const CLI::App& app, RecordArguments& arguments) {
  for (const RecordOption& option : arguments.learner->options())
    take_word(option, arguments.words[option.name]);
  for (const RecordOption& option : arguments.learner->shared_options()) take_shared(app, option);
}

PretrainRecordsOptions run_options(const CLI::App& app, const CommonOptions& common,
                                   const PretrainOptions& shared, const TrainingArguments& training,
                                   const RecordLearner& learner) {
  PretrainRecordsOptions options;
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
  learner.set_defaults(options.train);
  take_training_options(app, training, &options.train);
  return options;
}

void print_report(const PretrainRecordsOptions& options, const PretrainRecordsReport& report) {
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

std::vector<RecordArguments> add_record_options(CLI::App& app) {
  std::vector<RecordArguments> all;
  for (const RecordObjective* objective : record_objectives()) {
    all.push_back({objective, objective->learner(), {}});
    RecordArguments& arguments = all.back();
    app.option_defaults()->group(arguments.learner->group());
    for (const RecordOption& option : arguments.learner->options())
      add_option(app, option, arguments.words[option.name]);
  }
  return all;
}

void refuse_record_options(const CLI::App& app, const std::vector<RecordArguments>& all) {
  for (const RecordArguments& arguments : all) {
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_group() == arguments.learner->group())
        refuse_given(app, option->get_name(), arguments.objective->name());
    }
  }
}

int run_pretrain_records(const CLI::App& app, const CommonOptions& common,
                         const PretrainOptions& shared, const TrainingArguments& training,
                         RecordArguments& arguments) {
  for (const char* name :
       {"--data", "--recipe", "--size", "--probe", "--probe-labels", "--recall", "--read-out",
        "--truth", "--select", "--attention-width", "--gradient-checkpointing", "--tokens-per-pass",
        "--kernels", "--dry-run"}) {
    refuse_given(app, name, objectives().front()->name());
  }
  take_options(app, arguments);
  const PretrainRecordsOptions options =
      run_options(app, common, shared, training, *arguments.learner);
  const PretrainRecordsReport report =
      pretrain_records(options, arguments.objective->name(), *arguments.learner);
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
