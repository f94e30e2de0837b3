#include "sequela/cli/training_options.h"

namespace sequela {
namespace {

// Calls visit(flag, field of TrainOptions, help) for each option that is a number.
template <class Visit>
void each_number(Visit visit) {
  using T = TrainOptions;
  visit("--learning-rate", &T::learning_rate, "Peak, after the warm-up");
  visit("--warmup-steps", &T::warmup_steps, "Optimizer steps of linear warm-up");
  visit("--muon-scale", &T::muon_scale, "Muon's learning rate over AdamW's");
  visit("--muon-momentum", &T::muon_momentum, "Of Muon's averaged gradient");
  visit("--beta1", &T::beta1, "Adam's first moment");
  visit("--beta2", &T::beta2, "Adam's second moment");
  visit("--epsilon", &T::epsilon, "Added to the root of Adam's second moment");
  visit("--weight-decay", &T::weight_decay, "Of matrices, embeddings, convolutions");
  visit("--max-gradient-norm", &T::max_gradient_norm,
        "Gradients are clipped to this norm; 0 = no clipping");
  visit("--epochs", &T::epochs, "Passes over the data at the most");
  visit("--max-steps", &T::max_steps, "Optimizer steps at the most; 0 = epochs decide");
  visit("--accumulate", &T::accumulate, "Batches per optimizer step, of all ranks together");
  visit("--lanes", &T::lanes,
        "Shares of a step that are summed apart, then in pairs: the weights are the same for any "
        "number of ranks up to this");
  visit("--eval-every", &T::eval_every, "Steps between evaluations and checkpoints");
  visit("--patience", &T::patience, "Evaluations without gain before the end; 0 = no end");
  visit("--log-every", &T::log_every, "Steps between log lines");
  visit("--keep-checkpoints", &T::keep_checkpoints, "Newest kept, besides the best");
}

}  // namespace

void add_training_options(CLI::App& app, TrainingArguments& arguments) {
  arguments.schedule = to_text(arguments.train.schedule);
  arguments.loss_scale = to_text(arguments.train.loss_scale);
  arguments.optimizer = to_text(arguments.train.optimizer);
  arguments.gradients_as = to_text(arguments.train.gradients_as);
  app.add_option("--schedule", arguments.schedule,
                 "Of the learning rate after the warm-up; linear and cosine end at 0")
      ->type_name("linear|cosine|constant");
  app.add_option("--loss-scale", arguments.loss_scale,
                 "The gradient is the mean over labels x bins x tasks (mean) or over events")
      ->type_name("mean|events");
  app.add_option("--optimizer", arguments.optimizer,
                 "AdamW on all parameters, or Muon on the matrices and AdamW on the rest")
      ->type_name("adamw|muon");
  app.add_option("--gradients-as", arguments.gradients_as,
                 "How gradients travel between ranks; bf16: half the bytes, other last bits")
      ->type_name("fp32|bf16");
  each_number([&](const char* flag, auto field, const char* help) {
    app.add_option(flag, arguments.train.*field, help);
  });
}

void take_training_options(const CLI::App& app, const TrainingArguments& arguments,
                           TrainOptions* train) {
  take_option(app, "--schedule", to_schedule(arguments.schedule), &train->schedule);
  take_option(app, "--loss-scale", to_loss_scale(arguments.loss_scale), &train->loss_scale);
  take_option(app, "--gradients-as", to_sent_as(arguments.gradients_as), &train->gradients_as);
  take_option(app, "--optimizer", to_optimizer_kind(arguments.optimizer), &train->optimizer);
  each_number([&](const char* flag, auto field, const char*) {
    take_option(app, flag, arguments.train.*field, &(train->*field));
  });
}

}  // namespace sequela
