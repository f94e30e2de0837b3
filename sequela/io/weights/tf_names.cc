#include "sequela/io/weights/tf_names.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace sequela {
namespace {

constexpr std::string_view kNotWeights[] = {"adam_v", "adam_m", "AdamWeightDecayOptimizer",
                                            "AdamWeightDecayOptimizer_1", "global_step"};

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

// "layer_11" as "layer.11"; other parts as they are.
std::string split_number(std::string_view part) {
  const size_t bar = part.find('_');
  const bool has_number = bar != std::string_view::npos && bar > 0 && bar + 1 < part.size() &&
                          std::all_of(part.begin(), part.begin() + bar, is_letter) &&
                          std::all_of(part.begin() + bar + 1, part.end(), is_digit);
  std::string text(part);
  if (has_number) text[bar] = '.';
  return text;
}

std::string to_hf_part(std::string_view part) {
  if (part == "kernel" || part == "gamma" || part == "output_weights") return "weight";
  if (part == "beta" || part == "output_bias") return "bias";
  if (part == "squad") return "classifier";
  return split_number(part);
}

}  // namespace

std::optional<HfName> tf_to_hf_name(std::string_view tf_name) {
  HfName result;
  std::string_view last;
  size_t start = 0;
  while (start <= tf_name.size()) {
    const size_t end = std::min(tf_name.find('/', start), tf_name.size());
    last = tf_name.substr(start, end - start);
    start = end + 1;
    if (std::find(std::begin(kNotWeights), std::end(kNotWeights), last) != std::end(kNotWeights)) {
      return std::nullopt;
    }
    if (!result.name.empty()) result.name += '.';
    result.name += to_hf_part(last);
  }
  result.is_transposed = last == "kernel";
  if (last.ends_with("_embeddings")) result.name += ".weight";
  return result;
}

}  // namespace sequela
