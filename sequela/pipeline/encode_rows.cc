#include "sequela/pipeline/encode_rows.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"

namespace sequela {
namespace {

constexpr int64_t kPassesPerCall = 16;

// Calls `take(sequences, vectors [n, H])` for runs of sequences that have codes.
template <class Take>
void encode_sequences(const EncodeTokens& tokens, const VisitEncoder& encoder, Take take) {
  const int64_t max_tokens = kPassesPerCall * encoder.options().max_tokens_per_pass;
  Progress progress("encode", tokens.num_sequences(), "sequences");
  int64_t begin = 0;
  while (begin < tokens.num_sequences()) {
    throw_if_stopped();
    int64_t end = begin + 1;
    while (end < tokens.num_sequences() &&
           tokens.offsets[end + 1] - tokens.offsets[begin] <= max_tokens)
      ++end;
    std::vector<int64_t> lengths, sequences;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t length = tokens.offsets[i + 1] - tokens.offsets[i];
      if (length == 0) continue;
      lengths.push_back(length);
      sequences.push_back(i);
    }
    if (!lengths.empty()) {
      BertInput input;
      const int64_t first = tokens.offsets[begin], count = tokens.offsets[end] - first;
      input.ids_T =
          at::from_blob(const_cast<int32_t*>(tokens.ids.data() + first), {count}, at::kInt)
              .to(at::kLong);
      input.lengths_S = at::tensor(lengths, at::kLong);
      take(sequences, encoder.encode_sequences(input).contiguous());
    }
    progress.advance(end - begin);
    begin = end;
  }
}

// Pools the vectors of a row's sequences as they come; sequences of a row stand together.
class RowPool {
 public:
  RowPool(Pooling pooling, float* rows, int64_t num_rows, int64_t width)
      : pooling_(pooling), rows_(rows), counts_(num_rows), width_(width) {}

  void add(int64_t row, const float* vector) {
    float* to = rows_ + row * width_;
    const int64_t seen = counts_[row]++;
    if (seen == 0) {
      std::copy(vector, vector + width_, to);
    } else if (pooling_ == Pooling::max) {
      for (int64_t i = 0; i < width_; ++i) to[i] = std::max(to[i], vector[i]);
    } else if (pooling_ == Pooling::mean) {
      const float share = 1.0F / static_cast<float>(seen + 1);
      for (int64_t i = 0; i < width_; ++i) to[i] += (vector[i] - to[i]) * share;
    }
  }
  int64_t num_empty() const { return std::ranges::count(counts_, 0); }

 private:
  const Pooling pooling_;
  float* const rows_;
  std::vector<int64_t> counts_;
  const int64_t width_;
};

void embed_codes(const EncodeTokens& tokens, const VisitEncoder& encoder, float* rows) {
  const at::Tensor ids = at::from_blob(const_cast<int32_t*>(tokens.ids.data()),
                                       {static_cast<int64_t>(tokens.ids.size())}, at::kInt);
  const at::Tensor vectors = encoder.encode_codes(ids.to(at::kLong)).contiguous();
  std::copy_n(vectors.const_data_ptr<float>(), vectors.numel(), rows);
}

}  // namespace

int64_t encode_rows(const EncodeTokens& tokens, const VisitEncoder& encoder, Pooling pooling,
                    float* rows_nd) {
  if (tokens.level == EncodeLevel::codes) {
    embed_codes(tokens, encoder, rows_nd);
    return 0;
  }
  check_lengths(tokens, encoder.config().max_position_embeddings);
  const int64_t width = encoder.config().hidden_size;
  RowPool pool(pooling, rows_nd, tokens.table.num_rows, width);
  encode_sequences(
      tokens, encoder, [&](const std::vector<int64_t>& sequences, const at::Tensor& vectors) {
        const float* vector = vectors.const_data_ptr<float>();
        for (size_t i = 0; i < sequences.size(); ++i)
          pool.add(tokens.row_of[sequences[i]], vector + static_cast<int64_t>(i) * width);
      });
  return pool.num_empty();
}

}  // namespace sequela
