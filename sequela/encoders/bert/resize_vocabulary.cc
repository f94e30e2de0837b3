#include "sequela/encoders/bert/resize_vocabulary.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/encoders/bert/bert_weights.h"

namespace sequela {
namespace {

void fill_random(at::Tensor row_H, const BertConfig& config, uint64_t key) {
  Random random(key);
  for (int64_t i = 0; i < row_H.numel(); ++i) {
    row_H[i] = random.normal() * config.initializer_range;
  }
}

at::Tensor neighbour_mean(const at::Tensor& table_VH, const std::vector<int64_t>& neighbours) {
  for (const int64_t id : neighbours) {
    if (id < 0 || id >= table_VH.size(0)) {
      throw DataError(
          {}, str("neighbour ", id, " of a new code is outside 0 to ", table_VH.size(0) - 1),
          "name codes of the old vocabulary only");
    }
  }
  return table_VH.index_select(0, at::tensor(neighbours, at::kLong)).mean(0);
}

// The table with rows added or cut; its gradient setting kept.
at::Tensor resized_embeddings(const BertConfig& config, const at::Tensor& old_VH, int64_t new_size,
                              const ResizeOptions& options, ResizeReport& report) {
  const int64_t old_size = old_VH.size(0), kept = std::min(old_size, new_size);
  at::Tensor table = at::empty({new_size, old_VH.size(1)}, old_VH.options());
  table.narrow(0, 0, kept).copy_(old_VH.narrow(0, 0, kept));
  const at::Tensor mean_H = old_VH.mean(0);
  for (int64_t row = old_size; row < new_size; ++row) {
    const auto added = static_cast<size_t>(row - old_size);
    if (options.init == NewCodeInit::random) {
      fill_random(table[row], config, hash_key(options.seed, added));
      ++report.num_random;
    } else if (options.init == NewCodeInit::neighbours && added < options.neighbours.size() &&
               !options.neighbours[added].empty()) {
      table[row].copy_(neighbour_mean(old_VH, options.neighbours[added]));
      ++report.num_from_neighbours;
    } else {
      table[row].copy_(mean_H);
      ++report.num_from_mean;
    }
  }
  return table;
}

}  // namespace

ResizeReport resize_vocabulary(BertConfig& config, NamedTensors& weights, int64_t new_size,
                               const ResizeOptions& options) {
  BertConfig new_config = config;
  new_config.vocab_size = new_size;
  new_config.validate();
  ResizeReport report{.old_size = config.vocab_size, .new_size = new_size};

  at::Tensor& words = weights.at(word_embeddings_name(config));
  const at::Tensor table = resized_embeddings(config, words.detach(), new_size, options, report);
  words = table.set_requires_grad(words.requires_grad());

  const auto found = weights.find("cls.predictions.bias");
  if (found != weights.end()) {
    at::Tensor& bias = found->second;
    const int64_t kept = std::min(config.vocab_size, new_size);
    at::Tensor resized = at::empty({new_size}, bias.options());
    resized.fill_(bias.detach().mean());
    resized.narrow(0, 0, kept).copy_(bias.detach().narrow(0, 0, kept));
    bias = resized.set_requires_grad(bias.requires_grad());
  }
  config = new_config;
  return report;
}

}  // namespace sequela
