#include <charconv>
#include <system_error>

#include "sequela/core/error.h"
#include "sequela/pipeline/pretrain.h"

namespace sequela {

void PretrainOptions::validate() const {
  if (data.empty()) throw ConfigError("data", "", "the folder that `sequela prepare` made");
  if (out.empty()) throw ConfigError("out", "", "a folder for checkpoints and logs");
  if (model.empty()) throw ConfigError("model", "", "a folder for the bundle");
  train.validate();
  if (!(embedding_std > 0 && embedding_std <= 10)) {
    throw ConfigError("embedding-std", str(embedding_std), "above 0, at most 10");
  }
  to_device(device);
  if (tokens_per_pass && *tokens_per_pass < 1)
    throw ConfigError("tokens-per-pass", str(*tokens_per_pass), "1 or more, or auto");
  if (probe_labels < 2) throw ConfigError("probe-labels", str(probe_labels), "2 or more");
  if (probes.empty() != meds.empty()) {
    throw ConfigError("--probe and --meds belong together. Fix: give both or neither.");
  }
  if (probes.empty() && (with_recall || select == Selection::probe)) {
    throw ConfigError("--recall and --select probe need labels. Fix: give --probe and --meds.");
  }
}

Selection to_selection(const std::string& text) {
  if (text == "loss") return Selection::loss;
  if (text == "probe") return Selection::probe;
  throw ConfigError("select", text, "loss or probe");
}

std::optional<int64_t> to_tokens_per_pass(const std::string& text) {
  if (text == "auto") return std::nullopt;
  int64_t tokens = 0;
  const char* end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, tokens);
  if (fault != std::errc() || rest != end)
    throw ConfigError("tokens-per-pass", text, "1 or more, or auto");
  return tokens;
}

void apply_recipe(Recipe recipe, PretrainOptions& options) {
  apply_recipe(recipe, options.train);
  options.embedding_std = embedding_std(recipe);
}

void apply_size(const std::string& size, PretrainOptions& options) {
  const ModelSize& values = find_model_size(size);
  options.encoder.n_layers = values.layers;
  options.encoder.hidden_size = values.hidden;
  options.encoder.n_heads = values.heads;
  options.encoder.intermediate_size = values.intermediate;
  options.train.learning_rate = values.learning_rate;
  options.train.accumulate = values.accumulate;
}

}  // namespace sequela
