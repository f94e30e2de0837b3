#pragma once

#include <span>
#include <vector>

#include "sequela/distributed/world.h"
#include "sequela/features/embedder.h"

namespace sequela {

// What embed() needs and gives (features/embedder.h). Refers to all.
struct EmbedJob {
  Motor& model;
  const EventStore& store;
  const EventTokenizer& tokenizer;
  const AgeStats& age_stats;
  std::span<const Label> labels;
  EmbedOptions options;
  int64_t width = 0;  // of an embedding
  float* embeddings_nd = nullptr;
  int64_t* feature_seconds_n = nullptr;
  LabelState* states_n = nullptr;
};

// As embed(), on several ranks: each embeds the labels of its own subjects, and the first one has
// all in the end, in the order of the labels; the arrays of the others are not filled. All return
// the report of all. A failure of one is everybody's.
EmbedReport embed_on_ranks(World& world, const EmbedJob& job);

// The indices of a rank's labels, ascending: those of a run of neighbours among all subjects.
std::vector<int64_t> labels_of_rank(std::span<const Label> labels, int rank, int num_ranks);

}  // namespace sequela
