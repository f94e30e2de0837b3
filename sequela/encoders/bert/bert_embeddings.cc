#include "sequela/encoders/bert/bert_embeddings.h"

#include <ATen/ATen.h>

#include <stdexcept>
#include <string>

#include "sequela/core/error.h"

namespace sequela {
namespace {

const std::string kBert = "bert.embeddings.";
const std::string kCehr = "bert.cehr_bert_embeddings.";

void check_field(const at::Tensor& tensor, const char* name, at::ScalarType type, int64_t tokens) {
  if (!tensor.defined()) return;
  if (tensor.dim() != 1 || tensor.size(0) != tokens || tensor.scalar_type() != type) {
    throw std::invalid_argument(
        sequela::str("BertInput: ", name, " must be ", at::toString(type), " [", tokens, "], not ",
                     at::toString(tensor.scalar_type()), " ", tensor.sizes()));
  }
}

// All values in [0, size)?
void check_range(const at::Tensor& values, const char* what, int64_t size, const char* fix) {
  if (!values.defined() || values.numel() == 0) return;
  const auto [low, high] = at::aminmax(values);
  const int64_t lowest = low.item<int64_t>(), highest = high.item<int64_t>();
  if (lowest >= 0 && highest < size) return;
  throw DataError({}, str(what, " ", lowest < 0 ? lowest : highest, " is outside 0 to ", size - 1),
                  fix);
}

// 0, 1, 2, ... within each sequence.
at::Tensor count_positions(const at::Tensor& lengths_S) {
  const at::Tensor starts_S = lengths_S.cumsum(0) - lengths_S;
  return at::arange(lengths_S.sum().item<int64_t>(), at::kLong) -
         at::repeat_interleave(starts_S, lengths_S);
}

at::Tensor embed_bert(const BertConfig& config, const NamedTensors& weights,
                      const BertInput& input) {
  const auto table = [&](const char* name) {
    return get_tensor(weights, kBert + name + ".weight");
  };
  const at::Tensor words_TH =
      at::embedding(table("word_embeddings"), input.ids_T, config.pad_token_id);
  const at::Tensor types = table("token_type_embeddings");
  const at::Tensor positions =
      input.positions_T.defined()
          ? input.positions_T
          : count_positions(input.lengths_S.to(at::kCPU)).to(input.ids_T.device());
  const at::Tensor types_TH =
      input.segments_T.defined() ? at::embedding(types, input.segments_T) : types[0].unsqueeze(0);
  return words_TH + types_TH + at::embedding(table("position_embeddings"), positions);
}

// sin(x / scale * w + phi), [T, E]
at::Tensor embed_time(const NamedTensors& weights, const std::string& name, const at::Tensor& x_T,
                      double scale) {
  return at::sin((x_T / scale).unsqueeze(1) * get_tensor(weights, kCehr + name + ".w") +
                 get_tensor(weights, kCehr + name + ".phi"));
}

// Codes that carry a value are merged with it.
at::Tensor merge_values(const NamedTensors& weights, const BertInput& input,
                        const at::Tensor& codes_TH) {
  if (!input.values_T.defined() || !input.value_mask_T.defined()) return codes_TH;
  const std::string name =
      kCehr + "concept_value_transformation_layer.merge_value_transformation_layer";
  const at::Tensor places = at::nonzero(input.value_mask_T).squeeze(1);
  const at::Tensor values = input.values_T.index_select(0, places).clamp(-10, 10).unsqueeze(1);
  const at::Tensor merged = at::gelu(
      at::linear(at::cat({codes_TH.index_select(0, places), values}, 1),
                 get_tensor(weights, name + ".weight"), get_tensor(weights, name + ".bias")),
      "tanh");
  return codes_TH.index_copy(0, places, merged);
}

at::Tensor embed_cehr_bert(const BertConfig& config, const NamedTensors& weights,
                           const BertInput& input) {
  const at::Tensor codes_TH = merge_values(
      weights, input,
      at::embedding(get_tensor(weights, kCehr + "concept_embeddings.weight"), input.ids_T));
  const int64_t tokens = input.num_tokens();
  const auto or_zero = [&](const at::Tensor& x_T, at::ScalarType type) {
    return x_T.defined() ? x_T : at::zeros({tokens}, input.ids_T.options().dtype(type));
  };
  const at::Tensor positions =
      or_zero(input.positions_T, at::kLong).clamp(0, config.num_positions() - 1);
  const at::Tensor joined = at::cat(
      {codes_TH,
       embed_time(weights, "time_embedding_layer", or_zero(input.dates_T, at::kFloat),
                  config.time_embedding_scaling_factor),
       embed_time(weights, "age_embedding_layer", or_zero(input.ages_T, at::kFloat),
                  config.age_embedding_scaling_factor),
       at::embedding(get_tensor(weights, kCehr + "positional_embedding_layer.pe"), positions)},
      1);
  const at::Tensor projected =
      at::gelu(at::linear(joined, get_tensor(weights, kCehr + "linear_proj.weight"),
                          get_tensor(weights, kCehr + "linear_proj.bias")),
               "tanh");
  const at::Tensor segments =
      input.segments_T.defined() ? input.segments_T : at::ones({tokens}, input.ids_T.options());
  return projected +
         at::embedding(get_tensor(weights, kCehr + "visit_segment_embeddings.weight"), segments);
}

}  // namespace

void check_bert_input(const BertConfig& config, const BertInput& input) {
  if (!input.ids_T.defined() || !input.lengths_S.defined()) {
    throw std::invalid_argument("BertInput: ids and lengths must be given");
  }
  const int64_t tokens = input.ids_T.numel();
  check_field(input.ids_T, "ids", at::kLong, tokens);
  check_field(input.lengths_S, "lengths", at::kLong, input.lengths_S.numel());
  if (input.lengths_S.sum().item<int64_t>() != tokens) {
    throw std::invalid_argument("BertInput: the lengths do not add up to the number of ids");
  }
  check_field(input.positions_T, "positions", at::kLong, tokens);
  check_field(input.segments_T, "segments", at::kLong, tokens);
  check_field(input.ages_T, "ages", at::kFloat, tokens);
  check_field(input.dates_T, "dates", at::kFloat, tokens);
  check_field(input.values_T, "values", at::kFloat, tokens);
  check_field(input.value_mask_T, "value mask", at::kBool, tokens);

  check_range(input.ids_T, "code id", config.vocab_size,
              "map codes with the model's own vocabulary, or enlarge it with resize_vocabulary");
  if (config.kind == BertKind::cehr_bert) {
    check_range(input.segments_T, "visit segment", config.n_visit_segments,
                "use 0 for tokens between visits, else 1 and 2 by turns");
    return;
  }
  check_range(input.segments_T, "token type", config.type_vocab_size,
              "use fewer visits, or a model with a larger type_vocab_size");
  const char* shorten = "shorten the visit to the model's context window";
  if (input.positions_T.defined()) {
    check_range(input.positions_T, "position", config.max_position_embeddings, shorten);
  } else {
    check_range(input.lengths_S, "sequence length", config.max_position_embeddings + 1, shorten);
  }
}

at::Tensor embed_bert_input(const BertConfig& config, const NamedTensors& weights,
                            const BertInput& input) {
  return config.kind == BertKind::bert ? embed_bert(config, weights, input)
                                       : embed_cehr_bert(config, weights, input);
}

}  // namespace sequela
