#include "sequela/train/step_batches.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/stopwatch.h"
#include "sequela/train/evaluate.h"

namespace sequela {
namespace {

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

StepBatches::StepBatches(Trainable& model, const TrainOptions& options, GradientSums& sums,
                         StepJournal& journal, TrainState& state, World& world)
    : model_(model),
      options_(options),
      sums_(sums),
      journal_(journal),
      state_(state),
      world_(world) {}

void StepBatches::drop() {
  sums_.drop();
  numbers_.drop_batches();
  part_losses_.clear();
  part_ = {};
  state_.drop_step();
}

void StepBatches::take_less_memory(const std::exception& error) {
  const std::string done = model_.take_less_memory();
  if (done.empty()) throw;
  log_warning(str("the device's memory does not suffice (", first_line(error.what()), "): ", done));
  drop();
}

void StepBatches::run(const StepShare& share, BatchPass& pass) {
  const Stopwatch watch;
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
  part_.seconds = watch.seconds();
}

void StepBatches::add_to_step(const BatchLoss& loss, int64_t batch_index) {
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

bool StepBatches::meet(const StepShare& share) {
  if (world_.is_alone()) {
    part_ = {};
    return state_.micro_batch == share.num_batches;
  }
  for (const at::Tensor& loss : part_losses_) part_.losses.push_back(loss.item<double>());
  part_losses_.clear();
  const std::vector<StepPart> parts =
      exchange_parts(world_, std::exchange(part_, {}), share.most_batches);
  const bool is_broken_off = std::ranges::any_of(parts, &StepPart::is_stopped);
  is_broken_off ? drop() : take_parts(parts);
  return !is_broken_off;
}

void StepBatches::take_parts(const std::vector<StepPart>& parts) {
  for (size_t rank = 0; rank < parts.size(); ++rank) {
    const StepPart& part = parts[rank];
    for (size_t i = 0; i < part.losses.size(); ++i)
      numbers_.add_batch(part.batches[i], at::scalar_tensor(part.losses[i], at::kDouble));
    state_.num_events += part.num_events;
    state_.num_tokens += part.num_tokens;
    journal_.add_seconds(rank, part.seconds);
  }
}

double StepBatches::read_numbers() {
  const StepNumbers::Read read = numbers_.read(state_.step);
  if (read.fault) dump_and_throw(*read.fault);
  state_.loss_sum += read.loss_sum;
  state_.loss_count += read.num_losses;
  state_.loss_sum_before += read.ended_loss_sum;
  state_.loss_count_before += read.num_ended_losses;
  return read.norm;
}

void StepBatches::dump_and_throw(const StepNumbers::Fault& fault) {
  const std::string path = options_.folder + "/non_finite.safetensors";
  if (world_.is_first()) model_.dump_batch(fault.batch).write(path);
  throw DataError({},
                  str("the ", fault.what, " is not finite at step ", fault.step,
                      " (training batch ", fault.batch, "); its tensors are in ", path),
                  kDivergenceFix);
}

}  // namespace sequela
