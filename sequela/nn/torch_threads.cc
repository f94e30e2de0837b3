#include "sequela/nn/torch_threads.h"

#include <ATen/Parallel.h>

namespace sequela {

TorchThreads::TorchThreads(int num_threads) : before_(at::get_num_threads()) {
  if (num_threads > 0) at::set_num_threads(num_threads);
}

TorchThreads::~TorchThreads() {
  at::set_num_threads(before_);
}

}  // namespace sequela
