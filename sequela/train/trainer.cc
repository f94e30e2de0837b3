#include "sequela/train/trainer.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/random.h"
#include "sequela/core/stopwatch.h"
#include "sequela/train/checkpoint.h"
#include "sequela/train/gemm_rate.h"
#include "sequela/train/gradient_sums.h"
#include "sequela/train/optimizer.h"
#include "sequela/train/schedule.h"
#include "sequela/train/step_batches.h"
#include "sequela/train/step_exchange.h"
#include "sequela/train/step_journal.h"
#include "sequela/train/step_share.h"

namespace sequela {
namespace {

constexpr size_t kMaxUnread = 100;  // steps

class Trainer {
 public:
  Trainer(Trainable& model, const TrainOptions& options, const std::string& run_key,
          const TrainMonitor& monitor, World& world)
      : model_(model),
        monitor_(monitor),
        world_(world),
        parts_(model.parts()),
        num_batches_(model.num_batches(TrainPart::train)),
        options_(options),
        run_key_(run_key),
        device_(model.parameters().items[0].value.device()),
        optimizer_(model.parameters(), options, parts_, product_type(device_, model.precision()),
                   world),
        sums_(model.parameters(), optimizer_.sharding(), world,
              options.gradients_as == SentAs::bf16 ? at::kBFloat16 : at::kFloat),
        journal_(model, options, device_, world),
        batches_(model, options, sums_, journal_, state_, world) {
    const int64_t per_epoch = (num_batches_ + options.accumulate - 1) / options.accumulate;
    total_steps_ = options.max_steps > 0 ? options.max_steps : options.epochs * per_epoch;
  }

  TrainReport run();

 private:
  void run_epoch();
  void finish_step(const StepShare& share);
  std::vector<KindHealth> share_gradient_norms(double divisor);
  void log_step(double learning_rate, double gradient_norm, const std::vector<KindHealth>& health);
  void evaluate_now();
  double validation_loss();
  void save();
  void restore();
  bool is_done() const { return state_.is_finished || state_.step >= total_steps_; }
  // Whether a signal asked any rank to stop: the same answer on all.
  bool is_stopped() const { return is_any(world_, "a stop", stop_signal() != 0); }
  TrainParts train_parts() { return {model_, optimizer_, sums_, world_}; }

  Trainable& model_;
  const TrainMonitor& monitor_;
  World& world_;
  const std::vector<ParameterPart> parts_;
  const int64_t num_batches_;
  const TrainOptions& options_;
  const std::string run_key_;
  const at::Device device_;
  Optimizer optimizer_;
  GradientSums sums_;
  int64_t total_steps_ = 0;
  TrainState state_;
  TrainReport report_;
  StepJournal journal_;
  StepBatches batches_;
  std::unique_ptr<Progress> progress_;
};

TrainReport Trainer::run() {
  model_.parameters().zero_gradients();
  restore();
  // Each owner's values, also where another rank's CPU has another logarithm.
  for (const std::vector<Piece>& bucket : optimizer_.sharding().buckets())
    share_pieces(world_, "the first weights", bucket,
                 [this](size_t i) { return model_.parameters().items[i].value; });
  model_.refresh_weights();
  const Stopwatch watch;
  const int64_t tokens_before = state_.num_tokens;
  journal_.begin(state_);
  progress_ = std::make_unique<Progress>(options_.name, total_steps_, "steps");
  progress_->advance(state_.step);
  if (!state_.is_evaluated) evaluate_now();
  while (!is_done() && !is_stopped()) run_epoch();
  progress_.reset();
  report_.seconds = watch.seconds() - journal_.seconds_apart();
  // The last steps are evaluated too, so that the end of the run can be its best. (After a stop
  // this writes the checkpoint; an evaluation that was stopped has written its own.)
  if (is_done() && !state_.is_finished && state_.is_evaluated) evaluate_now();
  report_.is_finished = state_.is_finished && !is_stopped();
  if (report_.is_finished && state_.best_step >= 0) {
    read_checkpoint_weights(checkpoint_path(options_.folder, state_.best_step), model_);
    meet(world_, "the end of training");  // the first rank may now remove the checkpoints
  }
  report_.steps = state_.step;
  report_.num_tokens = state_.num_tokens;
  const auto tokens_here = static_cast<double>(state_.num_tokens - tokens_before);
  report_.tokens_per_second = report_.seconds > 0 ? tokens_here / report_.seconds : 0;
  report_.best_step = state_.best_step;
  report_.best_loss = state_.best_step >= 0 ? state_.best_loss : std::nan("");
  return report_;
}

void Trainer::restore() {
  const auto state = read_newest_checkpoint(options_.folder, run_key_, train_parts());
  if (!state) {
    state_.is_evaluated = !options_.evaluates_start;
    return;
  }
  if (state->position > num_batches_ || state->micro_batch >= options_.accumulate) {
    throw FileError(checkpoint_path(options_.folder, state->step) + "/trainer_state.json",
                    "stands at a batch that there is not", "remove this checkpoint");
  }
  state_ = *state;
  report_.is_resumed = true;
  journal_.resume(state_);
  log_info(str("going on from step ", state_.step));
}

void Trainer::run_epoch() {
  const std::vector<int64_t> order = epoch_order(num_batches_, options_.seed, state_.epoch);
  const std::vector<StepShare> shares = shares_of_steps(
      order, state_.position - state_.micro_batch, options_, model_, world_.rank(), world_.size());
  PassPlan plan{TrainPart::train, {}};
  for (const StepShare& share : shares)
    plan.batches.insert(plan.batches.end(), share.batches.begin(), share.batches.end());
  plan.batches.erase(plan.batches.begin(), plan.batches.begin() + state_.micro_batch);
  plan.key = hash_key(options_.seed, static_cast<uint64_t>(state_.epoch));
  plan.loss_scale = options_.loss_scale;
  const std::unique_ptr<BatchPass> pass = model_.start_pass(std::move(plan));
  for (const StepShare& share : shares) {
    batches_.run(share, *pass);
    const bool is_whole = batches_.meet(share);
    if (is_whole) finish_step(share);
    if (is_done()) return;
    if (is_stopped()) {
      if (state_.is_evaluated) save();
      return;
    }
    if (!is_whole) return;  // begun again in a pass of its own
  }
  ++state_.epoch;
  state_.position = 0;
}

void Trainer::finish_step(const StepShare& share) {
  sums_.reduce(share.num_lanes);
  const at::Tensor norm = optimizer_.gradient_norm();
  const double divisor = options_.loss_scale == LossScale::events
                             ? static_cast<double>(std::max<int64_t>(1, state_.num_events))
                             : 1;
  batches_.end_step(norm, divisor);
  // Elsewhere the numbers are read late: the host is to be ahead of the device.
  const bool is_due = (state_.step + 1) % options_.log_every == 0;
  double norm_value = 0;
  if (is_due || device_.is_cpu() || batches_.num_unread() >= kMaxUnread)
    norm_value = batches_.read_numbers();
  const double rate = learning_rate_at(options_.schedule, options_.learning_rate, state_.step,
                                       options_.warmup_steps, total_steps_);
  const bool is_logged = is_due && state_.loss_count > 0;
  std::vector<KindHealth> health;
  if (is_logged) health = share_gradient_norms(divisor);
  optimizer_.step(rate, norm, divisor);
  if (is_logged) measure_step(optimizer_, model_.parameters(), parts_, health);
  model_.parameters().zero_gradients();
  model_.refresh_weights();
  state_.position += share.num_batches - state_.micro_batch;
  ++state_.step;
  progress_->advance(1);
  if (is_logged) log_step(rate, norm_value, health);
  state_.begin_step();
  if (state_.step % options_.eval_every == 0) evaluate_now();
}

// Of whole parameters, whose gradients are gathered for it.
std::vector<KindHealth> Trainer::share_gradient_norms(double divisor) {
  for (const std::vector<Piece>& bucket : optimizer_.sharding().buckets())
    share_pieces(world_, "gradients for the log", bucket,
                 [this](size_t i) { return model_.parameters().items[i].gradient; });
  return gradient_norms(model_.parameters(), parts_, divisor);
}

void Trainer::log_step(double learning_rate, double gradient_norm,
                       const std::vector<KindHealth>& health) {
  journal_.add_step(state_,
                    {.step = state_.step,
                     .total_steps = total_steps_,
                     .loss = state_.loss_sum / static_cast<double>(state_.loss_count),
                     .learning_rate = learning_rate,
                     .gradient_norm = gradient_norm},
                    health);
  state_.loss_sum = 0;
  state_.loss_count = 0;
  journal_.begin(state_);
}

// The first rank's: what follows from it must be the same on all, also where CPUs differ.
double Trainer::validation_loss() {
  std::optional<double> loss;
  while (!loss) {
    try {
      loss = evaluate(model_);
    } catch (const c10::OutOfMemoryError& error) {
      batches_.take_less_memory(error);
    }
  }
  return number_of_first(world_, "the validation loss", *loss);
}

void Trainer::evaluate_now() {
  batches_.read_numbers();
  state_.is_evaluated = false;
  if (is_stopped()) return save();
  const double loss = validation_loss();
  if (is_stopped()) return save();
  Figures figures = measure(model_, monitor_, world_);
  if (is_stopped()) return save();
  state_.is_evaluated = true;
  const bool is_best = state_.take_result(loss, selected_figure(monitor_, figures));
  report_.eval_losses.emplace_back(state_.step, loss);
  journal_.add_evaluation({state_.step, loss, is_best, figures});
  report_.figures = std::move(figures);
  if (options_.patience > 0 && state_.evals_without_gain >= options_.patience) {
    log_info(str("no better ", monitor_.selected.empty() ? "validation loss" : monitor_.selected,
                 " in ", options_.patience, " evaluations: the run ends"));
    state_.is_finished = true;
  }
  if (state_.step >= total_steps_) state_.is_finished = true;
  save();
  if (world_.is_first())
    prune_checkpoints(options_.folder, options_.keep_checkpoints, state_.best_step);
  journal_.begin(state_);
}

void Trainer::save() {
  batches_.read_numbers();
  write_checkpoint(options_.folder, run_key_, state_, train_parts());
  log_info(str("wrote ", checkpoint_path(options_.folder, state_.step)));
}

}  // namespace

TrainReport train(Trainable& model, const TrainOptions& options, const std::string& run_key,
                  const TrainMonitor& monitor, World& world) {
  options.validate();
  if (options.accumulate < world.size()) {
    throw ConfigError("accumulate", str(options.accumulate),
                      str(world.size(), " or more: a step needs a batch for each rank"));
  }
  if (options.loss_scale == LossScale::events && !model.has_events()) {
    throw ConfigError("loss-scale", "events", "mean: this objective has no events");
  }
  if (model.num_batches(TrainPart::train) == 0) {
    throw DataError({}, "there are no training batches",
                    "prepare a data set with labelled records");
  }
  std::filesystem::create_directories(options.folder);
  return Trainer(model, options, run_key, monitor, world).run();
}

}  // namespace sequela
