#include <ATen/ATen.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/nn/kernel_check.h"
#include "tools/gpu/probe/probe.h"

namespace sequela {
namespace {

const KernelTable& own_table(at::Device device) {
  return device.is_cuda() ? cuda_kernels() : cpu_kernels();
}

// Kernels that forget the last column or value of what they give, of the device that is probed.
const KernelTable* true_table = nullptr;

void forget_last_column(const at::Tensor& x) {
  x.select(-1, x.size(-1) - 1).zero_();
}

KernelTable with_fault(KernelTable table, const std::string& fault) {
  if (fault == "norm") {
    table.rms_norm_forward = [](const RmsNormForward& args) {
      true_table->rms_norm_forward(args);
      forget_last_column(args.out_TH);
    };
  } else if (fault == "attention") {
    table.attention_forward = [](const AttentionInputs& inputs, const at::Tensor& out_THD,
                                 const at::Tensor& logsumexp_HT) {
      true_table->attention_forward(inputs, out_THD, logsumexp_HT);
      forget_last_column(out_THD);
    };
  } else if (!fault.empty()) {
    throw ConfigError("fault", fault, "norm or attention");
  }
  return table;
}

}  // namespace

Json probe_kernels(const ProbeOptions& options) {
  true_table = &own_table(options.device);
  const KernelTable table = with_fault(*true_table, options.fault);
  Json results = Json::array();
  for (const KernelResult& result : check_kernels(table, options.device)) {
    results.push_back({{"operation", to_text(result.operation)},
                       {"type", result.type == at::kFloat ? "float32" : "bfloat16"},
                       {"error", json_double(result.error)},
                       {"bound", result.bound},
                       {"is_good", result.is_good()},
                       {"text", result.text()}});
  }
  return {{"results", results}};
}

}  // namespace sequela
