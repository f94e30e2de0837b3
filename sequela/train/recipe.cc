#include "sequela/train/recipe.h"

#include <array>
#include <stdexcept>

#include "sequela/core/error.h"

namespace sequela {
namespace {

struct RecipeValues {
  Recipe recipe;
  const char* name;
  double learning_rate;
  Schedule schedule;
  LossScale loss_scale;
  OptimizerKind optimizer;
  double muon_scale;
  double muon_momentum;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  double max_gradient_norm;
  int64_t warmup_steps;
  int64_t epochs;
  int64_t accumulate;
  int64_t eval_every;
  int64_t patience;
  double embedding_std;
};

constexpr std::array kRecipes = {
    RecipeValues{.recipe = Recipe::femr,
                 .name = "femr",
                 .learning_rate = 1e-4,
                 .schedule = Schedule::linear,
                 .loss_scale = LossScale::mean,
                 .optimizer = OptimizerKind::adamw,
                 .muon_scale = 4,
                 .muon_momentum = 0.9,
                 .beta1 = 0.9,
                 .beta2 = 0.95,
                 .epsilon = 1e-8,
                 .weight_decay = 0.1,
                 .max_gradient_norm = 1.0,
                 .warmup_steps = 500,
                 .epochs = 30,
                 .accumulate = 32,
                 .eval_every = 500,
                 .patience = 5,
                 .embedding_std = 1},
    RecipeValues{.recipe = Recipe::sequela,
                 .name = "sequela",
                 .learning_rate = 1e-4,
                 .schedule = Schedule::linear,
                 .loss_scale = LossScale::mean,
                 .optimizer = OptimizerKind::muon,
                 .muon_scale = 4,
                 .muon_momentum = 0.9,
                 .beta1 = 0.9,
                 .beta2 = 0.95,
                 .epsilon = 1e-12,
                 .weight_decay = 0.1,
                 .max_gradient_norm = 1.0,
                 .warmup_steps = 500,
                 .epochs = 30,
                 .accumulate = 32,
                 .eval_every = 500,
                 .patience = 5,
                 .embedding_std = 0.02},
};

constexpr std::array kSizes = {
    ModelSize{"tiny", 2, 128, 2, 512, 2e-3, 1},
    ModelSize{"small", 4, 256, 4, 1'024, 1e-3, 1},
    ModelSize{"base", 12, 768, 12, 3'072, 1e-4, 32},
};

const RecipeValues& values_of(Recipe recipe) {
  for (const RecipeValues& values : kRecipes) {
    if (values.recipe == recipe) return values;
  }
  throw std::invalid_argument("no such recipe");
}

}  // namespace

Recipe to_recipe(const std::string& text) {
  for (const RecipeValues& values : kRecipes) {
    if (text == values.name) return values.recipe;
  }
  throw ConfigError("recipe", text, "femr or sequela");
}

const char* to_text(Recipe recipe) {
  return values_of(recipe).name;
}

void apply_recipe(Recipe recipe, TrainOptions& options) {
  const RecipeValues& values = values_of(recipe);
  options.learning_rate = values.learning_rate;
  options.schedule = values.schedule;
  options.loss_scale = values.loss_scale;
  options.optimizer = values.optimizer;
  options.muon_scale = values.muon_scale;
  options.muon_momentum = values.muon_momentum;
  options.beta1 = values.beta1;
  options.beta2 = values.beta2;
  options.epsilon = values.epsilon;
  options.weight_decay = values.weight_decay;
  options.max_gradient_norm = values.max_gradient_norm;
  options.warmup_steps = values.warmup_steps;
  options.epochs = values.epochs;
  options.accumulate = values.accumulate;
  options.eval_every = values.eval_every;
  options.patience = values.patience;
}

double embedding_std(Recipe recipe) {
  return values_of(recipe).embedding_std;
}

const ModelSize& find_model_size(const std::string& name) {
  for (const ModelSize& size : kSizes) {
    if (name == size.name) return size;
  }
  throw ConfigError("size", name, "tiny, small or base");
}

}  // namespace sequela
