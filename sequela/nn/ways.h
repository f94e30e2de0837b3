#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace sequela {

struct KernelTable;

// Which way nn's operations are computed: by our own kernels, or in torch's own operations
// (nn/plain), which are slower, run on any device in any precision, and judge the kernels.
//
//   automatic  own kernels, where the device has one for the tensors at hand and it was not refused
//   plain      torch's operations alone
//   own        own kernels alone; an error where there is none
enum class Kernels { automatic, plain, own };

std::string to_text(Kernels kernels);  // "auto", "plain", "own"
// Throws ConfigError for another name.
Kernels to_kernels(const std::string& text);

// What has two ways. Forward and backward pass of one go the same way.
enum class Operation { norm, gated_product, attention, recurrence, embedding_bag, time_to_event };
inline constexpr Operation kOperations[] = {Operation::norm,          Operation::gated_product,
                                            Operation::attention,     Operation::recurrence,
                                            Operation::embedding_bag, Operation::time_to_event};
std::string to_text(Operation operation);  // "embedding bag"

// The one place where an operation's way is chosen. A value: whoever computes holds one and hands
// it to nn's functions.
class Ways {
 public:
  Ways(Kernels kernels = Kernels::automatic) : kernels_(kernels) {}  // NOLINT: a word is enough

  // The same with other own kernels than those of the tensors' device, for tests; they must outlive
  // this.
  Ways(Kernels kernels, const KernelTable& own) : kernels_(kernels), own_(&own) {}

  // From now on `automatic` takes the plain way for this operation and type.
  void refuse(Operation operation, at::ScalarType type);

  // The functions for tensors like x. Throws ConfigError if only own kernels may compute and there
  // is none.
  const KernelTable& table(Operation operation, const at::Tensor& x, int64_t head_size = 0) const;

  Kernels kernels() const { return kernels_; }

 private:
  bool is_refused(Operation operation, at::ScalarType type) const;

  Kernels kernels_;
  const KernelTable* own_ = nullptr;  // null: those of the tensors' device
  uint64_t refused_ = 0;              // a bit for each operation and type
};

}  // namespace sequela
