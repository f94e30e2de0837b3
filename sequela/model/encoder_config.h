#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sequela {

// transformer_config and task_config of a femr bundle's config.json.
struct EncoderConfig {
  int64_t vocab_size = 16'384;
  bool is_hierarchical = true;
  int64_t hidden_size = 768;
  int64_t intermediate_size = 3'072;
  int64_t n_heads = 12;
  int64_t n_layers = 12;
  int64_t attention_width = 496;   // a token attends to this many, itself included
  bool use_normed_ages = true;
  bool use_bias = false;
  std::string hidden_act = "swiglu";  // or "gelu"
  bool has_hawk = true;            // even layers are hawk; read off the weights, not stored in the file
  bool has_rotary_ages = true;

  // Throws FileError naming `path` and the field: sizes positive and bounded, hidden divisible by heads, ...
  void validate(const std::string& path) const;
};

struct MotorHeadConfig {
  struct Task {
    std::string code;
    double rate = 0;
    int64_t n_censored = 0;
    int64_t n_events = 0;
    double mean_time = 0;  // seconds
  };
  std::vector<Task> tasks;
  std::vector<double> time_bins;  // seconds, bins + 1 edges
  int64_t final_layer_size = 512;
};

struct ModelConfig {
  EncoderConfig encoder;
  std::optional<MotorHeadConfig> motor;  // task_type "motor"
  int64_t clmbr_vocab_size = 0;          // task_type "clmbr"
};

// config.json as femr reads and writes it. Untrusted: every size is checked. FileError.
ModelConfig read_model_config(const std::string& path);
std::string to_config_json(const ModelConfig& config);

}  // namespace sequela
