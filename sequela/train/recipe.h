#pragma once

#include <cstdint>
#include <string>

#include "sequela/train/train_options.h"

namespace sequela {

// How a MOTOR model is trained unless told otherwise: every number of a recipe stands in one table
// (recipe.cc).
//   femr     the published recipe, femr 0.2.4's numbers
//   sequela  this product's own; equal to femr's where measurement says nothing else
enum class Recipe { femr, sequela };

Recipe to_recipe(const std::string& text);  // ConfigError
const char* to_text(Recipe recipe);

// Sets all numbers that the recipe decides; folder, seed, max_steps and the like stay.
void apply_recipe(Recipe recipe, TrainOptions& options);

// Standard deviation of the fresh embeddings of tokens.
double embedding_std(Recipe recipe);

// A size by name: the encoder's shape with the learning rate and the number of batches (of some
// 8,192 tokens, as prepare makes them unless told otherwise) per step that suit it.
struct ModelSize {
  const char* name;
  int64_t layers;
  int64_t hidden;
  int64_t heads;
  int64_t intermediate;
  double learning_rate;
  int64_t accumulate;
};

const ModelSize& find_model_size(const std::string& name);  // tiny, small, base; ConfigError

}  // namespace sequela
