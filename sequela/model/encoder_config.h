#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sequela {

// What a layer's normed input carries of time: the last columns are overwritten.
enum class TimeColumns {
  time_data,       // hawk layers: time_data (5); attention layers: time_data and its squares (10)
  normalized_age,  // femr 0.2.0-0.2.3: the normalized age and its square (2)
};

// transformer_config of a femr bundle's config.json.
struct EncoderConfig {
  int64_t vocab_size = 16'384;
  bool is_hierarchical = true;
  int64_t hidden_size = 768;
  int64_t intermediate_size = 3'072;
  int64_t n_heads = 12;
  int64_t n_layers = 12;
  int64_t attention_width = 496;  // a token attends to this many, itself included
  bool use_normed_ages = true;
  bool use_bias = false;
  std::string hidden_act = "swiglu";  // or "gelu"

  // Not in the file: read off the weights (model_dir.h), as femr's versions differ.
  bool has_hawk = true;  // even layers are hawk
  TimeColumns time_columns = TimeColumns::time_data;

  int64_t head_size() const { return hidden_size / n_heads; }
  bool is_hawk_layer(int64_t layer) const { return has_hawk && layer % 2 == 0; }
  // Columns of the feed-forward part of input_proj's output.
  int64_t ff_columns() const { return (hidden_act == "swiglu" ? 2 : 1) * intermediate_size; }

  // Throws FileError naming `path` and the field: sizes positive and bounded, hidden divisible by
  // heads, ...
  void validate(const std::string& path) const;
};

// task_config of task type "motor".
struct MotorHeadConfig {
  struct Task {
    std::string code;
    double rate = 0;  // events per second, > 0
    int64_t n_censored = 0;
    int64_t n_events = 0;
    double mean_time = 0;  // seconds
  };
  std::vector<Task> tasks;
  std::vector<double> time_bins;  // seconds, bins + 1 edges, 0 to +inf
  int64_t final_layer_size = 512;

  // Not in the file: read off the weights; femr before 0.2.4 had neither norm nor task_time_bias.
  bool has_norm = true;
  bool has_time_bias = true;

  int64_t num_bins() const { return static_cast<int64_t>(time_bins.size()) - 1; }
  int64_t num_tasks() const { return static_cast<int64_t>(tasks.size()); }

  void validate(const std::string& path) const;  // as above
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
