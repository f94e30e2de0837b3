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
#include "sequela/train/gradient_sums.h"
#include "sequela/train/optimizer.h"
#include "sequela/train/run_log.h"
#include "sequela/train/schedule.h"
#include "sequela/train/step_exchange.h"
#include "sequela/train/step_numbers.h"
#include "sequela/train/step_share.h"

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
        rank_seconds_(world.size()) {
    if (world.is_first()) log_ = std::make_unique<RunLog>(options.folder);
    const int64_t per_epoch = (num_batches_ + options.accumulate - 1) / options.accumulate;
    total_steps_ = options.max_steps > 0 ? options.max_steps : options.epochs * per_epoch;
  }

  TrainReport run();

 private:
  void run_epoch();
  void run_share(const StepShare& share, BatchPass& pass);
  void add_to_step(const BatchLoss& loss, int64_t batch_index);
  bool meet_at_end(const StepShare& share);
  void finish_step(const StepShare& share);
  std::vector<KindHealth> share_gradient_norms(double divisor);
  void log_step(double learning_rate, double gradient_norm, const std::vector<KindHealth>& health);
  double share_of_gemm_rate(double tokens_per_second);
  Figures rank_figures();
  void begin_interval();
  void evaluate_now();
  double validation_loss();
  Figures measure();
  bool take_result(double loss, const Figures& figures);
  void save();
  void restore();
  double read_numbers();
  void take_parts(const std::vector<StepPart>& parts);
  void take_less_memory(const std::exception& error);
  void drop_step();
  [[noreturn]] void dump_and_throw(const StepNumbers::Fault& fault);
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
  std::unique_ptr<RunLog> log_;  // the first rank's
  int64_t total_steps_ = 0;
  double gemm_rate_ = 0;  // 0: not measured yet
  TrainState state_;
  TrainReport report_;
  StepNumbers numbers_;
  StepPart part_;                        // of the step under way, if there are other ranks
  std::vector<at::Tensor> part_losses_;  // of its batches, on the device
  std::vector<double> rank_seconds_;     // for the steps since the last log line
  int64_t step_at_last_log_ = 0;
  World::Traffic traffic_at_last_log_;
  Clock::time_point start_;
  Clock::time_point last_log_;
  int64_t tokens_at_start_ = 0;
  int64_t tokens_at_last_log_ = 0;
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
  start_ = Clock::now();
  tokens_at_start_ = state_.num_tokens;
  begin_interval();
  progress_ = std::make_unique<Progress>(options_.name, total_steps_, "steps");
  progress_->advance(state_.step);
  if (!state_.is_evaluated) evaluate_now();
  while (!is_done() && !is_stopped()) run_epoch();
  progress_.reset();
  report_.seconds = seconds_since(start_);
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
  const auto tokens_here = static_cast<double>(state_.num_tokens - tokens_at_start_);
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
  if (log_) log_->resume({state_.step, state_.is_evaluated});
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
    run_share(share, *pass);
    const bool is_whole = meet_at_end(share);
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

// What was done of the step under way is forgotten; it begins anew, in a pass of its own.
void Trainer::drop_step() {
  sums_.drop();
  numbers_.drop_batches();
  part_losses_.clear();
  part_ = {};
  state_.position -= state_.micro_batch;
  state_.num_tokens = state_.num_tokens_before;
  state_.micro_batch = state_.num_events = 0;
}

void Trainer::take_less_memory(const std::exception& error) {
  const std::string done = model_.take_less_memory();
  if (done.empty()) throw;
  log_warning(str("the device's memory does not suffice (", first_line(error.what()), "): ", done));
  drop_step();
}

// This rank's batches of a step, until a signal comes between them or the memory does not suffice.
void Trainer::run_share(const StepShare& share, BatchPass& pass) {
  const Clock::time_point start = Clock::now();
  // Sums are divided when all events of the step are counted.
  const double scale =
      options_.loss_scale == LossScale::events ? 1.0 : 1.0 / static_cast<double>(share.num_batches);
  const auto num_done = static_cast<size_t>(state_.micro_batch);
  if (num_done > 0 &&
      (num_done > share.lanes.size() || sums_.lane() != share.lanes[num_done - 1])) {
    throw FileError(checkpoint_path(options_.folder, state_.step) + "/gradients.safetensors",
                    "holds the sums of other batches", "remove this checkpoint");
  }
  for (size_t i = num_done; i < share.batches.size() && !part_.is_stopped; ++i) {
    sums_.start_lane(share.lanes[i]);
    try {
      const auto loss = pass.next(scale);
      SEQUELA_CHECK(loss.has_value());
      add_to_step(*loss, share.batches[i]);
    } catch (const c10::OutOfMemoryError& error) {
      take_less_memory(error);
      part_.is_stopped = true;
      break;
    }
    part_.is_stopped = stop_signal() != 0 && i + 1 < share.batches.size();
  }
  part_.seconds = seconds_since(start);
}

void Trainer::add_to_step(const BatchLoss& loss, int64_t batch_index) {
  if (!world_.is_alone()) {  // others may be at other batches: only whole steps count
    part_losses_.push_back(loss.loss);
    part_.batches.push_back(batch_index);
    part_.num_events += loss.num_events;
    part_.num_tokens += loss.num_tokens;
    return;
  }
  numbers_.add_batch(batch_index, loss.loss);
  ++state_.position;
  ++state_.micro_batch;
  state_.num_events += loss.num_events;
  state_.num_tokens += loss.num_tokens;
}

// Brings the state up to date with the batches of all ranks. False if the step was broken off: a
// rank that is alone may go on from there, several begin it again.
bool Trainer::meet_at_end(const StepShare& share) {
  if (world_.is_alone()) {
    part_ = {};
    return state_.micro_batch == share.num_batches;
  }
  for (const at::Tensor& loss : part_losses_) part_.losses.push_back(loss.item<double>());
  part_losses_.clear();
  const std::vector<StepPart> parts =
      exchange_parts(world_, std::exchange(part_, {}), share.most_batches);
  const bool is_broken_off = std::ranges::any_of(parts, &StepPart::is_stopped);
  is_broken_off ? drop_step() : take_parts(parts);
  return !is_broken_off;
}

void Trainer::take_parts(const std::vector<StepPart>& parts) {
  for (size_t rank = 0; rank < parts.size(); ++rank) {
    const StepPart& part = parts[rank];
    for (size_t i = 0; i < part.losses.size(); ++i)
      numbers_.add_batch(part.batches[i], at::scalar_tensor(part.losses[i], at::kDouble));
    state_.num_events += part.num_events;
    state_.num_tokens += part.num_tokens;
    rank_seconds_[rank] += part.seconds;
  }
}

void Trainer::finish_step(const StepShare& share) {
  sums_.reduce(share.num_lanes);
  const at::Tensor norm = optimizer_.gradient_norm();
  const double divisor = options_.loss_scale == LossScale::events
                             ? static_cast<double>(std::max<int64_t>(1, state_.num_events))
                             : 1;
  numbers_.end_step(state_.step, norm, divisor);
  // Elsewhere the numbers are read late: the host is to be ahead of the device.
  const bool is_due = (state_.step + 1) % options_.log_every == 0;
  double norm_value = 0;
  if (is_due || device_.is_cpu() || numbers_.num_unread() >= kMaxUnread)
    norm_value = read_numbers();
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
  const double tokens = static_cast<double>(state_.num_tokens - tokens_at_last_log_);
  const double speed = tokens / std::max(1e-9, seconds_since(last_log_));
  if (log_) {
    Figures figures = to_figures(health);
    const Figures of_ranks = rank_figures();
    figures.insert(figures.end(), of_ranks.begin(), of_ranks.end());
    log_->add({state_.step, total_steps_, state_.loss_sum / static_cast<double>(state_.loss_count),
               learning_rate, gradient_norm, speed, share_of_gemm_rate(speed), figures});
    const std::string warning = starvation_warning(health, options_.epsilon);
    if (!warning.empty()) log_->warn_once(state_.step, warning);
    const std::string slow = slow_ranks(rank_seconds_, state_.step - step_at_last_log_);
    if (!slow.empty()) log_warning(slow);
  }
  state_.loss_sum = 0;
  state_.loss_count = 0;
  begin_interval();
}

// Speeds are of the time from here on.
void Trainer::begin_interval() {
  last_log_ = Clock::now();
  tokens_at_last_log_ = state_.num_tokens;
  step_at_last_log_ = state_.step;
  traffic_at_last_log_ = world_.traffic();
  std::ranges::fill(rank_seconds_, 0.0);
}

// What this rank sent since the last log line, and how long it waited for others.
Figures Trainer::rank_figures() {
  if (world_.is_alone()) return {};
  const World::Traffic now = world_.traffic();
  const auto num_steps = static_cast<double>(state_.step - step_at_last_log_);
  const double waited = now.seconds_waited - traffic_at_last_log_.seconds_waited;
  const auto sent = static_cast<double>(now.bytes_sent - traffic_at_last_log_.bytes_sent);
  return {{"ranks/bytes_sent_per_step", sent / num_steps, ""},
          {"ranks/share_of_time_waiting", waited / std::max(1e-9, seconds_since(last_log_)), ""}};
}

// The rate is measured at the first log line, outside the run's clock.
double Trainer::share_of_gemm_rate(double tokens_per_second) {
  if (model_.flops_per_token() == 0) return 0;
  if (gemm_rate_ == 0) {
    const Clock::time_point before = Clock::now();
    gemm_rate_ = measure_gemm_rate(device_, model_.precision());
    start_ += Clock::now() - before;
  }
  return tokens_per_second * model_.flops_per_token() / (gemm_rate_ * world_.size());
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
  if (world_.is_first()) model_.dump_batch(fault.batch).write(path);
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
  if (is_stopped()) return save();
  const double loss = validation_loss();
  if (is_stopped()) return save();
  Figures figures = measure();
  if (is_stopped()) return save();
  state_.is_evaluated = true;
  const bool is_best = take_result(loss, figures);
  report_.eval_losses.emplace_back(state_.step, loss);
  if (log_) log_->add_evaluation({state_.step, loss, is_best, figures});
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
  begin_interval();
}

// The figures of the model and of the yardsticks, which the first rank asks.
Figures Trainer::measure() {
  Figures figures = model_.validation_figures();
  succeed_together(world_, "the yardsticks", [&] {
    if (!world_.is_first()) return;
    try {
      for (Yardstick* yardstick : monitor_.yardsticks) {
        const Figures own = yardstick->measure();
        figures.insert(figures.end(), own.begin(), own.end());
      }
    } catch (const Interrupted&) {
      // The signal stays set: the evaluation is done again when the run goes on.
    }
  });
  return figures_of_first(world_, figures);
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
