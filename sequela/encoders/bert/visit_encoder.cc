#include "sequela/encoders/bert/visit_encoder.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/encoders/bert/bert_folder.h"

namespace sequela {
namespace {

void check_ids(const at::Tensor& ids, int64_t min_dim, int64_t max_dim) {
  const bool is_integer = ids.defined() && at::isIntegralType(ids.scalar_type(), /*bool=*/false);
  if (!is_integer || ids.dim() < min_dim || ids.dim() > max_dim) {
    throw std::invalid_argument(
        str("ids must be integers of ", min_dim, " to ", max_dim, " dimensions"));
  }
}

void check_ids_in_vocabulary(const at::Tensor& ids, const BertConfig& config) {
  if (ids.numel() == 0) return;
  const auto [low, high] = at::aminmax(ids);
  const auto lowest = low.item<int64_t>(), highest = high.item<int64_t>();
  if (lowest >= 0 && highest < config.vocab_size) return;
  throw DataError(
      {},
      str("code id ", lowest < 0 ? lowest : highest, " is outside the vocabulary, 0 to ",
          config.vocab_size - 1),
      "map codes with the model's own vocabulary, or enlarge it with resize_vocabulary");
}

// A visit must lie within the positions that the model knows.
void check_context(const at::Tensor& mask_BC, const BertConfig& config) {
  const int64_t limit = config.max_position_embeddings, columns = mask_BC.size(1);
  if (columns <= limit) return;
  const at::Tensor too_far = mask_BC.narrow(1, limit, columns - limit).any(1).nonzero();
  if (too_far.numel() == 0) return;
  const int64_t visit = too_far[0][0].item<int64_t>();
  throw DataError(
      {},
      str("visit ", visit, " has ", mask_BC[visit].sum().item<int64_t>(),
          " codes and reaches position ", mask_BC[visit].nonzero().max().item<int64_t>(),
          ", over the context window of ", limit),
      "cut the visit to the window, or use a model with a larger one");
}

at::Tensor to_mask(const at::Tensor& ids, const at::Tensor& mask, const BertConfig& config) {
  if (!mask.defined()) return ids.ne(config.pad_token_id);
  if (mask.sizes() != ids.sizes()) {
    throw std::invalid_argument(
        sequela::str("the mask has shape ", mask.sizes(), ", the ids have ", ids.sizes()));
  }
  return mask.ne(0);
}

// float32, where `like` is.
at::Tensor zeros(at::IntArrayRef shape, const at::Tensor& like) {
  return at::zeros(shape, like.options().dtype(at::kFloat));
}

at::Tensor pool(const at::Tensor& hidden_TH, const at::Tensor& host_lengths_S, Pooling pooling) {
  const at::Tensor lengths_S = host_lengths_S.to(hidden_TH.device());
  switch (pooling) {
    case Pooling::cls:
      return hidden_TH.index_select(0, lengths_S.cumsum(0) - lengths_S);
    case Pooling::mean:
      return at::segment_reduce(hidden_TH, "mean", lengths_S);
    case Pooling::max:
      return at::segment_reduce(hidden_TH, "max", lengths_S);
  }
  return {};
}

// Sequences [begin, end) of an input.
BertInput part_of(const BertInput& input, int64_t begin, int64_t end, int64_t first_token,
                  int64_t tokens) {
  const auto cut = [&](const at::Tensor& x) {
    return x.defined() ? x.narrow(0, first_token, tokens) : x;
  };
  return {.ids_T = cut(input.ids_T),
          .lengths_S = input.lengths_S.narrow(0, begin, end - begin),
          .positions_T = cut(input.positions_T),
          .segments_T = cut(input.segments_T),
          .ages_T = cut(input.ages_T),
          .dates_T = cut(input.dates_T),
          .values_T = cut(input.values_T),
          .value_mask_T = cut(input.value_mask_T)};
}

}  // namespace

const char* name_of(Pooling pooling) {
  switch (pooling) {
    case Pooling::mean:
      return "mean";
    case Pooling::cls:
      return "cls";
    case Pooling::max:
      return "max";
  }
  return "";
}

Pooling parse_pooling(const std::string& name) {
  for (const Pooling pooling : {Pooling::mean, Pooling::cls, Pooling::max}) {
    if (name == name_of(pooling)) return pooling;
  }
  throw ConfigError("pooling", name, "mean, cls or max");
}

VisitEncoder::VisitEncoder(BertModel model, VisitEncoderOptions options)
    : model_(std::move(model)), options_(options) {
  if (options_.max_tokens_per_pass < 1) {
    throw ConfigError("max_tokens_per_pass", str(options_.max_tokens_per_pass), "at least 1");
  }
}

VisitEncoder VisitEncoder::open(const std::string& folder, BertPrecision precision,
                                VisitEncoderOptions options) {
  BertFolder opened = open_bert_folder(folder);
  return VisitEncoder(BertModel(std::move(opened.config), std::move(opened.weights), precision),
                      options);
}

at::Tensor VisitEncoder::get_code_embeddings() const {
  return model_.word_embeddings().detach().clone();
}

at::Tensor VisitEncoder::encode_codes(const at::Tensor& ids) const {
  check_ids(ids, 1, 2);
  check_ids_in_vocabulary(ids, config());
  const int64_t padding = config().kind == BertKind::bert ? config().pad_token_id : -1;
  const at::Tensor rows = ids.to(model_.device(), at::kLong);
  return at::embedding(model_.word_embeddings(), rows, padding).to(ids.device());
}

CodesInContext VisitEncoder::encode_codes_with_attention(const at::Tensor& ids) const {
  check_ids(ids, 1, 2);
  check_ids_in_vocabulary(ids, config());
  const at::Tensor ids_BC = (ids.dim() == 1 ? ids.unsqueeze(0) : ids).to(at::kLong);
  const int64_t rows = ids_BC.size(0), columns = ids_BC.size(1);
  const at::Tensor keys_BC = ids_BC.ne(config().pad_token_id);
  check_context(at::ones_like(keys_BC), config());
  const at::Tensor used_rows = keys_BC.any(1).nonzero().squeeze(1);
  CodesInContext result;
  const int64_t hidden = config().hidden_size, heads = config().num_attention_heads;
  result.hidden = zeros({rows, columns, hidden}, ids);
  if (used_rows.numel() == 0) {
    result.attentions.assign(static_cast<size_t>(config().num_hidden_layers),
                             zeros({rows, heads, columns, columns}, ids));
  } else {
    const PackedBertBatch batch =
        pack_bert_batch({.ids_BL = ids_BC.index_select(0, used_rows)}, MaskHoles::skipped);
    BertRequest request{.attentions = true};
    request.key_mask_T = keys_BC.index_select(0, used_rows).flatten();
    BertInput input = batch.input;
    if (config().kind == BertKind::cehr_bert) input.positions_T = at::Tensor();
    const BertOutput output = model_.forward(input, request);
    result.hidden = result.hidden.index_copy(
        0, used_rows, output.hidden_TH.view({used_rows.numel(), columns, hidden}));
    for (const at::Tensor& attention : output.attentions) {
      result.attentions.push_back(
          zeros({rows, heads, columns, columns}, ids).index_copy(0, used_rows, attention));
    }
  }
  if (ids.dim() == 2) return result;
  result.hidden = result.hidden.squeeze(0);
  for (at::Tensor& attention : result.attentions) attention = attention.squeeze(0);
  return result;
}

at::Tensor VisitEncoder::encode_sequences(const BertInput& input) const {
  const int64_t sequences = input.num_sequences();
  const at::Tensor lengths = input.lengths_S.to(at::kLong).contiguous();
  const int64_t* length = lengths.const_data_ptr<int64_t>();
  std::vector<at::Tensor> parts;
  int64_t first_token = 0;
  for (int64_t begin = 0; begin < sequences;) {
    throw_if_stopped();
    int64_t end = begin, tokens = 0;
    while (end < sequences &&
           (end == begin || tokens + length[end] <= options_.max_tokens_per_pass)) {
      tokens += length[end++];
    }
    const BertInput part =
        to_device(part_of(input, begin, end, first_token, tokens), model_.device());
    const at::Tensor pooled_SH =
        pool(model_.forward(part).hidden_TH, part.lengths_S, options_.pooling);
    parts.push_back(pooled_SH.to(input.ids_T.device()));
    first_token += tokens;
    begin = end;
  }
  return parts.empty() ? zeros({0, config().hidden_size}, input.ids_T) : at::cat(parts, 0);
}

at::Tensor VisitEncoder::encode_visit(const at::Tensor& ids_BC, const at::Tensor& mask_BC) const {
  check_ids(ids_BC, 2, 2);
  const at::Tensor mask = to_mask(ids_BC, mask_BC, config());
  check_context(mask, config());
  PackedBertBatch batch = pack_bert_batch({.ids_BL = ids_BC, .mask_BL = mask}, MaskHoles::skipped);
  if (config().kind == BertKind::cehr_bert) batch.input.positions_T = at::Tensor();
  const at::Tensor visits_SH = encode_sequences(batch.input);
  return zeros({ids_BC.size(0), config().hidden_size}, ids_BC)
      .index_copy(0, batch.row_S, visits_SH);
}

at::Tensor VisitEncoder::encode_patient(const at::Tensor& ids_BVC,
                                        const at::Tensor& mask_BVC) const {
  check_ids(ids_BVC, 3, 3);
  const int64_t batch = ids_BVC.size(0), visits = ids_BVC.size(1), codes = ids_BVC.size(2);
  const at::Tensor mask =
      mask_BVC.defined() ? to_mask(ids_BVC, mask_BVC, config()).reshape({batch * visits, codes})
                         : at::Tensor();
  return encode_visit(ids_BVC.reshape({batch * visits, codes}), mask)
      .view({batch, visits, config().hidden_size});
}

}  // namespace sequela
