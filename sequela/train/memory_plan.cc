#include "sequela/train/memory_plan.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <functional>

#include "sequela/model/parameter_layout.h"
#include "sequela/train/muon.h"
#include "sequela/train/parameter_kinds.h"
#include "sequela/train/sharding.h"
#include "sequela/train/step_lanes.h"

namespace sequela {
namespace {

constexpr int64_t kFloat = 4;

// Bytes a token: of what a layer keeps for its backward pass, and of what all layers use in turn
// (model/encoder_layer.h).
//   H = hidden size, F = intermediate size, N = columns of the input projection
struct LayerBytes {
  int64_t kept = 0;
  int64_t scratch = 0;
};

LayerBytes bytes_of_layer(const EncoderConfig& config, int64_t layer, int64_t type) {
  const int64_t hidden = config.hidden_size, output = hidden + config.intermediate_size;
  const bool is_hawk = config.is_hawk_layer(layer);
  const int64_t columns = config.ff_columns() + (is_hawk ? 2 : 3) * hidden;
  LayerBytes bytes;
  bytes.kept = kFloat + type * (columns + hidden);                  // inverse_rms, projected, mixed
  bytes.kept += is_hawk ? type * hidden : kFloat * config.n_heads;  // gated, or logsumexp
  // normed, branch, grad_gated, grad_normed; combined and grad_projected with their gradients
  bytes.scratch = type * (4 * hidden + 2 * output + columns);
  return bytes;
}

int64_t bytes_per_token(const ModelConfig& config, const MemoryPlanOptions& options) {
  const EncoderConfig& encoder = config.encoder;
  const int64_t type = options.precision == Precision::bf16 ? 2 : kFloat;
  int64_t kept = 0, scratch = 0, most = 0;
  for (int64_t layer = 0; layer < encoder.n_layers; ++layer) {
    const LayerBytes bytes = bytes_of_layer(encoder, layer, type);
    kept += bytes.kept;
    most = std::max(most, bytes.kept);
    scratch = std::max(scratch, bytes.scratch);
  }
  if (options.activations == Activations::recomputed) kept = most;
  // The residual stream before each layer and after the last, and the embedded tokens; the copies
  // of its gradient; the hidden states with theirs.
  const int64_t residual = encoder.hidden_size * (kFloat * (encoder.n_layers + 2) + 3 * type);
  int64_t head = 0;
  if (config.motor) {
    const int64_t width = config.motor->num_bins() * config.motor->final_layer_size;
    // projected, normed and their gradients; unnormed and its gradient in float32
    const auto labelled =
        static_cast<double>(width * (4 * type + 2 * kFloat) + 2 * type * encoder.hidden_size);
    head = static_cast<int64_t>(options.labelled_share * labelled);
  }
  return kept + scratch + residual + kFloat * encoder.head_size() + head;
}

// Sums that wait at the same time on the rank with most lanes.
int64_t num_waiting(const TrainOptions& train, int num_ranks) {
  const int64_t lanes = num_lanes_of(train.accumulate, train.lanes, num_ranks);
  const auto own = static_cast<uint64_t>((lanes + num_ranks - 1) / num_ranks);
  return std::bit_width(own) - 1;
}

// A name with a number for each column.
std::string row(const char* name, const std::vector<MemoryPlan>& plans,
                const std::function<double(const MemoryPlan&)>& number, int num_decimals) {
  char cell[64];
  std::snprintf(cell, sizeof(cell), "%-26s", name);
  std::string line = cell;
  for (const MemoryPlan& plan : plans) {
    std::snprintf(cell, sizeof(cell), " %9.*f", num_decimals, number(plan));
    line += cell;
  }
  return line;
}

}  // namespace

int64_t MemoryPlan::total() const {
  return weights + gradients + lane_sums + exchange + optimizer + activations;
}

int64_t MemoryPlan::largest_batch(int64_t bytes) const {
  return std::max<int64_t>(0, bytes - (total() - activations)) / per_token;
}

MemoryPlan plan_memory(const ModelConfig& config, const TrainOptions& train,
                       const MemoryPlanOptions& options) {
  Parameters shapes = allocate_parameters(parameter_layout(config), at::kMeta);
  std::vector<bool> is_whole(shapes.items.size());
  if (train.optimizer == OptimizerKind::muon)
    is_whole = muon_parameters(kinds_of(config, shapes), shapes.items.size());
  const Sharding sharding(shapes, is_whole, options.num_ranks);
  const int64_t values = shapes.flat_values.numel();
  MemoryPlan plan;
  plan.weights = values * (options.precision == Precision::bf16 ? kFloat + 2 : kFloat);
  plan.gradients = values * kFloat;
  plan.lane_sums = num_waiting(train, options.num_ranks) * values * kFloat;
  for (int rank = 0; rank < options.num_ranks; ++rank) {
    int64_t moments = 0;
    for (const Piece& piece : sharding.pieces_of(rank))
      moments += piece.length * kFloat * (is_whole[piece.parameter] ? 1 : 2);
    plan.optimizer = std::max(plan.optimizer, moments);
  }
  if (options.num_ranks > 1) {
    int64_t largest = 0;
    for (const std::vector<Piece>& bucket : sharding.buckets()) {
      int64_t size = 0;
      for (const Piece& piece : bucket) size += piece.length;
      largest = std::max(largest, size);
    }
    plan.exchange = 4 * largest * kFloat;  // two buckets, each as sent and as received
  }
  plan.per_token = bytes_per_token(config, options);
  plan.activations = plan.per_token * options.tokens_per_batch;
  return plan;
}

std::vector<std::string> memory_table(const ModelConfig& config, const TrainOptions& train,
                                      MemoryPlanOptions options, const std::vector<int>& ranks,
                                      int64_t available_bytes) {
  std::vector<MemoryPlan> plans;
  std::string header = "GiB of a rank, with ranks  ";
  for (const int num_ranks : ranks) {
    options.num_ranks = num_ranks;
    plans.push_back(plan_memory(config, train, options));
    char cell[32];
    std::snprintf(cell, sizeof(cell), "%9d ", num_ranks);
    header += cell;
  }
  header.pop_back();
  const auto gib = [&](const char* name, auto bytes) {
    return row(
        name, plans,
        [&](const MemoryPlan& plan) {
          return static_cast<double>(bytes(plan)) / static_cast<double>(int64_t{1} << 30);
        },
        2);
  };
  using Plan = const MemoryPlan&;
  return {
      header,
      gib("weights", [](Plan plan) { return plan.weights; }),
      gib("gradients", [](Plan plan) { return plan.gradients; }),
      gib("sums of lanes", [](Plan plan) { return plan.lane_sums; }),
      gib("gradients on their way", [](Plan plan) { return plan.exchange; }),
      gib("optimizer", [](Plan plan) { return plan.optimizer; }),
      gib("activations of a batch", [](Plan plan) { return plan.activations; }),
      gib("all", [](Plan plan) { return plan.total(); }),
      gib("available", [&](Plan) { return available_bytes; }),
      row(
          "largest batch, tokens", plans,
          [&](Plan plan) { return static_cast<double>(plan.largest_batch(available_bytes)); }, 0)};
}

}  // namespace sequela
