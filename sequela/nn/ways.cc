#include "sequela/nn/ways.h"

#include "sequela/core/error.h"
#include "sequela/nn/kernel_table.h"

namespace sequela {
namespace {

// Bit of Ways::refused_.
uint64_t bit_of(Operation operation, at::ScalarType type) {
  const int column = type == at::kFloat ? 0 : 1;
  return uint64_t{1} << (2 * static_cast<int>(operation) + column);
}

// Other devices have no own kernels.
const KernelTable& own_table(at::DeviceType device) {
  if (device == at::kCPU) return cpu_kernels();
  return device == at::kCUDA ? cuda_kernels() : plain_kernels();
}

}  // namespace

std::string to_text(Kernels kernels) {
  if (kernels == Kernels::plain) return "plain";
  return kernels == Kernels::own ? "own" : "auto";
}

Kernels to_kernels(const std::string& text) {
  for (const Kernels kernels : {Kernels::automatic, Kernels::plain, Kernels::own}) {
    if (to_text(kernels) == text) return kernels;
  }
  throw ConfigError("kernels", text, "auto, plain or own");
}

std::string to_text(Operation operation) {
  switch (operation) {
    case Operation::norm:
      return "norm";
    case Operation::gated_product:
      return "gated product";
    case Operation::attention:
      return "attention";
    case Operation::recurrence:
      return "recurrence";
    case Operation::embedding_bag:
      return "embedding bag";
    case Operation::time_to_event:
      return "time to event";
  }
  return "unknown";
}

void Ways::refuse(Operation operation, at::ScalarType type) {
  refused_ |= bit_of(operation, type);
}

bool Ways::is_refused(Operation operation, at::ScalarType type) const {
  return (refused_ & bit_of(operation, type)) != 0;
}

const KernelTable& Ways::table(Operation operation, const at::Tensor& x, int64_t head_size) const {
  if (kernels_ == Kernels::plain) return plain_kernels();
  const at::ScalarType type = x.scalar_type();
  const KernelTable& own = own_ != nullptr ? *own_ : own_table(x.device().type());
  const bool has_own = own.has(operation, type, head_size);
  if (kernels_ == Kernels::own && !has_own) {
    const std::string size =
        operation == Operation::attention ? str(" with heads of ", head_size) : "";
    throw ConfigError(
        "kernels", "own",
        sequela::str("auto or plain: on ", x.device().str(), " there is no own kernel for ",
                     to_text(operation), " of ", type, size));
  }
  const bool is_good = kernels_ == Kernels::own || !is_refused(operation, type);
  return has_own && is_good ? own : plain_kernels();
}

}  // namespace sequela
