#include "sequela/train/trainer.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/random.h"
#include "sequela/train/checkpoint.h"
#include "sequela/train/gemm_rate.h"
#include "sequela/train/optimizer.h"
#include "sequela/train/run_log.h"
#include "sequela/train/schedule.h"
#include "sequela/train/step_numbers.h"

namespace sequela {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxUnread = 100;  // steps

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Trainer {
 public:
  Trainer(Trainable& model, const TrainOptions& options, const std::string& run_key,
          const TrainMonitor& monitor)
      : model_(model),
        monitor_(monitor),
        parts_(model.parts()),
        num_batches_(model.num_batches(TrainPart::train)),
        options_(options),
        run_key_(run_key),
        device_(model.parameters().items[0].value.device()),
        optimizer_(model.parameters(), options, parts_, product_type(device_, model.precision())),
        log_(options.folder) {
    const int64_t per_epoch = (num_batches_ + options.accumulate - 1) / options.accumulate;
    total_steps_ = options.max_steps > 0 ? options.max_steps : options.epochs * per_epoch;
  }

  TrainReport run();

 private:
  void run_epoch();
  void add_to_step(const BatchLoss& loss, int64_t batch_index);
  void finish_step();
  void log_step(double learning_rate, double gradient_norm, const std::vector<KindHealth>& health);
  double share_of_gemm_rate(double tokens_per_second);
  void evaluate_now();
  double validation_loss();
  bool take_result(double loss, const Figures& figures);
  void save();
  void restore();
  double read_numbers();
  void take_less_memory(const std::exception& error);
  [[noreturn]] void dump_and_throw(const StepNumbers::Fault& fault);
  bool is_done() const { return state_.is_finished || state_.step >= total_steps_; }

  Trainable& model_;
  const TrainMonitor& monitor_;
  const std::vector<ParameterPart> parts_;
  const int64_t num_batches_;
  const TrainOptions& options_;
  const std::string run_key_;
  const at::Device device_;
  Optimizer optimizer_;
  RunLog log_;
  int64_t total_steps_ = 0;
  double gemm_rate_ = 0;  // 0: not measured yet
  TrainState state_;
  TrainReport report_;
  StepNumbers numbers_;
  int64_t tokens_of_step_ = 0;  // under way
  Clock::time_point start_;
  Clock::time_point last_log_;
  int64_t tokens_at_start_ = 0;
  int64_t tokens_at_last_log_ = 0;
  std::unique_ptr<Progress> progress_;
};

TrainReport Trainer::run() {
  model_.parameters().zero_gradients();
  restore();
  start_ = last_log_ = Clock::now();
  tokens_at_start_ = tokens_at_last_log_ = state_.num_tokens;
  progress_ = std::make_unique<Progress>(options_.name, total_steps_, "steps");
  progress_->advance(state_.step);
  if (!state_.is_evaluated) evaluate_now();
  while (!is_done() && stop_signal() == 0) run_epoch();
  progress_.reset();
  report_.seconds = seconds_since(start_);
  // The last steps are evaluated too, so that the end of the run can be its best. (After a stop
  // this writes the checkpoint; an evaluation that was stopped has written its own.)
  if (is_done() && !state_.is_finished && state_.is_evaluated) evaluate_now();
  report_.is_finished = state_.is_finished && stop_signal() == 0;
  if (report_.is_finished && state_.best_step >= 0) {
    read_checkpoint_weights(checkpoint_path(options_.folder, state_.best_step), model_);
  }
  report_.steps = state_.step;
  report_.num_tokens = state_.num_tokens;
  const auto tokens_here = static_cast<double>(state_.num_tokens - tokens_at_start_);
  report_.tokens_per_second = report_.seconds > 0 ? tokens_here / report_.seconds : 0;
  report_.best_step = state_.best_step;
  report_.best_loss = state_.best_step >= 0 ? state_.best_loss : std::nan("");
  return report_;
}

void Trainer::restore() {
  const auto state = read_newest_checkpoint(options_.folder, run_key_, model_, optimizer_);
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
  log_.resume({state_.step, state_.is_evaluated});
  log_info(str("going on from step ", state_.step));
}

void Trainer::run_epoch() {
  const std::vector<int64_t> order = epoch_order(num_batches_, options_.seed, state_.epoch);
  PassPlan plan{TrainPart::train, {order.begin() + state_.position, order.end()}};
  plan.key = hash_key(options_.seed, static_cast<uint64_t>(state_.epoch));
  plan.loss_scale = options_.loss_scale;
  const std::unique_ptr<BatchPass> pass = model_.start_pass(std::move(plan));
  while (state_.position < num_batches_) {
    const int64_t group_start = state_.position - state_.micro_batch;
    const int64_t group_size = std::min(options_.accumulate, num_batches_ - group_start);
    // Sums are divided when all events of the step are counted.
    std::optional<BatchLoss> loss;
    try {
      loss = pass->next(
          options_.loss_scale == LossScale::events ? 1.0 : 1.0 / static_cast<double>(group_size));
    } catch (const c10::OutOfMemoryError& error) {
      return take_less_memory(error);
    }
    SEQUELA_CHECK(loss.has_value());
    add_to_step(*loss, order[state_.position]);
    if (state_.micro_batch == group_size) finish_step();
    if (is_done()) return;
    if (stop_signal() != 0) {
      if (state_.is_evaluated) save();
      return;
    }
  }
  ++state_.epoch;
  state_.position = 0;
}

// The step under way begins anew, in a pass of its own: gradients of a part of it may be there.
void Trainer::take_less_memory(const std::exception& error) {
  const std::string done = model_.take_less_memory();
  if (done.empty()) throw;
  log_warning(str("the device's memory does not suffice (", first_line(error.what()), "): ", done));
  model_.parameters().zero_gradients();
  state_.position -= state_.micro_batch;
  state_.micro_batch = 0;
  state_.num_events = 0;
  state_.num_tokens -= std::exchange(tokens_of_step_, 0);
  numbers_.drop_batches();
}

void Trainer::add_to_step(const BatchLoss& loss, int64_t batch_index) {
  numbers_.add_batch(batch_index, loss.loss);
  ++state_.position;
  ++state_.micro_batch;
  state_.num_events += loss.num_events;
  state_.num_tokens += loss.num_tokens;
  tokens_of_step_ += loss.num_tokens;
}

void Trainer::finish_step() {
  const at::Tensor norm = optimizer_.gradient_norm();
  const double divisor = options_.loss_scale == LossScale::events
                             ? static_cast<double>(std::max<int64_t>(1, state_.num_events))
                             : 1;
  numbers_.end_step(state_.step, norm, divisor);
  tokens_of_step_ = 0;
  // Elsewhere the numbers are read late: the host is to be ahead of the device.
  const bool is_due = (state_.step + 1) % options_.log_every == 0;
  double norm_value = 0;
  if (is_due || device_.is_cpu() || numbers_.num_unread() >= kMaxUnread)
    norm_value = read_numbers();
  const double rate = learning_rate_at(options_.schedule, options_.learning_rate, state_.step,
                                       options_.warmup_steps, total_steps_);
  const bool is_logged = is_due && state_.loss_count > 0;
  std::vector<KindHealth> health;
  if (is_logged) health = gradient_norms(model_.parameters(), parts_, divisor);
  optimizer_.step(rate, norm, divisor);
  if (is_logged) measure_step(optimizer_, model_.parameters(), parts_, health);
  model_.parameters().zero_gradients();
  model_.refresh_weights();
  state_.micro_batch = 0;
  state_.num_events = 0;
  ++state_.step;
  progress_->advance(1);
  if (is_logged) log_step(rate, norm_value, health);
  if (state_.step % options_.eval_every == 0) evaluate_now();
}

void Trainer::log_step(double learning_rate, double gradient_norm,
                       const std::vector<KindHealth>& health) {
  const double tokens = static_cast<double>(state_.num_tokens - tokens_at_last_log_);
  const double speed = tokens / std::max(1e-9, seconds_since(last_log_));
  log_.add({state_.step, total_steps_, state_.loss_sum / static_cast<double>(state_.loss_count),
            learning_rate, gradient_norm, speed, share_of_gemm_rate(speed), to_figures(health)});
  const std::string warning = starvation_warning(health, options_.epsilon);
  if (!warning.empty()) log_.warn_once(state_.step, warning);
  state_.loss_sum = 0;
  state_.loss_count = 0;
  last_log_ = Clock::now();
  tokens_at_last_log_ = state_.num_tokens;
}

// The rate is measured at the first log line, outside the run's clock.
double Trainer::share_of_gemm_rate(double tokens_per_second) {
  if (model_.flops_per_token() == 0) return 0;
  if (gemm_rate_ == 0) {
    const Clock::time_point before = Clock::now();
    gemm_rate_ = measure_gemm_rate(device_, model_.precision());
    start_ += Clock::now() - before;
  }
  return tokens_per_second * model_.flops_per_token() / gemm_rate_;
}

// Brings the numbers of the steps since the last call to the host. The last one's gradient norm.
double Trainer::read_numbers() {
  const StepNumbers::Read read = numbers_.read(state_.step);
  if (read.fault) dump_and_throw(*read.fault);
  state_.loss_sum += read.loss_sum;
  state_.loss_count += read.num_losses;
  return read.norm;
}

void Trainer::dump_and_throw(const StepNumbers::Fault& fault) {
  const std::string path = options_.folder + "/non_finite.safetensors";
  model_.dump_batch(fault.batch).write(path);
  throw DataError({},
                  str("the ", fault.what, " is not finite at step ", fault.step,
                      " (training batch ", fault.batch, "); its tensors are in ", path),
                  kDivergenceFix);
}

double Trainer::validation_loss() {
  while (true) {
    try {
      return evaluate(model_);
    } catch (const c10::OutOfMemoryError& error) {
      take_less_memory(error);
    }
  }
}

void Trainer::evaluate_now() {
  read_numbers();
  state_.is_evaluated = false;
  if (stop_signal() != 0) return save();
  const double loss = validation_loss();
  if (stop_signal() != 0) return save();
  Figures figures = model_.validation_figures();
  try {
    for (Yardstick* yardstick : monitor_.yardsticks) {
      const Figures own = yardstick->measure();
      figures.insert(figures.end(), own.begin(), own.end());
    }
  } catch (const Interrupted&) {
    return save();
  }
  if (stop_signal() != 0) return save();
  state_.is_evaluated = true;
  const bool is_best = take_result(loss, figures);
  report_.eval_losses.emplace_back(state_.step, loss);
  log_.add_evaluation({state_.step, loss, is_best, figures});
  report_.figures = std::move(figures);
  if (options_.patience > 0 && state_.evals_without_gain >= options_.patience) {
    log_info(str("no better ", monitor_.selected.empty() ? "validation loss" : monitor_.selected,
                 " in ", options_.patience, " evaluations: the run ends"));
    state_.is_finished = true;
  }
  if (state_.step >= total_steps_) state_.is_finished = true;
  save();
  prune_checkpoints(options_.folder, options_.keep_checkpoints, state_.best_step);
  last_log_ = Clock::now();
  tokens_at_last_log_ = state_.num_tokens;
}

bool Trainer::take_result(double loss, const Figures& figures) {
  std::optional<double> selected;
  if (!monitor_.selected.empty()) selected = 0;
  for (const Figure& figure : figures) {
    if (figure.name == monitor_.selected) selected = figure.value;
  }
  return state_.take_result(loss, selected);
}

void Trainer::save() {
  read_numbers();
  write_checkpoint(options_.folder, run_key_, state_, model_, optimizer_);
  log_info(str("wrote ", checkpoint_path(options_.folder, state_.step)));
}

}  // namespace

TrainReport train(Trainable& model, const TrainOptions& options, const std::string& run_key,
                  const TrainMonitor& monitor) {
  options.validate();
  if (options.loss_scale == LossScale::events && !model.has_events()) {
    throw ConfigError("loss-scale", "events", "mean: this objective has no events");
  }
  if (model.num_batches(TrainPart::train) == 0) {
    throw DataError({}, "there are no training batches",
                    "prepare a data set with labelled records");
  }
  std::filesystem::create_directories(options.folder);
  return Trainer(model, options, run_key, monitor).run();
}

}  // namespace sequela
