// What is alive at the peak, in units of one float32 value. The letters: T codes, P visits, B
// patients, E = code_embed_dim, V = visit_embed_dim, H = hidden_dim, L = num_layers.
#include "sequela/encoders/progression/progression_memory.h"

#include <algorithm>

#include "sequela/encoders/progression/visit_batch.h"

namespace sequela {
namespace {

constexpr int64_t kBytes = 4;
// For a token of an LSTM: gates (4), cells and outputs are kept for the backward pass; that adds
// the gates' gradients (4), the outputs' and the states before each token.
constexpr int64_t kKeptPerUnit = 6;
constexpr int64_t kBackwardPerUnit = 6;
// Copies in bfloat16 of the gates' gradients and of a result.
constexpr int64_t kBf16PerUnit = 3;
constexpr int64_t kIndexBytesPerToken = 3 * 8;  // ids, places, reversed places
constexpr int64_t kMaskBytesPerToken = 3 + 8;   // masks, and the codes as they are given

struct Passes {
  int64_t kept = 0;      // from the forward to the backward pass
  int64_t backward = 0;  // on top of it while its own part runs backwards
};

Passes lstm(int64_t num_tokens, int64_t input, int64_t size, bool use_bf16) {
  const int64_t scratch = kBackwardPerUnit * size + input + (use_bf16 ? kBf16PerUnit * size : 0);
  return {num_tokens * (kKeptPerUnit * size + input), num_tokens * scratch};
}

// The LSTM over codes, in blocks where nothing or little of it is kept.
Passes over_codes(const ProgressionConfig& config, int64_t num_codes,
                  const ProgressionMemoryOptions& options) {
  const int64_t size = config.code_embed_dim;
  const bool is_blocked = !options.is_training || options.use_checkpoint;
  const int64_t block = std::min(num_codes, VisitForwardOptions().block_codes);
  Passes passes = lstm(is_blocked ? block : num_codes, size, size, options.use_bf16);
  const int64_t table = options.is_embedding_frozen ? 0 : config.vocab_size * size;
  passes.backward = std::max(passes.backward, table);
  if (is_blocked) return {0, passes.kept + (options.is_training ? passes.backward : 0)};
  return passes;
}

// All that follows, by visits: projection, LSTM layers with dropout between, heads.
Passes over_visits(const ProgressionConfig& config, int64_t num_visits,
                   const ProgressionMemoryOptions& options) {
  const int64_t hidden = config.hidden_dim;
  Passes total;
  total.kept = num_visits * (config.code_embed_dim + 3 * config.visit_embed_dim);
  int64_t input = config.visit_embed_dim + 2;
  for (int64_t layer = 0; layer < config.num_layers; ++layer) {
    const Passes passes = lstm(num_visits, input, hidden, options.use_bf16);
    // A layer's input is the output, masked, of the one before, and the mask.
    total.kept += passes.kept + (layer > 0 ? num_visits * hidden : 0);
    total.backward = std::max(total.backward, passes.backward);
    input = hidden;
  }
  total.kept +=
      num_visits * (3 * hidden + 4 * config.num_stages);  // in place again, dropout, heads
  return total;
}

}  // namespace

ProgressionMemory estimate_memory(const ProgressionConfig& config,
                                  const ProgressionBatchSize& batch,
                                  const ProgressionMemoryOptions& options) {
  const int64_t num_weights = config.num_parameters();
  const int64_t num_frozen =
      options.is_embedding_frozen ? config.vocab_size * config.code_embed_dim : 0;
  const Passes codes = over_codes(config, batch.num_codes, options);
  const Passes visits = over_visits(config, batch.num_visits, options);
  ProgressionMemory memory;
  memory.weights = kBytes * num_weights;
  const int64_t num_index_bytes = batch.num_codes * (kIndexBytesPerToken + kMaskBytesPerToken);
  if (!options.is_training) {
    // One layer at a time.
    const int64_t hidden = config.hidden_dim;
    const int64_t layer = batch.num_visits * (8 * hidden + 3 * config.visit_embed_dim);
    memory.activations = kBytes * std::max(codes.backward, layer) + num_index_bytes;
    return memory;
  }
  memory.gradients = kBytes * (num_weights - num_frozen);
  memory.optimizer = 2 * memory.gradients;
  memory.activations =
      num_index_bytes +
      kBytes * std::max(codes.kept + visits.kept + visits.backward,
                        codes.kept + codes.backward + batch.num_visits * config.code_embed_dim);
  return memory;
}

ProgressionBatchSize full_batch(const ProgressionPreset& preset) {
  const int64_t num_visits = preset.batch_size * preset.max_visits;
  return {preset.batch_size, num_visits, num_visits * preset.max_codes_per_visit};
}

}  // namespace sequela
