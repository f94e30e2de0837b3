#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "sequela/nn/parameters.h"

namespace sequela {

// A table of code embeddings, float32 [W, E], read off a model's folder (the tensor whose name ends
// in "word_embeddings.weight" or "concept_embeddings.weight"; a progression model's own
// "code_embeddings.weight"), or off a file that holds an extracted table (.safetensors, .pt, .npz):
// its only matrix, or the one with such a name. Untrusted. FileError that says what is missing.
at::Tensor read_embedding_table(const std::string& path);

// What to do with a table of other sizes than the model's.
enum class EmbeddingResize {
  fail,    // ConfigError that names both sizes
  resize,  // rows: the model's vocabulary becomes the table's; columns always must fit
};

// Puts a table into "encoder.code_embeddings.weight" of `parameters`. The padding row 0 becomes
// zero, whatever the table holds there. With `resize` the parameter gets the table's number of
// rows; returns that number.
int64_t load_pretrained_embeddings(Parameters& parameters, const at::Tensor& table_WE,
                                   EmbeddingResize resize = EmbeddingResize::fail);

// The table times one number, so that its values have the mean square 1 of a random start, N(0, 1);
// a table of zeros stays. A table of BERT's is some 20 times smaller, and an LSTM fed with it
// hardly leaves its start in the few steps that few labels allow.
at::Tensor scale_like_random_start(const at::Tensor& table_WE);

}  // namespace sequela
