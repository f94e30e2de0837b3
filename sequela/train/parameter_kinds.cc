#include "sequela/train/parameter_kinds.h"

#include <ATen/ATen.h>

#include <optional>
#include <string>
#include <utility>

#include "sequela/model/classifier.h"

namespace sequela {
namespace {

// "transformer.layers.7.input_proj.weight" -> 7.
int64_t layer_of(const std::string& name) {
  const std::string prefix = "transformer.layers.";
  return std::stoll(name.substr(prefix.size()));
}

// The parts of a model's parameters, one for each linear map (parameter_layout.cc).
class Parts {
 public:
  Parts(const ModelConfig& config, const Parameters& parameters)
      : config_(config), parameters_(parameters) {}

  std::vector<ParameterPart> build() {
    for (index_ = 0; index_ < parameters_.items.size(); ++index_) add_parameter();
    return std::move(parts_);
  }

 private:
  void add_parameter() {
    const int64_t rows = value().size(0);
    if (has("norm.weight")) {
      add("norms", 0, 0, rows, false);
    } else if (has("transformer.embed")) {
      add("embedding", 0, 0, rows, false);
    } else if (has("hawk_module")) {
      add("hawk", 0, 0, rows, is_flat() && has("linear_"));
    } else if (name().starts_with(Classifier::kPrefix)) {
      add("head", 0, 0, rows, false);
    } else if (has(".lora_")) {
      add("low_rank", 0, 0, rows, false);
    } else if (has("final_layer") && config_.motor) {
      add_rows("head", 0, config_.motor->final_layer_size);
    } else if (has("task_model")) {
      add("head", 0, 0, rows, is_flat());
    } else {
      add_projection();
    }
  }

  // input_proj gives [ff | q | k | v], ff twice with a gate; output_proj takes [mixer | ff].
  void add_projection() {
    const EncoderConfig& encoder = config_.encoder;
    const int64_t hidden = encoder.hidden_size;
    if (has("input_proj")) {
      add_rows("feed_forward", 0, encoder.intermediate_size, encoder.ff_columns());
      add_rows("attention", encoder.ff_columns(), hidden);
    } else if (is_flat()) {
      const bool is_hawk = encoder.is_hawk_layer(layer_of(name()));
      add(is_hawk ? "hawk" : "attention", 1, 0, hidden, true);
      add("feed_forward", 1, hidden, value().size(1) - hidden, true);
    } else {
      add("feed_forward", 0, 0, value().size(0), false);
    }
  }

  // Rows from `start` to `end`, or the last one, as maps of `length` rows each.
  void add_rows(const char* kind, int64_t start, int64_t length,
                std::optional<int64_t> end = std::nullopt) {
    for (; start < end.value_or(value().size(0)); start += length)
      add(kind, 0, start, length, is_flat());
  }

  void add(const char* kind, int64_t dimension, int64_t start, int64_t length, bool is_matrix) {
    parts_.push_back({kind, index_, dimension, start, length, is_matrix});
  }

  const std::string& name() const { return parameters_.items[index_].name; }
  const at::Tensor& value() const { return parameters_.items[index_].value; }
  bool has(const char* text) const { return name().find(text) != std::string::npos; }
  bool is_flat() const { return value().dim() == 2; }

  const ModelConfig& config_;
  const Parameters& parameters_;
  std::vector<ParameterPart> parts_;
  size_t index_ = 0;
};

}  // namespace

std::vector<ParameterPart> kinds_of(const ModelConfig& config, const Parameters& parameters) {
  return Parts(config, parameters).build();
}

}  // namespace sequela
