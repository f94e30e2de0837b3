// The vectorised versions: rows dealt to threads.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>

#include "sequela/nn/isa.h"
#include "sequela/nn/kernels/elementwise_kernels.h"

namespace sequela {
namespace {

constexpr int64_t kGrainRows = 16;
constexpr int64_t kGrainValues = 1 << 15;
constexpr int64_t kSumRows =
    256;  // rows of one partial sum: fixed, so that threads do not change the result
constexpr int64_t kSumColumns = 256;  // of a block whose sums stay in the nearest cache

int is_bf16(const at::Tensor& x) {
  return x.defined() && x.scalar_type() == at::kBFloat16 ? 1 : 0;
}

void* data_of(const at::Tensor& x) {
  return x.defined() ? x.data_ptr() : nullptr;
}
int64_t stride_of(const at::Tensor& x) {
  return x.defined() ? x.stride(0) : 0;
}

}  // namespace

const RowOps* row_ops_in_use() {
  if (kernel_isa() == Isa::portable) return nullptr;
  return &kernels_in_use(kRowOpsAvx2, kRowOpsAvx512, kRowOpsAvx512Bf16);
}

void rms_norm_forward_rows(const RowOps& ops, const RmsNormForward& args) {
  const at::Tensor& features = args.time_features_TK;
  const NormForwardRows rows{args.x_TH.const_data_ptr<float>(),
                             args.x_TH.stride(0),
                             data_of(args.branch_TH),
                             stride_of(args.branch_TH),
                             static_cast<float*>(data_of(args.sum_TH)),
                             stride_of(args.sum_TH),
                             args.weight_H.const_data_ptr<float>(),
                             static_cast<const float*>(data_of(features)),
                             stride_of(features),
                             features.defined() ? features.size(1) : 0,
                             args.out_TH.data_ptr(),
                             args.out_TH.stride(0),
                             args.inverse_rms_T.data_ptr<float>(),
                             args.x_TH.size(1),
                             static_cast<float>(kRmsNormEpsilon)};
  const auto run = ops.norm_forward[is_bf16(args.branch_TH)][is_bf16(args.out_TH)];
  at::parallel_for(0, args.x_TH.size(0), kGrainRows,
                   [&](int64_t begin, int64_t end) { run(rows, begin, end); });
}

void rms_norm_backward_rows(const RowOps& ops, const RmsNormBackward& args) {
  const int64_t tokens = args.sum_TH.size(0), hidden = args.sum_TH.size(1);
  const int64_t num_sums = (tokens + kSumRows - 1) / kSumRows;
  at::Tensor grad_weights = at::zeros({num_sums, hidden});
  NormBackwardRows rows{args.grad_out_TH.const_data_ptr(),
                        args.grad_out_TH.stride(0),
                        args.sum_TH.const_data_ptr<float>(),
                        args.sum_TH.stride(0),
                        args.inverse_rms_T.const_data_ptr<float>(),
                        args.weight_H.const_data_ptr<float>(),
                        args.grad_x_TH.data_ptr<float>(),
                        args.grad_x_TH.stride(0),
                        args.is_first,
                        data_of(args.grad_x_copy_TH),
                        stride_of(args.grad_x_copy_TH),
                        nullptr,
                        hidden,
                        args.num_overwritten};
  const auto run = ops.norm_backward[is_bf16(args.grad_out_TH)][is_bf16(args.grad_x_copy_TH)];
  at::parallel_for(0, num_sums, 1, [&](int64_t begin, int64_t end) {
    NormBackwardRows part = rows;
    for (int64_t i = begin; i < end; ++i) {
      part.grad_weight = grad_weights.data_ptr<float>() + i * hidden;
      run(part, i * kSumRows, std::min((i + 1) * kSumRows, tokens));
    }
  });
  at::Tensor(args.grad_weight_H).add_(grad_weights.sum(0));
}

void swiglu_forward_rows(const RowOps& ops, const at::Tensor& ff_T2F, const at::Tensor& out_TF) {
  const SwigluRows rows{ff_T2F.const_data_ptr(), ff_T2F.stride(0), nullptr,       0,
                        out_TF.data_ptr(),       out_TF.stride(0), out_TF.size(1)};
  const auto run = ops.swiglu_forward[is_bf16(out_TF)];
  at::parallel_for(0, out_TF.size(0), kGrainRows,
                   [&](int64_t begin, int64_t end) { run(rows, begin, end); });
}

void swiglu_backward_rows(const RowOps& ops, const at::Tensor& ff_T2F,
                          const at::Tensor& grad_out_TF, const at::Tensor& grad_ff_T2F) {
  const SwigluRows rows{ff_T2F.const_data_ptr(),      ff_T2F.stride(0),
                        grad_out_TF.const_data_ptr(), grad_out_TF.stride(0),
                        grad_ff_T2F.data_ptr(),       grad_ff_T2F.stride(0),
                        grad_out_TF.size(1)};
  const auto run = ops.swiglu_backward[is_bf16(grad_out_TF)];
  at::parallel_for(0, grad_out_TF.size(0), kGrainRows,
                   [&](int64_t begin, int64_t end) { run(rows, begin, end); });
}

void add_bias_rows(const RowOps& ops, const at::Tensor& x_TF, const at::Tensor& bias_F) {
  const BiasRows rows{x_TF.data_ptr(), x_TF.stride(0), bias_F.const_data_ptr<float>(),
                      x_TF.size(1)};
  const auto run = ops.add_bias[is_bf16(x_TF)];
  at::parallel_for(0, x_TF.size(0), kGrainRows,
                   [&](int64_t begin, int64_t end) { run(rows, begin, end); });
}

// Blocks of columns dealt to threads; rows summed in groups, so that a sum of many stays exact.
void add_column_sums_rows(const RowOps& ops, const at::Tensor& grad_TF,
                          const at::Tensor& grad_bias_F) {
  const int64_t rows = grad_TF.size(0), columns = grad_TF.size(1),
                row_bytes = grad_TF.stride(0) * grad_TF.element_size();
  const auto run = ops.accumulate[is_bf16(grad_TF)];
  const char* grad = static_cast<const char*>(grad_TF.const_data_ptr());
  float* sums = grad_bias_F.data_ptr<float>();
  const auto add_block = [&](int64_t column, int64_t width) {
    std::array<float, kSumColumns> group, total = {};
    for (int64_t first = 0; first < rows; first += kSumRows) {
      group.fill(0);
      for (int64_t t = first; t < std::min(first + kSumRows, rows); ++t)
        run(group.data(), grad + t * row_bytes + column * grad_TF.element_size(), width);
      ops.accumulate[0](total.data(), group.data(), width);
    }
    ops.accumulate[0](sums + column, total.data(), width);
  };
  at::parallel_for(0, (columns + kSumColumns - 1) / kSumColumns, 1,
                   [&](int64_t begin, int64_t end) {
                     for (int64_t i = begin; i < end; ++i)
                       add_block(i * kSumColumns, std::min(kSumColumns, columns - i * kSumColumns));
                   });
}

void accumulate_rows(const RowOps& ops, const at::Tensor& total, const at::Tensor& part) {
  const auto run = ops.accumulate[is_bf16(part)];
  float* to = total.data_ptr<float>();
  const char* from = static_cast<const char*>(part.const_data_ptr());
  at::parallel_for(0, total.numel(), kGrainValues, [&](int64_t begin, int64_t end) {
    run(to + begin, from + begin * part.element_size(), end - begin);
  });
}

}  // namespace sequela
