#include "sequela/nn/kernel_check.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "sequela/core/error.h"
#include "sequela/nn/kernel_trials.h"

namespace sequela {
namespace {

using Results = std::vector<at::Tensor>;

constexpr double kFloatBound = 1e-4, kBfloat16Bound = 5e-2;
// Attention's backward pass takes differences of values that were rounded to bfloat16; for a token
// with few keys they are 0 but for that.
constexpr double kBfloat16AttentionBound = 0.2, kLeastScale = 0.5;

double bound_of(Operation operation, at::ScalarType type) {
  if (type == at::kFloat) return kFloatBound;
  return operation == Operation::attention ? kBfloat16AttentionBound : kBfloat16Bound;
}

// The largest error of the trial; NaN stays.
double error_of(const Results& actual, const Results& expected) {
  double largest = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = row_error(actual[i], expected[i], kLeastScale);
    if (!(error <= largest)) largest = error;
    if (std::isnan(largest)) return largest;
  }
  return largest;
}

void check_trial(const KernelTrial& trial, const KernelTable& own, KernelResult& result) {
  const Results expected = trial.run(plain_kernels());
  try {
    const double error = error_of(trial.run(own), expected);
    if (!(error <= result.error)) result.error = error;
  } catch (const std::exception& error) {
    const std::string text = error.what();
    result.fault = text.substr(0, text.find('\n'));
  }
}

}  // namespace

double row_error(const at::Tensor& actual, const at::Tensor& expected, double least_scale) {
  if (expected.numel() == 0) return 0;
  const int64_t columns = expected.dim() == 0 ? 1 : expected.size(-1);
  const at::Tensor wanted = expected.to(at::kCPU, at::kDouble).reshape({-1, columns});
  at::Tensor difference = (actual.to(at::kCPU, at::kDouble).reshape({-1, columns}) - wanted).abs();
  if (actual.scalar_type() == at::kBFloat16)
    difference = (difference - 0x1p-7 * wanted.abs()).clamp_min(0);
  const at::Tensor scale = at::maximum(wanted.square().mean(1, true).sqrt(),
                                       least_scale * wanted.square().mean().sqrt());
  return at::where(difference == 0, difference, difference / scale).max().item<double>();
}

std::string KernelResult::text() const {
  const std::string name =
      str(to_text(operation), " of ", type == at::kFloat ? "float32" : "bfloat16");
  if (!fault.empty()) return str(name, " fails: ", fault);
  if (std::isnan(error)) return str(name, " gives values that are no numbers");
  if (is_good()) return str(name, ": error ", error);
  return str(name, " differs from the plain way: error ", error, " of the row, at most ", bound,
             " expected");
}

std::vector<KernelResult> check_kernels(const KernelTable& own, at::Device device) {
  const at::NoGradGuard no_grad;
  std::vector<KernelResult> results;
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const std::vector<KernelTrial> all = kernel_trials(type, device);
    for (const Operation operation : kOperations) {
      KernelResult result{operation, type, 0, bound_of(operation, type), ""};
      bool is_there = false;
      for (const KernelTrial& trial : all) {
        if (trial.operation != operation || !own.has(operation, type, trial.head_size)) continue;
        is_there = true;
        check_trial(trial, own, result);
      }
      if (is_there) results.push_back(result);
    }
  }
  return results;
}

void refuse_failed(const std::vector<KernelResult>& results, Ways& ways) {
  for (const KernelResult& result : results) {
    if (!result.is_good()) ways.refuse(result.operation, result.type);
  }
}

}  // namespace sequela
