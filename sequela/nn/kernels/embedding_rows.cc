// The vectorised versions. Forward deals tokens to threads; backward orders the entries by id, then
// deals pieces of about equal size, each a range of ids times a block of columns, so that one very
// frequent id cannot hold up all.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "sequela/nn/kernels/embedding_kernels.h"

namespace sequela {
namespace {

constexpr int64_t kGrainTokens = 16;
constexpr int64_t kColumns = 128;  // of one piece of the backward pass
constexpr int64_t kPieceEntries = 4096;

// Bag entries ordered by id, equal ids in the order of the tokens.
struct EntriesById {
  std::vector<int32_t> id_offsets;  // [V + 1]
  std::vector<int32_t> entries;     // positions in ids_N
  std::vector<int32_t> tokens;      // of each ordered entry

  EntriesById(const int32_t* ids, const int32_t* offsets, int64_t num_tokens, int64_t num_entries,
              int64_t vocabulary)
      : id_offsets(vocabulary + 1, 0), entries(num_entries), tokens(num_entries) {
    for (int64_t i = 0; i < num_entries; ++i) ++id_offsets[ids[i] + 1];
    for (int64_t v = 0; v < vocabulary; ++v) id_offsets[v + 1] += id_offsets[v];
    std::vector<int32_t> next(id_offsets.begin(), id_offsets.end() - 1);
    for (int64_t t = 0; t < num_tokens; ++t) {
      const int64_t begin = offsets ? offsets[t] : t, end = offsets ? offsets[t + 1] : t + 1;
      for (int64_t i = begin; i < end; ++i) {
        const int32_t at = next[ids[i]]++;
        entries[at] = static_cast<int32_t>(i);
        tokens[at] = static_cast<int32_t>(t);
      }
    }
  }

  // Cuts the ids into ranges of about kPieceEntries entries: the first id of each, and the end.
  std::vector<int64_t> cuts() const {
    std::vector<int64_t> cuts = {0};
    const int64_t vocabulary = static_cast<int64_t>(id_offsets.size()) - 1;
    for (int64_t v = 0; v < vocabulary; ++v) {
      if (id_offsets[v] - id_offsets[cuts.back()] >= kPieceEntries) cuts.push_back(v);
    }
    cuts.push_back(vocabulary);
    return cuts;
  }
};

const int32_t* offsets_of(const at::Tensor& offsets_T1) {
  return offsets_T1.defined() ? offsets_T1.const_data_ptr<int32_t>() : nullptr;
}

const float* weights_of(const at::Tensor& weights_N) {
  return weights_N.defined() ? weights_N.const_data_ptr<float>() : nullptr;
}

}  // namespace

void embedding_bag_forward_rows(const RowOps& ops, const at::Tensor& table_VH,
                                const at::Tensor& ids_N, const at::Tensor& weights_N,
                                const at::Tensor& offsets_T1, const at::Tensor& out_TH) {
  const int64_t hidden = table_VH.size(1), table_stride = table_VH.stride(0),
                out_stride = out_TH.stride(0);
  const float* table = table_VH.const_data_ptr<float>();
  const int32_t* ids = ids_N.const_data_ptr<int32_t>();
  const int32_t* offsets = offsets_of(offsets_T1);
  const float* weights = weights_of(weights_N);
  float* out = out_TH.data_ptr<float>();
  at::parallel_for(0, out_TH.size(0), kGrainTokens, [&](int64_t first, int64_t last) {
    for (int64_t t = first; t < last; ++t) {
      float* row = out + t * out_stride;
      std::fill_n(row, hidden, 0.0f);
      const int64_t begin = offsets ? offsets[t] : t, end = offsets ? offsets[t + 1] : t + 1;
      for (int64_t i = begin; i < end; ++i) {
        ops.add_scaled(row, table + ids[i] * table_stride, weights ? weights[i] : 1, hidden);
      }
    }
  });
}

void embedding_bag_backward_rows(const RowOps& ops, const at::Tensor& grad_out_TH,
                                 const at::Tensor& ids_N, const at::Tensor& weights_N,
                                 const at::Tensor& offsets_T1, const at::Tensor& grad_table_VH) {
  const int64_t hidden = grad_table_VH.size(1);
  const EntriesById order(ids_N.const_data_ptr<int32_t>(), offsets_of(offsets_T1),
                          grad_out_TH.size(0), ids_N.size(0), grad_table_VH.size(0));
  const std::vector<int64_t> cuts = order.cuts();
  const int64_t blocks = (hidden + kColumns - 1) / kColumns,
                pieces = static_cast<int64_t>(cuts.size()) - 1;
  const float* weights = weights_of(weights_N);
  at::parallel_for(0, pieces * blocks, 1, [&](int64_t first, int64_t last) {
    for (int64_t piece = first; piece < last; ++piece) {
      const int64_t column = piece % blocks * kColumns, width = std::min(kColumns, hidden - column);
      const float* grad_out = grad_out_TH.const_data_ptr<float>() + column;
      float* grad_table = grad_table_VH.data_ptr<float>() + column;
      for (int64_t v = cuts[piece / blocks]; v < cuts[piece / blocks + 1]; ++v) {
        for (int32_t i = order.id_offsets[v]; i < order.id_offsets[v + 1]; ++i) {
          ops.add_scaled(grad_table + v * grad_table_VH.stride(0),
                         grad_out + order.tokens[i] * grad_out_TH.stride(0),
                         weights ? weights[order.entries[i]] : 1, width);
        }
      }
    }
  });
}

}  // namespace sequela
