#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sequela {

struct HfName {
  std::string name;            // "bert.encoder.layer.0.attention.self.query.weight"
  bool is_transposed = false;  // TensorFlow's [in, out] kernel against Hugging Face's [out, in]
};

// The Hugging Face name of a variable of Google's BERT ("bert/encoder/layer_0/attention/self/query/
// kernel"); empty for an optimizer's slots and the step counter. Names without a counterpart map by
// the same rules. Source: transformers, load_tf_weights_in_bert.
std::optional<HfName> tf_to_hf_name(std::string_view tf_name);

}  // namespace sequela
